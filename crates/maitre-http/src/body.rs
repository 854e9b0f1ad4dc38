//! Headers and bodies.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use maitre_core::Secret;
use reqwest::header::HeaderValue;
use serde::de::DeserializeOwned;

/// Reads a body. Returns `None` if it is longer than `max` bytes.
///
/// # Errors
/// Returns an error if the connection fails.
pub async fn read_body(response: &mut reqwest::Response, max: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > max {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Parses a JSON body.
///
/// # Errors
/// Returns a sentence with the position, and never a value, if the body is not JSON or has another structure.
///
/// ```
/// let error = maitre_http::parse_json::<Vec<u8>>(b"[1, \"secret\"]").unwrap_err();
/// assert_eq!(error, "the body has an unexpected structure, at [1], line 1 column 12");
/// ```
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, cause) = (error.path().to_string(), error.inner());
        let problem = if cause.is_data() { "has an unexpected structure" } else { "is not JSON" };
        format!("the body {problem}, at {path}, line {} column {}", cause.line(), cause.column())
    })
}

/// Returns the value of an `Authorization` header, marked as sensitive, so that HTTP libraries do not log it. Returns
/// `None` if the credentials are not a valid header value.
///
/// ```
/// use maitre_http::authorization;
///
/// let value = authorization("Bearer", &"vcat_9a".into()).expect("a valid header value");
/// assert!(value == "Bearer vcat_9a" && value.is_sensitive());
/// assert!(authorization("Bearer", &"two\nlines".into()).is_none());
/// ```
#[must_use]
pub fn authorization(scheme: &str, credentials: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {}", credentials.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Returns the credentials of Basic authentication (RFC 7617).
///
/// ```
/// let credentials = maitre_http::basic_credentials("pomelo", &"pomelo-pass".into());
/// assert_eq!(credentials.expose(), "cG9tZWxvOnBvbWVsby1wYXNz");
/// ```
#[must_use]
pub fn basic_credentials(user: &str, password: &Secret) -> Secret {
    BASE64_STANDARD.encode(format!("{user}:{}", password.expose())).into()
}
