//! Timestamps of marketplaces.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// Heroku writes the offset of a grant's expiry as `-0800`, which is not valid in RFC 3339.
const COLONLESS: &[BorrowedFormatItem<'_>] = format_description!(
    version = 2,
    "[year]-[month]-[day]T[hour]:[minute]:[second][optional [.[subsecond]]][offset_hour sign:mandatory][offset_minute]"
);

/// Parses RFC 3339, also with an offset without a colon. Returns `None` for anything else.
///
/// ```
/// use maitre_core::parse_timestamp;
/// use time::macros::datetime;
///
/// assert_eq!(parse_timestamp("2026-03-04T05:11:07+0000"), Some(datetime!(2026-03-04 5:11:07 UTC)));
/// assert_eq!(parse_timestamp("2026-03-03T21:11:07.5-08:00"), Some(datetime!(2026-03-04 5:11:07.5 UTC)));
/// assert_eq!(parse_timestamp("soon"), None);
/// ```
#[must_use]
pub fn parse_timestamp(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(text, COLONLESS)).ok()
}

#[cfg(test)]
mod tests {
    use super::parse_timestamp;
    use time::macros::datetime;

    #[test]
    fn offsets_with_and_without_a_colon_are_the_same_instant() {
        for text in [
            "2026-03-04T05:11:07Z",
            "2026-03-04T05:11:07+00:00",
            "2026-03-04T05:11:07+0000",
            "2026-03-03T21:11:07-0800",
            "2026-03-03T21:11:07.000-0800",
            "2026-03-03T21:11:07-08:00",
        ] {
            assert_eq!(parse_timestamp(text), Some(datetime!(2026-03-04 5:11:07 UTC)), "{text}");
        }
    }

    #[test]
    fn invalid_text_is_none_and_never_a_panic() {
        for text in ["", "Z", "2026-13-04T05:11:07Z", "2026-03-04", "99999999999999999999", "2026-03-04T05:11:07+9999"]
        {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }
}
