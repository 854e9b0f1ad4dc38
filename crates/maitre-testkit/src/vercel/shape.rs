//! Strict checks of the bodies that a vendor sends.

use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Kind of a field's value.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Any string.
    Text,
    /// String of at least one character.
    NonEmpty,
    Number,
    Bool,
    /// Decimal text with two places, such as `9.00`.
    Decimal,
    /// Time in ISO 8601, in UTC.
    Time,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// Object with these fields.
    Object(&'static [Field]),
    /// Array of objects with these fields.
    List(&'static [Field]),
    /// Object that is not checked further.
    Map,
    /// The kind, or null.
    Nullable(&'static Kind),
    /// Either of two kinds.
    Either(&'static Kind, &'static Kind),
}

/// Field: name, whether it is required, and kind.
pub(super) type Field = (&'static str, bool, Kind);

/// Checks an object: all required fields, no unknown field, and every value of its kind.
pub(super) fn check<'a>(value: &'a Value, fields: &[Field]) -> Result<&'a Map<String, Value>, String> {
    let object = value.as_object().ok_or("the body is not a JSON object")?;
    for (name, required, kind) in fields {
        match object.get(*name) {
            None if *required => return Err(format!("`{name}` is missing")),
            None => {}
            Some(value) => kind.check(value).map_err(|problem| format!("`{name}` {problem}"))?,
        }
    }
    match object.keys().find(|name| !fields.iter().any(|(known, ..)| known == name)) {
        Some(unknown) => Err(format!("`{unknown}` is not a field of this call")),
        None => Ok(object),
    }
}

impl Kind {
    fn check(self, value: &Value) -> Result<(), String> {
        let text = value.as_str();
        let is_valid = match self {
            Self::Text => text.is_some(),
            Self::NonEmpty => text.is_some_and(|text| !text.is_empty()),
            Self::Number => value.is_number(),
            Self::Bool => value.is_boolean(),
            Self::Decimal => text.is_some_and(|text| cents(text).is_some()),
            Self::Time => text.is_some_and(|text| text.ends_with('Z') && parse_time(text).is_some()),
            Self::OneOf(names) => text.is_some_and(|text| names.contains(&text)),
            Self::Map => value.is_object(),
            Self::Object(fields) => return check(value, fields).map(drop),
            Self::List(fields) => {
                let items = value.as_array().ok_or("is not an array")?;
                return items.iter().try_for_each(|item| check(item, fields).map(drop));
            }
            Self::Nullable(kind) => return if value.is_null() { Ok(()) } else { kind.check(value) },
            Self::Either(first, second) => return first.check(value).or_else(|_| second.check(value)),
        };
        if is_valid { Ok(()) } else { Err("has a value of another kind".to_owned()) }
    }
}

/// Parses decimal text with exactly two places into cents.
pub(super) fn cents(text: &str) -> Option<i64> {
    let (whole, places) = text.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(places) && places.len() == 2).then(|| format!("{whole}{places}").parse().ok())?
}

pub(super) fn parse_time(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_have_two_places() {
        assert_eq!([cents("9.00"), cents("0.05"), cents("120.50")], [Some(900), Some(5), Some(12_050)]);
        for text in ["9", "9.0", "9.000", "-9.00", ".50", "9,00", "1e2.00", "$9.00"] {
            assert_eq!(cents(text), None, "{text}");
        }
    }

    #[test]
    fn a_body_has_the_listed_fields_only() {
        const FIELDS: &[Field] = &[("name", true, Kind::NonEmpty), ("at", false, Kind::Nullable(&Kind::Time))];
        for (body, problem) in [
            (json!({ "name": "a" }), None),
            (json!({ "name": "a", "at": null }), None),
            (json!({ "name": "a", "at": "2026-03-04T05:06:07.000Z" }), None),
            (json!({ "name": "a", "at": "2026-03-04T05:06:07+01:00" }), Some("`at` has a value of another kind")),
            (json!({ "name": "" }), Some("`name` has a value of another kind")),
            (json!({}), Some("`name` is missing")),
            (json!({ "name": "a", "nick": "b" }), Some("`nick` is not a field of this call")),
            (json!([]), Some("the body is not a JSON object")),
        ] {
            assert_eq!(check(&body, FIELDS).err().as_deref(), problem, "{body}");
        }
    }
}
