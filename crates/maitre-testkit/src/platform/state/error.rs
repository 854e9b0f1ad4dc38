//! Refusals of requests.

/// A request that the platform refuses.
#[derive(Clone, Debug)]
pub(crate) enum RequestError {
    Unauthorized,
    Forbidden(&'static str),
    NotFound(&'static str),
    InvalidParams(String),
}

impl RequestError {
    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        Self::InvalidParams(message.into())
    }
}
