//! Kinds of tokens, and verified tokens.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::error::TokenError;
use super::window::Window;

/// Kind of a token, from weak to strong. Only the strongest token of a form is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TokenKind {
    /// The v1 `token`: covers the vendor's id of the resource.
    Legacy,
    /// The `resource_token`: covers the resource's key.
    Resource,
    /// The `user_scoped_resource_token`: covers the resource and the user.
    User,
}

/// The verified token, with what is needed to reject a replay.
///
/// ```
/// use maitre_core::sso::{TokenKind, VerifiedToken, Window};
///
/// let token = VerifiedToken::new(TokenKind::User, "1772000000", Window::default())?;
/// assert_eq!(token.replay_window.as_secs(), 360, "the width of the window");
/// # Ok::<(), maitre_core::sso::TokenError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedToken {
    /// Kind of the token.
    pub kind: TokenKind,
    /// Time of issue, in seconds since 1970.
    pub issued_at: i64,
    /// Longest time after the first use in which the token could be accepted again.
    pub replay_window: Duration,
    /// SHA-256 of what identifies the token; `None` if it is identified by what it signs.
    pub id: Option<[u8; 32]>,
}

impl VerifiedToken {
    /// Creates a token after its verification.
    ///
    /// # Errors
    /// Returns [`TokenError::Timestamp`] if the timestamp is invalid.
    pub fn new(kind: TokenKind, timestamp: &str, window: Window) -> Result<Self, TokenError> {
        Ok(Self::from_unix(kind, timestamp.parse().map_err(|_| TokenError::Timestamp)?, window))
    }

    /// Creates a token that was issued at a time in seconds since 1970, after its verification.
    #[must_use]
    pub fn from_unix(kind: TokenKind, issued_at: i64, window: Window) -> Self {
        Self { kind, issued_at, replay_window: window.width(), id: None }
    }

    /// Sets what identifies the token, such as the `jti` of a JWT or the whole token: two tokens of one user and one second
    /// are then different ones.
    ///
    /// ```
    /// use maitre_core::sso::{TokenKind, VerifiedToken, Window};
    ///
    /// let token = VerifiedToken::from_unix(TokenKind::User, 1_772_000_000, Window::default());
    /// assert_ne!(token.with_id("a").id, token.with_id("b").id);
    /// ```
    #[must_use]
    pub fn with_id(self, id: &str) -> Self {
        Self { id: Some(Sha256::digest(id.as_bytes()).into()), ..self }
    }
}

/// Returns whether nav-data may be set as a cookie: 1 to 2048 characters of base64url. It is not signed.
///
/// ```
/// use maitre_core::sso::is_cookie_safe;
///
/// assert!(is_cookie_safe("eyJhZGRvbiI6ImxhbnRlcm4ifQ=="));
/// assert!(!is_cookie_safe("a; Domain=example.org"));
/// ```
#[must_use]
pub fn is_cookie_safe(nav_data: &str) -> bool {
    (1..=2048).contains(&nav_data.len())
        && nav_data.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_=-".contains(&byte))
}
