//! Errors of the settings.

use std::fmt;

/// Invalid setting of a [`Vercel`](crate::Vercel).
#[derive(Debug)]
pub struct VercelError(String);

impl VercelError {
    pub(crate) fn empty(what: &str) -> Self {
        Self(format!("the {what} is empty"))
    }

    pub(crate) fn url(url: &str) -> Self {
        let url = maitre_axum::core::mask_urls(url);
        Self(format!("{url:?} is neither an https URL nor a URL with a loopback address"))
    }

    pub(crate) fn client(cause: String) -> Self {
        Self(cause)
    }
}

impl fmt::Display for VercelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for VercelError {}
