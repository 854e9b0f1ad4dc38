//! Times in requests: ISO 8601 in UTC, with whole seconds.

use serde::{Deserialize as _, Deserializer, Serializer, de};
use time::{OffsetDateTime, UtcOffset, format_description::BorrowedFormatItem, macros::format_description};

const FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!(version = 2, "[year]-[month]-[day]T[hour]:[minute]:[second]Z");

pub(crate) fn text(time: OffsetDateTime) -> String {
    time.to_offset(UtcOffset::UTC).format(FORMAT).expect("the format has only components of a date and a time")
}

pub(crate) fn serialize<S: Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*time))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    maitre_core::parse_timestamp(&text).ok_or_else(|| de::Error::custom("not a time in ISO 8601"))
}
