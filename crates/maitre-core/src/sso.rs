//! Signing and verification of single sign-on tokens.
//!
//! A token is a hash over the signed fields, a shared salt and the time of issue. The timestamp is hashed exactly as
//! received, and the current time is an argument, so that tests are tables.
//!
//! ```
//! use maitre_core::Salt;
//! use maitre_core::sso::{SignedFields, Window};
//! use time::OffsetDateTime;
//!
//! let salt = Salt::new("2f97bfa52ca102f8874716e2eb1d3b4920ad0be4")?;
//! let fields = SignedFields::Id("123");
//! let token = fields.sign(&salt, "1267597772");
//! assert_eq!(token, "bb466eb1d6bc345d11072c3cd25c311f21be130d");
//!
//! let a_minute_later = OffsetDateTime::from_unix_timestamp(1_267_597_832)?;
//! assert_eq!(fields.verify(&token, "1267597772", &[salt], Window::default(), a_minute_later), Ok(()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::time::Duration;

use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use time::OffsetDateTime;

use crate::credentials::Salt;

/// The fields that an SSO token signs; determines the hash algorithm.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum SignedFields<'a> {
    /// A resource: SHA-1 of `id:salt:timestamp`. The id is the UUID in Heroku's `resource_token`, and the id that the
    /// listener returned in the v1 `token` of Heroku and cloudControl.
    Id(&'a str),
    /// A resource and a user: SHA-256 of `resource_id:salt:timestamp:user_id:email`, Heroku's
    /// `user_scoped_resource_token`.
    User {
        /// UUID of the resource.
        resource_id: &'a str,
        /// Id of the user.
        user_id: &'a str,
        /// Email address of the user, form-decoded.
        email: &'a str,
    },
}

/// Reason why a token was rejected, for the log. Never shown to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// A field that the token needs is missing, empty or duplicate.
    Incomplete,
    /// The timestamp is not a Unix time.
    Timestamp,
    /// The token is too old.
    TooOld,
    /// The token is too far in the future.
    TooFarAhead,
    /// The token does not match any active salt.
    Wrong,
    /// The kind of token is not accepted by the settings.
    NotAccepted,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Incomplete => "missing, empty or duplicate field",
            Self::Timestamp => "timestamp is not a Unix time",
            Self::TooOld => "token is too old",
            Self::TooFarAhead => "token is too far in the future",
            Self::Wrong => "token does not match any active salt",
            Self::NotAccepted => "the settings do not accept this kind of token",
        })
    }
}

impl std::error::Error for TokenError {}

/// Time window of tokens. Defaults to 300 s back and 60 s ahead, both inclusive.
///
/// ```
/// use maitre_core::sso::{TokenError, Window};
/// use time::OffsetDateTime;
///
/// let now = OffsetDateTime::from_unix_timestamp(1_772_000_300)?;
/// assert_eq!(Window::default().check("1772000000", now), Ok(()));
/// assert_eq!(Window::default().check("1771999999", now), Err(TokenError::TooOld));
/// # Ok::<(), time::error::ComponentRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    max_age: Duration,
    max_ahead: Duration,
}

impl Default for Window {
    fn default() -> Self {
        Self { max_age: Duration::from_mins(5), max_ahead: Duration::from_mins(1) }
    }
}

impl Window {
    /// Sets the maximum age, in whole seconds.
    #[must_use]
    pub fn with_max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }

    /// Sets the tolerance for a clock that is ahead, in whole seconds.
    #[must_use]
    pub fn with_max_ahead(self, max_ahead: Duration) -> Self {
        Self { max_ahead, ..self }
    }

    /// Checks that a timestamp is inside the window.
    ///
    /// # Errors
    /// Returns [`TokenError::Timestamp`], [`TokenError::TooOld`] or [`TokenError::TooFarAhead`].
    pub fn check(self, timestamp: &str, now: OffsetDateTime) -> Result<(), TokenError> {
        if timestamp.is_empty() || !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(TokenError::Timestamp);
        }
        let issued_at: i64 = timestamp.parse().map_err(|_| TokenError::Timestamp)?;
        let age = now.unix_timestamp().saturating_sub(issued_at);
        if age > seconds(self.max_age) {
            Err(TokenError::TooOld)
        } else if age < -seconds(self.max_ahead) {
            Err(TokenError::TooFarAhead)
        } else {
            Ok(())
        }
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

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
}

