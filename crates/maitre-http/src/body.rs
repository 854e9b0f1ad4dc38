//! Headers and bodies.

use maitre_core::Secret;
use reqwest::header::HeaderValue;

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

/// Returns the value of an `Authorization` header with a bearer token, marked as sensitive, so that HTTP libraries do not
/// log it. Returns `None` if the token is not a valid header value.
///
/// ```
/// let value = maitre_http::bearer(&"vcat_9a".into()).expect("a valid header value");
/// assert!(value == "Bearer vcat_9a" && value.is_sensitive());
/// assert!(maitre_http::bearer(&"two\nlines".into()).is_none());
/// ```
#[must_use]
pub fn bearer(token: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}
