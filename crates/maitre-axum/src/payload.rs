//! The body of a request.

use std::fmt;

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::data_error::mismatch;
use crate::error_reply::ErrorReply;
use crate::memory::first_excess;
use crate::text::escaped_excerpt;
use crate::with_extra::WithExtra;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Memory that is allowed however low the body limit is.
const MIN_MEMORY: usize = 256 * 1024;

/// A request body within the size limit, with its content type.
///
/// ```
/// use maitre_axum::Payload;
///
/// let payload = Payload::new(br#"{ "plan": "basic" }"#.as_slice(), None);
/// # #[derive(serde::Deserialize)] struct Order { plan: String }
/// assert_eq!(payload.json::<Order>()?.fields.plan, "basic");
/// # Ok::<(), maitre_axum::ErrorReply>(())
/// ```
#[derive(Clone)]
pub struct Payload {
    bytes: Bytes,
    content_type: Option<HeaderValue>,
    /// Memory that the body may take while it is parsed: three times the body limit.
    max_memory: usize,
}

impl Payload {
    /// Creates a payload from a body and its content type.
    pub fn new(bytes: impl Into<Bytes>, content_type: Option<&str>) -> Self {
        let content_type = content_type.and_then(|text| HeaderValue::try_from(text).ok());
        Self { bytes: bytes.into(), content_type, max_memory: usize::MAX }
    }

    pub(crate) fn with_headers(bytes: Bytes, headers: &HeaderMap, limit: usize) -> Self {
        Self {
            bytes,
            content_type: headers.get(CONTENT_TYPE).cloned(),
            max_memory: limit.saturating_mul(3).max(MIN_MEMORY),
        }
    }

    /// Returns the bytes of the body.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns whether the content type is that of an HTML form (`application/x-www-form-urlencoded`).
    #[must_use]
    pub fn is_form(&self) -> bool {
        let content_type = self.content_type.as_ref().and_then(|content_type| content_type.to_str().ok());
        content_type
            .and_then(|content_type| content_type.split(';').next())
            .is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
    }

    /// Parses a JSON object, regardless of the content type: marketplaces send vendor media types or none.
    ///
    /// # Errors
    /// Returns a 400 that names the path of the field, its line and its column.
    pub fn json<T: DeserializeOwned>(&self) -> Result<WithExtra<T>, ErrorReply> {
        if let Some(place) = first_excess(&self.bytes, self.max_memory) {
            let (line, column) = self.position(place);
            let message =
                format!("The body has too many values or too long text with escapes, at line {line} column {column}.");
            return Err(ErrorReply::bad_request(message));
        }
        // serde_json does not decode the text of ignored fields, so it would accept any bytes there
        let text = std::str::from_utf8(&self.bytes).map_err(|error| {
            let (line, column) = self.position(error.valid_up_to());
            ErrorReply::bad_request(format!("The body is not UTF-8, at line {line} column {column}."))
        })?;
        serde_json::from_str(text).map_err(|error| self.rejection::<T>(&error))
    }

    /// Returns the line and the column of a byte.
    fn position(&self, place: usize) -> (usize, usize) {
        let before = &self.bytes[..place];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        (before.split(|byte| *byte == b'\n').count(), place - line_start + 1)
    }

    /// Describes an error. Only invalid bodies pay for the path, which needs a second pass.
    fn rejection<T: DeserializeOwned>(&self, error: &serde_json::Error) -> ErrorReply {
        if self.bytes.is_empty() {
            return ErrorReply::bad_request("The body is empty: send a JSON object.");
        }
        if self.bytes.starts_with(BYTE_ORDER_MARK) {
            return ErrorReply::bad_request(
                "The body begins with a byte order mark, at line 1 column 1: send plain UTF-8.",
            );
        }
        let (path, problem) = match error.classify() {
            Category::Eof => (None, "the JSON is incomplete".to_owned()),
            Category::Syntax | Category::Io => (None, "invalid JSON".to_owned()),
            Category::Data => match serde_json::from_slice(&self.bytes).ok().and_then(mismatch::<WithExtra<T>>) {
                Some((path, problem)) => {
                    (Some(escaped_excerpt(&path)).filter(|path| path != "." && path != "?"), problem)
                }
                None => (None, "duplicate field".to_owned()), // the second pass reads a map, which has no duplicates
            },
        };
        let (line, column) = (error.line(), error.column());
        ErrorReply::bad_request(match path {
            None => format!("The body cannot be read: {problem}, at line {line} column {column}."),
            Some(path) => format!("The body cannot be read at {path}: {problem}, at line {line} column {column}."),
        })
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the errors are inspected")]
    struct Order {
        plan: String,
        grant: Option<Grant>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the errors are inspected")]
    struct Grant {
        code: String,
    }

    fn rejected(body: &'static (impl AsRef<[u8]> + ?Sized)) -> String {
        let payload = Payload::new(body.as_ref(), None);
        payload.json::<Order>().unwrap_err().message().to_owned()
    }

    #[test]
    fn a_rejection_names_the_path_and_the_line() {
        for (body, message) in [
            ("", "The body is empty: send a JSON object."),
            ("{", "The body cannot be read: the JSON is incomplete, at line 1 column 1."),
            ("[]", "The body cannot be read: expected an object, at line 1 column 0."),
            ("{}", "The body cannot be read: missing field `plan`, at line 1 column 2."),
            ("{\n\"plan\": 5}", "The body cannot be read at plan: expected a string, at line 2 column 9."),
            ("{\"plan\":\"a\",\"plan\":\"b\"}", "The body cannot be read: duplicate field, at line 1 column 18."),
            ("{\"plan\":\"a\"} x", "The body cannot be read: invalid JSON, at line 1 column 14."),
        ] {
            assert_eq!(rejected(body), message);
        }
    }

    #[test]
    fn a_body_that_is_not_utf8_is_rejected_wherever_it_is_not() {
        let ignored = b"{\"plan\":\"a\",\n \"grant\":{\"code\":\"b\",\"more\":\"\xff\"}}";
        assert_eq!(rejected(ignored), "The body is not UTF-8, at line 2 column 30.");
        assert_eq!(rejected(b"{\"plan\":\"\xc3\""), "The body is not UTF-8, at line 1 column 10.");
        assert!(Payload::new("{\"plan\":\"é\"}", None).json::<Order>().is_ok());
    }

    #[test]
    fn a_rejection_contains_no_value_and_no_type_name() {
        for body in [
            r#"{"plan":"a","grant":"s3cr3t"}"#,
            r#"{"plan":"a","grant":"s3cr3t, expected a s3cr3t"}"#,
            r#"{"plan":"a","grant":{"code":["s3cr3t"]}}"#,
            r#"{"plan":["s3cr3t at line 1"]}"#,
            r#""s3cr3t""#,
        ] {
            let message = rejected(body);
            assert!(!message.contains("s3cr3t") && !message.contains("Grant"), "{message}");
        }
    }
}
