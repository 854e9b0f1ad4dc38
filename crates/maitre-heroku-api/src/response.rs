use std::fmt;

use maitre_http::{CallError, parse_json};
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Successful response of Heroku, with its body read completely.
///
/// `Debug` prints the call and the status only, because bodies contain config values and tokens.
pub struct Response {
    call: String,
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(call: String, status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { call, status, headers, body }
    }

    /// Returns the status code, from 200 to 299.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the first header with this name, which is case-insensitive; `None` if its value is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Parses the body as JSON.
    ///
    /// # Errors
    /// Returns an error with [`Error::is_unreadable`] if the body is not JSON, or does not have this type's structure.
    /// The error contains the position, and never a value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let unreadable =
            |cause: String| CallError::unreadable(&self.call, self.status, request_id(&self.headers), cause);
        Ok(parse_json(&self.body).map_err(unreadable)?)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("call", &self.call).field("status", &self.status).finish_non_exhaustive()
    }
}

/// Returns Heroku's id of a request, from the headers of its response.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    Some(headers.get("request-id")?.to_str().ok()?.to_owned())
}
