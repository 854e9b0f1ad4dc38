//! Fields of requests.

use serde::Deserialize;

use crate::error_reply::ErrorReply;

/// Returns the text of a field or parameter that must not be missing or empty.
///
/// ```
/// use maitre_axum::required;
///
/// assert_eq!(required("plan_id", Some("basic"))?, "basic");
/// let error = required("plan_id", Some("")).unwrap_err();
/// assert_eq!((error.status().as_u16(), error.message()), (400, "plan_id is missing or empty."));
/// # Ok::<(), maitre_axum::ErrorReply>(())
/// ```
///
/// # Errors
/// Returns a 400 that names the field otherwise.
pub fn required<T: AsRef<str>>(name: &str, text: Option<T>) -> Result<T, ErrorReply> {
    text.filter(|text| !text.as_ref().is_empty())
        .ok_or_else(|| ErrorReply::bad_request(format!("{name} is missing or empty.")))
}

/// Value that some senders write as text, and others as a number.
///
/// ```
/// use maitre_axum::TextOrNumber;
///
/// let ids: Vec<TextOrNumber> = serde_json::from_str(r#"["33", 33]"#)?;
/// assert!(ids.into_iter().all(|id| id.into_text() == "33"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum TextOrNumber {
    /// Text.
    Text(String),
    /// Number without a fraction.
    Number(i64),
}

impl TextOrNumber {
    /// Returns the text, or the digits of the number.
    #[must_use]
    pub fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}