impl VerifiedToken {
    /// Creates a token after its verification.
    ///
    /// # Errors
    /// Returns [`TokenError::Timestamp`] if the timestamp is invalid.
    pub fn new(kind: TokenKind, timestamp: &str, window: Window) -> Result<Self, TokenError> {
        let issued_at = timestamp.parse().map_err(|_| TokenError::Timestamp)?;
        Ok(Self { kind, issued_at, replay_window: window.max_age.saturating_add(window.max_ahead) })
    }
}

impl SignedFields<'_> {
    /// Computes the token as the marketplace does, in lowercase hex.
    #[must_use]
    pub fn sign(&self, salt: &Salt, timestamp: &str) -> String {
        self.hex(salt, timestamp, str::to_owned)
    }

    /// Verifies a token and its timestamp.
    ///
    /// # Errors
    /// Returns the first rule that the token violates.
    pub fn verify(
        &self,
        token: &str,
        timestamp: &str,
        salts: &[Salt],
        window: Window,
        now: OffsetDateTime,
    ) -> Result<(), TokenError> {
        if !self.is_complete() || token.is_empty() {
            return Err(TokenError::Incomplete);
        }
        window.check(timestamp, now)?;
        let matches = salts.iter().filter(|salt| salt.is_active(now)).fold(Choice::from(0), |matches, salt| {
            matches | self.hex(salt, timestamp, |hex| hex.as_bytes().ct_eq(token.as_bytes()))
        });
        if matches.into() { Ok(()) } else { Err(TokenError::Wrong) }
    }

    /// Returns whether all fields are present. A colon in the user's id could shift the boundary between id and address
    /// without changing the hash.
    fn is_complete(&self) -> bool {
        match self {
            Self::Id(id) => !id.is_empty(),
            Self::User { resource_id, user_id, email } => {
                !resource_id.is_empty() && !user_id.is_empty() && !user_id.contains(':') && !email.is_empty()
            }
        }
    }

    fn hex<T>(&self, salt: &Salt, timestamp: &str, f: impl FnOnce(&str) -> T) -> T {
        let salt = salt.expose();
        let mut buffer = [0; 64];
        let hex = match self {
            Self::Id(id) => encode(&joined::<Sha1>(&[id, salt, timestamp]), &mut buffer),
            Self::User { resource_id, user_id, email } => {
                encode(&joined::<Sha256>(&[resource_id, salt, timestamp, user_id, email]), &mut buffer)
            }
        };
        f(hex)
    }
}

impl fmt::Debug for SignedFields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => f.debug_tuple("Id").field(id).finish(),
            Self::User { resource_id, .. } => {
                f.debug_struct("User").field("resource_id", resource_id).finish_non_exhaustive()
            }
        }
    }
}

fn joined<H: Digest>(parts: &[&str]) -> impl AsRef<[u8]> + use<H> {
    let mut hash = H::new();
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            hash.update(b":");
        }
        hash.update(part.as_bytes());
    }
    hash.finalize()
}

