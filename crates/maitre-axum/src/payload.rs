//! A request's body, and what is said when it cannot be read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use headers::ContentType;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::known::WithExtra;

/// A body as it came, within the limit, with what its headers call it.
///
/// ```
/// use maitre_axum::Payload;
///
/// let payload = Payload::new(br#"{ "plan": "basic" }"#.as_slice(), None);
/// # #[derive(serde::Deserialize)] struct Order { plan: String }
/// assert_eq!(payload.json::<Order>()?.fields.plan, "basic");
/// # Ok::<(), maitre_axum::BodyRejection>(())
/// ```
#[derive(Clone)]
pub struct Payload {
    bytes: Bytes,
    content_type: Option<HeaderValue>,
}

impl Payload {
    /// A body and its type.
    pub fn new(bytes: impl Into<Bytes>, content_type: Option<ContentType>) -> Self {
        let content_type = content_type.and_then(|content_type| HeaderValue::try_from(content_type.to_string()).ok());
        Self { bytes: bytes.into(), content_type }
    }

    pub(crate) fn with_headers(bytes: Bytes, headers: &HeaderMap) -> Self {
        Self { bytes, content_type: headers.get(CONTENT_TYPE).cloned() }
    }

    /// The bytes as they came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the headers call it an HTML form (`application/x-www-form-urlencoded`).
    #[must_use]
    pub fn is_form(&self) -> bool {
        let content_type = self.content_type.as_ref().and_then(|content_type| content_type.to_str().ok());
        content_type
            .and_then(|content_type| content_type.split(';').next())
            .is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
    }

    /// Reads a JSON object, whatever its type is called: vendor media types and none at all are as good.
    ///
    /// # Errors
    /// [`BodyRejection`], 400, naming the path of the field and its line and column.
    pub fn json<T: DeserializeOwned>(&self) -> Result<WithExtra<T>, BodyRejection> {
        serde_json::from_slice(&self.bytes).map_err(|error| self.malformed::<T>(&error))
    }

    /// The error's path is looked for in a second reading, so that the first one need not carry it.
    fn malformed<T: DeserializeOwned>(&self, error: &serde_json::Error) -> BodyRejection {
        if self.bytes.is_empty() {
            return BodyRejection::new("The body is empty: send a JSON object.");
        }
        let mut json = serde_json::Deserializer::from_slice(&self.bytes);
        let path = match serde_path_to_error::deserialize::<_, WithExtra<T>>(&mut json) {
            Err(error) => error.path().to_string(),
            Ok(_) => ".".to_owned(), // the fault comes after the object
        };
        let (what, line, column) = (without_values(error), error.line(), error.column());
        BodyRejection::new(if path == "." || path == "?" {
            format!("The body cannot be read: {what}, at line {line} column {column}.")
        } else {
            format!("The body cannot be read at {path}: {what}, at line {line} column {column}.")
        })
    }
}

/// What is wrong, without the value that is: it may be a secret in the wrong place, and this goes to caller and log.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    match text.rsplit_once(", expected ") {
        Some((_, expected)) if expected.starts_with("struct ") => "expected an object".to_owned(),
        Some((_, expected)) => format!("expected {expected}"),
        None => text.to_owned(),
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payload").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// An object of texts, as command-line options travel. Whoever sends a number or a flag means its text.
///
/// ```
/// use maitre_axum::StringMap;
///
/// let options: StringMap = serde_json::from_str(r#"{ "retention": "7d", "trace": true }"#)?;
/// assert_eq!((options.0["retention"].as_str(), options.0["trace"].as_str()), ("7d", "true"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct StringMap(pub BTreeMap<String, String>);

impl<'de> Deserialize<'de> for StringMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StringMapVisitor)
    }
}

struct StringMapVisitor;

impl<'de> Visitor<'de> for StringMapVisitor {
    type Value = StringMap;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StringMap, A::Error> {
        let mut texts = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            let text = match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            texts.insert(name, text);
        }
        Ok(StringMap(texts))
    }
}

impl std::fmt::Debug for StringMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The request's fault: answered with a status and `{"message"}`, and the listener never hears of it.
///
/// ```
/// use axum::http::StatusCode;
/// use maitre_axum::BodyRejection;
///
/// let malformed = BodyRejection::new("uuid is no uuid.");
/// assert_eq!((malformed.status(), malformed.message()), (StatusCode::BAD_REQUEST, "uuid is no uuid."));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyRejection {
    status: StatusCode,
    message: Cow<'static, str>,
}

impl BodyRejection {
    /// 400 with a sentence that says what and where.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    /// 422: readable, and not to be done; the marketplace shows the sentence to its user.
    pub fn unprocessable(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, message: message.into() }
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("The body is longer than the {limit} bytes that are read.");
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, message: message.into() }
    }

    pub(crate) fn into_message(self) -> Cow<'static, str> {
        self.message
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl std::fmt::Display for BodyRejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for BodyRejection {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the errors are looked at")]
    struct Order {
        plan: String,
        grant: Option<Grant>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the errors are looked at")]
    struct Grant {
        code: String,
    }

    fn refused(body: &'static str) -> String {
        let payload = Payload::new(body.as_bytes(), None);
        payload.json::<Order>().unwrap_err().message().to_owned()
    }

    #[test]
    fn a_refusal_names_the_path_and_the_line() {
        for (body, message) in [
            ("", "The body is empty: send a JSON object."),
            ("{", "The body cannot be read: EOF while parsing an object, at line 1 column 1."),
            ("[]", "The body cannot be read: expected an object, at line 1 column 0."),
            ("{}", "The body cannot be read: missing field `plan`, at line 1 column 2."),
            ("{\n\"plan\": 5}", "The body cannot be read at plan: expected a string, at line 2 column 9."),
            ("{\"plan\":\"a\"} x", "The body cannot be read: trailing characters, at line 1 column 14."),
        ] {
            assert_eq!(refused(body), message);
        }
    }

    #[test]
    fn a_refusal_holds_no_value_and_no_name_of_ours() {
        for body in [
            r#"{"plan":"a","grant":"s3cr3t"}"#,
            r#"{"plan":"a","grant":"s3cr3t, expected a s3cr3t"}"#,
            r#"{"plan":"a","grant":{"code":["s3cr3t"]}}"#,
            r#"{"plan":["s3cr3t at line 1"]}"#,
            r#""s3cr3t""#,
        ] {
            let message = refused(body);
            assert!(!message.contains("s3cr3t") && !message.contains("Grant"), "{message}");
        }
    }
}
