//! Reply to a single sign-on.

use std::fmt;

use serde_json::Value;

/// Reply to a single sign-on: the user is signed in and is redirected.
///
/// ```
/// use maitre_core::SignedOn;
///
/// let reply = SignedOn::redirect("/dashboard").with_session("widget_id", 641);
/// assert_eq!(reply.location(), "/dashboard");
/// assert!(reply.is_local());
/// assert!(!SignedOn::redirect("//elsewhere.example").is_local());
/// ```
#[derive(Clone)]
pub struct SignedOn {
    location: String,
    session: Vec<(String, Value)>,
}

impl SignedOn {
    /// Redirects to a path of this site (`/dashboard`), or to a URL of an origin that was added with
    /// [`Addon::with_redirect_origin`](crate::Addon::with_redirect_origin).
    pub fn redirect(location: impl Into<String>) -> Self {
        Self { location: location.into(), session: Vec::new() }
    }

    /// Adds a value to the user's new session.
    #[must_use]
    pub fn with_session(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.session.push((key.into(), value.into()));
        self
    }

    /// Returns the location.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Returns the values for the session.
    #[must_use]
    pub fn session(&self) -> &[(String, Value)] {
        &self.session
    }

    /// Returns whether the location is a path of this site: one `/`, then neither `/` nor `\`, and no control character.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let mut chars = self.location.chars();
        chars.next() == Some('/')
            && !matches!(chars.next(), Some('/' | '\\'))
            && !self.location.contains(char::is_control)
    }
}

impl fmt::Debug for SignedOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.session.iter().map(|(key, _)| key).collect();
        f.debug_struct("SignedOn").field("location", &self.location).field("session", &keys).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_local() {
        for local in ["/", "/dashboard", "/a//b", "/a?next=https://x", "/ü"] {
            assert!(SignedOn::redirect(local).is_local(), "{local}");
        }
        for remote in
            ["", "dashboard", "//x", "/\\x", "\\/x", "https://x", " /x", "/a\r\nSet-Cookie: b", "/\t/x", "/\u{85}"]
        {
            assert!(!SignedOn::redirect(remote).is_local(), "{remote:?}");
        }
    }
}