fn encode<'b>(digest: &impl AsRef<[u8]>, buffer: &'b mut [u8; 64]) -> &'b str {
    let buffer = &mut buffer[..2 * digest.as_ref().len()];
    let written = hex::encode_to_slice(digest, buffer).ok().and_then(|()| std::str::from_utf8(buffer).ok());
    written.unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    const USER: SignedFields<'_> = SignedFields::User {
        resource_id: "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21",
        user_id: "c4b1f2d0-8e2a-4d6b-9c11-5a7e3f9d2b64",
        email: "ada+ops@example.org",
    };

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).unwrap()
    }

    fn salts() -> [Salt; 1] {
        [Salt::new(SALT).unwrap()]
    }

    #[test]
    fn tokens_match_the_published_examples() {
        for (fields, salt, timestamp, token) in [
            (
                SignedFields::Id("123"),
                "2f97bfa52ca102f8874716e2eb1d3b4920ad0be4",
                "1267597772",
                "bb466eb1d6bc345d11072c3cd25c311f21be130d",
            ),
            (SignedFields::Id("1"), "SSO_SALT", "1262304000", "b6010f6fbb850887a396c2bc0ab23974003008f6"),
            (SignedFields::Id("4711"), SALT, "1772000000", "a8f6e6c591b80b8d12222f8823a613e65b4dfbf7"),
            (
                SignedFields::Id("7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21"),
                SALT,
                "1772000000",
                "ac96a81ac9555ffb7077cce9dd00850ae85c267d",
            ),
            (SignedFields::Id("789"), "rock salt", "1700000000", "9b65f5836299bfe5dce9af06e2fa59d3044a8cc9"),
            (USER, SALT, "1772000000", "8ba47704978c8957e89c392ca68d70ab5a3f0aebe21924c3abc452a97eb50f0d"),
        ] {
            assert_eq!(fields.sign(&Salt::new(salt).unwrap(), timestamp), token);
        }
    }

    #[test]
    fn the_default_window_is_300_s_back_and_60_s_ahead() {
        let made = 1_772_000_000;
        let token = USER.sign(&salts()[0], "1772000000");
        for (now, answer) in [
            (made - 61, Err(TokenError::TooFarAhead)),
            (made - 60, Ok(())),
            (made, Ok(())),
            (made + 300, Ok(())),
            (made + 301, Err(TokenError::TooOld)),
        ] {
            assert_eq!(USER.verify(&token, "1772000000", &salts(), Window::default(), at(now)), answer, "{now}");
        }
    }

    #[test]
    fn a_timestamp_is_digits_within_range() {
        for timestamp in
            ["", " 1772000000", "+1772000000", "-1", "1772000000junk", "1.7e9", "١٧٧٢", "99999999999999999999"]
        {
            let token = USER.sign(&salts()[0], timestamp);
            let answer = USER.verify(&token, timestamp, &salts(), Window::default(), at(1_772_000_000));
            assert_eq!(answer, Err(TokenError::Timestamp), "{timestamp}");
        }
        let latest = i64::MAX.to_string();
        let token = USER.sign(&salts()[0], &latest);
        let answer = USER.verify(&token, &latest, &salts(), Window::default(), at(-1));
        assert_eq!(answer, Err(TokenError::TooFarAhead));
    }

    #[test]
    fn a_token_is_compared_exactly() {
        let right = USER.sign(&salts()[0], "1772000000");
        for wrong in [right.to_uppercase(), right[1..].to_owned(), format!("{right} "), "0".repeat(64), "é".repeat(32)]
        {
            let answer = USER.verify(&wrong, "1772000000", &salts(), Window::default(), at(1_772_000_000));
            assert_eq!(answer, Err(TokenError::Wrong), "{wrong}");
        }
    }

    #[test]
    fn every_signed_field_matters() {
        let SignedFields::User { resource_id, user_id, email } = USER else { unreachable!() };
        let token = USER.sign(&salts()[0], "1772000000");
        for altered in [
            SignedFields::User { resource_id: "other", user_id, email },
            SignedFields::User { resource_id, user_id: "other", email },
            SignedFields::User { resource_id, user_id, email: "eve@example.org" },
        ] {
            let answer = altered.verify(&token, "1772000000", &salts(), Window::default(), at(1_772_000_000));
            assert_eq!(answer, Err(TokenError::Wrong));
        }
    }

    #[test]
    fn the_boundary_between_id_and_address_cannot_shift() {
        let signed = SignedFields::User { resource_id: "r", user_id: "u", email: "x:y@example.org" };
        let moved = SignedFields::User { resource_id: "r", user_id: "u:x", email: "y@example.org" };
        let token = signed.sign(&salts()[0], "1772000000");
        assert_eq!(token, moved.sign(&salts()[0], "1772000000"));
        let answer = moved.verify(&token, "1772000000", &salts(), Window::default(), at(1_772_000_000));
        assert_eq!(answer, Err(TokenError::Incomplete));
    }

    #[test]
    fn an_old_salt_is_valid_until_its_expiry() {
        let end = at(1_772_000_010);
        let both = [Salt::new("new").unwrap(), Salt::new(SALT).unwrap().with_expiry(end)];
        let token = USER.sign(&both[1], "1772000000");
        assert_eq!(USER.verify(&token, "1772000000", &both, Window::default(), at(1_772_000_009)), Ok(()));
        assert_eq!(USER.verify(&token, "1772000000", &both, Window::default(), end), Err(TokenError::Wrong));
    }
}
