//! Single sign-on tokens: how a marketplace signs one, and how it is checked.
//!
//! A token is a hash over what it covers, a salt that only the two sides know, and the moment it was made. The
//! timestamp enters the hash as it was received, and the clock is an argument, so that every case is a table row.
//!
//! ```
//! use maitre_core::Salt;
//! use maitre_core::sso::{SignedFields, Window};
//! use time::OffsetDateTime;
//!
//! let salt = Salt::new("2f97bfa52ca102f8874716e2eb1d3b4920ad0be4")?;
//! let covers = SignedFields::Id("123");
//! let token = covers.sign(&salt, "1267597772");
//! assert_eq!(token, "bb466eb1d6bc345d11072c3cd25c311f21be130d");
//!
//! let a_minute_later = OffsetDateTime::from_unix_timestamp(1_267_597_832)?;
//! assert_eq!(covers.verify(&token, "1267597772", &[salt], Window::default(), a_minute_later), Ok(()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::time::Duration;

use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use time::OffsetDateTime;

use crate::credentials::Salt;

/// What a token speaks for, and by that which hash it is.
#[derive(Clone, Copy)]
pub enum SignedFields<'a> {
    /// A resource: SHA-1 of `id:salt:timestamp`. Heroku's `resource_token` has the uuid here, the v1 `token` of Heroku
    /// and cloudControl the id that the listener answered.
    Id(&'a str),
    /// A resource and the person at the door: SHA-256 of `resource_id:salt:timestamp:user_id:email`, Heroku's
    /// `user_scoped_resource_token`.
    User {
        /// The resource's uuid.
        resource_id: &'a str,
        /// The person's id.
        user_id: &'a str,
        /// The person's address, form-decoded.
        email: &'a str,
    },
}

/// Why a token was not accepted. For the log: the person at the door is told nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// A field that the token needs is missing or empty, or is there twice.
    Incomplete,
    /// The timestamp is not a number of seconds.
    Timestamp,
    /// Made too long ago.
    TooOld,
    /// Made in the future, beyond what clocks may differ.
    TooFarAhead,
    /// No live salt gives this token.
    Wrong,
    /// A token of a kind that the settings do not accept.
    NotAccepted,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Incomplete => "a field is missing, empty or there twice",
            Self::Timestamp => "the timestamp is no number of seconds",
            Self::TooOld => "the token is too old",
            Self::TooFarAhead => "the token comes from the future",
            Self::Wrong => "no live salt gives this token",
            Self::NotAccepted => "the only token is of a kind that the settings do not accept",
        })
    }
}

impl std::error::Error for TokenError {}

/// How far the clock of the marketplace and ours may be apart: 300 s back, 60 s ahead, both included.
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
    /// Another oldest age; whole seconds count.
    #[must_use]
    pub fn with_max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }

    /// Another allowance for a clock that runs ahead; whole seconds count.
    #[must_use]
    pub fn with_max_ahead(self, max_ahead: Duration) -> Self {
        Self { max_ahead, ..self }
    }

    /// Whether a token of that moment is still, or already, good.
    ///
    /// # Errors
    /// [`TokenError::Timestamp`], [`TokenError::TooOld`] or [`TokenError::TooFarAhead`].
    pub fn check(self, timestamp: &str, now: OffsetDateTime) -> Result<(), TokenError> {
        if timestamp.is_empty() || !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(TokenError::Timestamp);
        }
        let made: i64 = timestamp.parse().map_err(|_| TokenError::Timestamp)?;
        let age = now.unix_timestamp().saturating_sub(made);
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

/// How much a token covers; the strongest that a form holds decides alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// The v1 `token`: the vendor's own id of the resource.
    Legacy,
    /// The `resource_token`: the marketplace's key of the resource.
    Resource,
    /// The `user_scoped_resource_token`: the resource and the person.
    User,
}

/// The token that let somebody in, as far as it takes to let it do so once.
///
/// ```
/// use maitre_core::sso::{TokenKind, VerifiedToken, Window};
///
/// let token = VerifiedToken::new(TokenKind::User, "1772000000", Window::default())?;
/// assert_eq!(token.replay_window.as_secs(), 360, "as long as any clock in the window could let it in");
/// # Ok::<(), maitre_core::sso::TokenError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedToken {
    /// What it covers.
    pub kind: TokenKind,
    /// When it was made, in seconds since 1970.
    pub issued_at: i64,
    /// How long after its first use it could be let in again, at the longest.
    pub replay_window: Duration,
}

