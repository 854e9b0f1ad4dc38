//! Settings of an add-on, and the redirects that they allow.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use crate::clock::Clock;
use crate::manifest::url;
use crate::replies::SignedOn;
use crate::sso::Window;
use crate::trace::TraceParent;

/// Settings of an [`Addon`](crate::Addon).
#[derive(Clone)]
pub(crate) struct Policy {
    pub(crate) body_limit: usize,
    pub(crate) answer_budget: Duration,
    pub(crate) sso_window: Window,
    pub(crate) async_after: Option<Duration>,
    pub(crate) async_deprovision: bool,
    pub(crate) clock: Clock,
    pub(crate) trace_source: Arc<dyn Fn() -> Option<TraceParent> + Send + Sync>,
    redirect_origins: Vec<String>,
}

impl Policy {
    pub(crate) fn new(sso_window: Window) -> Self {
        Self {
            body_limit: 256 * 1024,
            answer_budget: Duration::from_secs(24),
            sso_window,
            async_after: None,
            async_deprovision: false,
            clock: Arc::new(OffsetDateTime::now_utc),
            trace_source: Arc::new(|| None),
            redirect_origins: Vec::new(),
        }
    }

    pub(crate) fn add_redirect_origin(&mut self, origin: &str) -> Result<(), OriginError> {
        // the host of a file URL depends on its path, by the URL standard
        let is_origin = url::split(origin).is_some_and(|parts| {
            parts.path.is_empty() && !parts.authority.contains('@') && !parts.scheme.eq_ignore_ascii_case("file")
        });
        if !is_origin {
            return Err(OriginError(origin.to_owned()));
        }
        self.redirect_origins.push(origin.to_owned());
        Ok(())
    }

    pub(crate) fn allows_redirect(&self, reply: &SignedOn) -> bool {
        reply.is_local() || self.redirect_origins.iter().any(|origin| is_at(reply.location(), origin))
    }
}

/// Returns whether `location` belongs to `origin`: the origin must be the whole location, or be followed by a path,
/// query or fragment.
fn is_at(location: &str, origin: &str) -> bool {
    location.get(..origin.len()).is_some_and(|start| start.eq_ignore_ascii_case(origin))
        && matches!(location.as_bytes().get(origin.len()), None | Some(b'/' | b'?' | b'#'))
        && !location.contains(|c: char| c.is_control() || c == '\\')
}

/// Invalid origin passed to [`Addon::with_redirect_origin`](crate::Addon::with_redirect_origin).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginError(String);

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not an origin: write only scheme and host, such as https://app.example.org", self.0)
    }
}

impl std::error::Error for OriginError {}

#[cfg(test)]
mod tests {
    use super::{Policy, is_at};

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        let add = |origin| Policy::new(crate::sso::Window::default()).add_redirect_origin(origin);
        for origin in ["https://app.example.org", "http://localhost:3000", "org.example.app://callback"] {
            assert_eq!(add(origin), Ok(()), "{origin}");
        }
        for other in ["https://app.example.org/", "https://user@app.example.org", "app.example.org", "file://host", ""]
        {
            assert!(add(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_listed_origin_is_matched_as_a_whole() {
        let origin = "https://app.example.org";
        for allowed in [
            "https://app.example.org",
            "https://app.example.org/",
            "HTTPS://App.example.org?a",
            "https://app.example.org#b",
        ] {
            assert!(is_at(allowed, origin), "{allowed}");
        }
        for other in [
            "https://app.example.org.evil.example/",
            "https://app.example.org@evil.example/",
            "https://app.example.org:81/",
            "http://app.example.org/",
            "https://app.example.org/\r\nX: y",
            "https://app.example.org\\@evil.example",
            "https://",
            "",
        ] {
            assert!(!is_at(other, origin), "{other}");
        }
    }
}
