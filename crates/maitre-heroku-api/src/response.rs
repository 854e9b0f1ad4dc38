use std::fmt;

use maitre_http::{CallError, Reply, parse_json};
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Successful response of Heroku, with its body read completely.
///
/// `Debug` prints the call and the status only, because bodies contain config values and tokens.
pub struct Response {
    call: String,
    reply: Reply,
}

impl Response {
    pub(crate) fn new(call: String, reply: Reply) -> Self {
        Self { call, reply }
    }

    /// Returns the status code, from 200 to 299.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.reply.status
    }

    /// Returns the first header with this name, which is case-insensitive; `None` if its value is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.reply.headers.get(name)?.to_str().ok()
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.reply.body
    }

    /// Parses the body as JSON.
    ///
    /// # Errors
    /// Returns an error with [`Error::is_unreadable`] if the body is not JSON, or does not have this type's structure.
    /// The error contains the position, and never a value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let unreadable =
            |cause: String| CallError::unreadable(&self.call, self.reply.status, self.reply.request_id(), cause);
        Ok(parse_json(&self.reply.body).map_err(unreadable)?)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("call", &self.call).field("status", &self.reply.status).finish_non_exhaustive()
    }
}