impl VerifiedToken {
    /// A token that was verified.
    ///
    /// # Errors
    /// [`TokenError::Timestamp`] when it cannot have been.
    pub fn new(kind: TokenKind, timestamp: &str, window: Window) -> Result<Self, TokenError> {
        let issued_at = timestamp.parse().map_err(|_| TokenError::Timestamp)?;
        Ok(Self { kind, issued_at, replay_window: window.max_age.saturating_add(window.max_ahead) })
    }
}

impl SignedFields<'_> {
    /// The token as the marketplace computes it, lowercase hex.
    #[must_use]
    pub fn sign(&self, salt: &Salt, timestamp: &str) -> String {
        self.hex(salt, timestamp, str::to_owned)
    }

    /// Whether `token` is right and its moment lies in the window.
    ///
    /// # Errors
    /// The first rule that it breaks, as a [`TokenError`].
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
        let right = salts.iter().filter(|salt| salt.is_live(now)).fold(Choice::from(0), |right, salt| {
            right | self.hex(salt, timestamp, |hex| hex.as_bytes().ct_eq(token.as_bytes()))
        });
        if right.into() { Ok(()) } else { Err(TokenError::Wrong) }
    }

    /// A colon in the user's id could move the border between id and address without changing the hash.
    fn is_complete(&self) -> bool {
        match self {
            Self::Id(id) => !id.is_empty(),
            Self::User { resource_id, user_id, email } => {
                !resource_id.is_empty() && !user_id.is_empty() && !user_id.contains(':') && !email.is_empty()
            }
        }
    }

    fn hex<T>(&self, salt: &Salt, timestamp: &str, use_it: impl FnOnce(&str) -> T) -> T {
        let salt = salt.expose();
        let mut buffer = [0; 64];
        let hex = match self {
            Self::Id(id) => encode(&joined::<Sha1>(&[id, salt, timestamp]), &mut buffer),
            Self::User { resource_id, user_id, email } => {
                encode(&joined::<Sha256>(&[resource_id, salt, timestamp, user_id, email]), &mut buffer)
            }
        };
        use_it(hex)
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

/// Whether nav-data may become a cookie: 1 to 2048 characters of base64url. It is signed by nothing.
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
    fn tokens_are_the_published_ones() {
        for (covers, salt, timestamp, token) in [
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
            assert_eq!(covers.sign(&Salt::new(salt).unwrap(), timestamp), token);
        }
    }

    #[test]
    fn the_window_is_open_from_300_s_back_to_60_s_ahead() {
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
    fn a_timestamp_is_digits_and_fits() {
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
    fn a_token_is_compared_to_the_letter() {
        let right = USER.sign(&salts()[0], "1772000000");
        for wrong in [right.to_uppercase(), right[1..].to_owned(), format!("{right} "), "0".repeat(64), "é".repeat(32)]
        {
            let answer = USER.verify(&wrong, "1772000000", &salts(), Window::default(), at(1_772_000_000));
            assert_eq!(answer, Err(TokenError::Wrong), "{wrong}");
        }
    }

    #[test]
    fn every_part_that_is_covered_matters() {
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
    fn the_border_between_id_and_address_cannot_move() {
        let signed = SignedFields::User { resource_id: "r", user_id: "u", email: "x:y@example.org" };
        let moved = SignedFields::User { resource_id: "r", user_id: "u:x", email: "y@example.org" };
        let token = signed.sign(&salts()[0], "1772000000");
        assert_eq!(token, moved.sign(&salts()[0], "1772000000"));
        let answer = moved.verify(&token, "1772000000", &salts(), Window::default(), at(1_772_000_000));
        assert_eq!(answer, Err(TokenError::Incomplete));
    }

    #[test]
    fn a_salt_on_its_way_out_signs_until_its_end() {
        let end = at(1_772_000_010);
        let both = [Salt::new("new").unwrap(), Salt::new(SALT).unwrap().with_expiry(end)];
        let token = USER.sign(&both[1], "1772000000");
        assert_eq!(USER.verify(&token, "1772000000", &both, Window::default(), at(1_772_000_009)), Ok(()));
        assert_eq!(USER.verify(&token, "1772000000", &both, Window::default(), end), Err(TokenError::Wrong));
    }
}
