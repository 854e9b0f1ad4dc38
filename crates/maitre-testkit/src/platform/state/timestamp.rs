use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Formats a time as the Platform API does: RFC 3339 without fractions of a second.
pub(crate) fn timestamp(time: OffsetDateTime) -> String {
    time.replace_nanosecond(0).unwrap_or(time).format(&Rfc3339).unwrap_or_default()
}
