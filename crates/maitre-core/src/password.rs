//! Passwords, stored as hashes, several of which may be active.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use time::OffsetDateTime;

/// Invalid password, salt or secret.
///
/// ```
/// use maitre_core::{CredentialsError, Salt};
///
/// assert_eq!(Salt::new("").unwrap_err(), CredentialsError::Empty("salt"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The named part is empty. An empty password admits any caller; with an empty salt any caller can sign a token.
    Empty(&'static str),
    /// The Basic user contains a colon, which ends the user part of the header (RFC 7617, section 2).
    ColonInUser,
    /// The hash of a password is not 64 hex digits.
    NotSha256,
    /// The credentials that replace others are those of another add-on.
    OtherUser,
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(what) => {
                write!(f, "the {what} is empty: use the one from the add-on manifest, or 32 random characters")
            }
            Self::ColonInUser => f.write_str(
                "the add-on's id contains a colon, which a Basic header cannot carry: use the slug of the manifest",
            ),
            Self::OtherUser => f.write_str("the id is that of another add-on: it cannot change while the process runs"),
            Self::NotSha256 => f.write_str(
                "the hash of a password is not 64 hex digits: print it with `printf %s \"$PASSWORD\" | sha256sum`",
            ),
        }
    }
}

impl std::error::Error for CredentialsError {}

pub(crate) fn sha256(value: &str) -> [u8; 32] {
    Sha256::digest(value.as_bytes()).into()
}

pub(crate) fn not_empty(what: &'static str, value: &str) -> Result<(), CredentialsError> {
    if value.is_empty() { Err(CredentialsError::Empty(what)) } else { Ok(()) }
}

/// Returns whether a credential is active at `now`; at the expiry itself it is not.
pub(crate) fn is_active(expires_at: Option<OffsetDateTime>, now: OffsetDateTime) -> bool {
    expires_at.is_none_or(|end| now < end)
}

/// A password of the marketplace, stored only as its SHA-256.
///
/// ```
/// use maitre_core::Password;
/// use time::macros::datetime;
///
/// let old = Password::new("last year's")?.with_expiry(datetime!(2026-03-01 0:00 UTC));
/// assert_eq!(format!("{old:?}"), "Password { expires_at: Some(2026-03-01 0:00:00.0 +00:00:00), .. }");
/// # Ok::<(), maitre_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct Password {
    digest: [u8; 32],
    expires_at: Option<OffsetDateTime>,
}

impl Password {
    /// Creates a password without expiry.
    ///
    /// # Errors
    /// Returns [`CredentialsError::Empty`] if it is empty.
    pub fn new(password: &str) -> Result<Self, CredentialsError> {
        not_empty("password", password)?;
        Ok(Self { digest: sha256(password), expires_at: None })
    }

    /// Creates a password from its SHA-256 in hex, so that a configuration file does not contain the password. It must be
    /// random and long, as a generated one is: the hash of a guessable password reveals it.
    ///
    /// ```
    /// use maitre_core::{Credentials, CredentialsError, Password};
    /// use time::OffsetDateTime;
    ///
    /// let hash = "03e3b97b1b2d0ed07eea65e72bcabdaa4cb46cab35a24d0c52ba6eab0de1f0ab";
    /// assert_eq!(Password::from_sha256("03e3").unwrap_err(), CredentialsError::NotSha256);
    /// let credentials = Credentials::with_passwords("lantern", [Password::from_sha256(hash)?])?;
    /// assert!(!credentials.verify("lantern", hash, OffsetDateTime::UNIX_EPOCH), "the hash is not the password");
    /// # Ok::<(), CredentialsError>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`CredentialsError::NotSha256`] if it is not 64 hex digits.
    pub fn from_sha256(hash: &str) -> Result<Self, CredentialsError> {
        let mut digest = [0; 32];
        hex::decode_to_slice(hash, &mut digest).map_err(|_| CredentialsError::NotSha256)?;
        if digest == sha256("") {
            return Err(CredentialsError::Empty("password"));
        }
        Ok(Self { digest, expires_at: None })
    }

    /// Reads a password of a configuration: `sha256:` and the hash in hex, or the password itself.
    ///
    /// # Errors
    /// Returns an error if the password is empty or the hash is invalid.
    pub fn from_config(text: &str) -> Result<Self, CredentialsError> {
        match text.strip_prefix("sha256:") {
            Some(hash) => Self::from_sha256(hash),
            None => Self::new(text),
        }
    }

    /// Reads one password per line, as [`Password::from_config`] does. Empty lines are skipped.
    ///
    /// ```
    /// use maitre_core::{CredentialsError, Password};
    ///
    /// assert_eq!(Password::parse_lines("newer\nolder\n")?.len(), 2);
    /// assert_eq!(Password::parse_lines("\n").unwrap_err(), CredentialsError::Empty("file of the secrets"));
    /// # Ok::<(), CredentialsError>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if the text contains no password or an invalid hash.
    pub fn parse_lines(text: &str) -> Result<Vec<Self>, CredentialsError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let passwords: Vec<_> = lines.map(Self::from_config).collect::<Result<_, _>>()?;
        at_least_one("file of the secrets", passwords)
    }

    /// Sets the first instant at which the password is rejected. A password with an end is an old one; see [`SecretUse`].
    #[must_use]
    pub fn with_expiry(mut self, expires_at: OffsetDateTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }
}

/// Secret that a caller has used. During a rotation it shows whether the marketplace has switched to the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretUse {
    /// A secret without an end.
    Current,
    /// A secret with an end, which is being replaced.
    Old,
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

pub(crate) fn at_least_one(
    what: &'static str,
    passwords: impl IntoIterator<Item = Password>,
) -> Result<Vec<Password>, CredentialsError> {
    let passwords: Vec<_> = passwords.into_iter().collect();
    if passwords.is_empty() { Err(CredentialsError::Empty(what)) } else { Ok(passwords) }
}

/// Compares with every password, so that the time does not reveal which one matched; `also` must be true as well.
pub(crate) fn secret_use(
    also: Choice,
    passwords: &[Password],
    sent: &[u8; 32],
    now: OffsetDateTime,
) -> Option<SecretUse> {
    let any_matches = |old: bool| {
        passwords.iter().fold(Choice::from(0), |found, password| {
            let counts = is_active(password.expires_at, now) && password.expires_at.is_some() == old;
            found | (password.digest.ct_eq(sent) & Choice::from(u8::from(counts)))
        })
    };
    let (current, old) = (any_matches(false) & also, any_matches(true) & also);
    if current.into() { Some(SecretUse::Current) } else { bool::from(old).then_some(SecretUse::Old) }
}

/// Returns the passwords of `new`, and the active ones of `old`: until their end, or else until `keep_until`.
pub(crate) fn replaced(
    old: &[Password],
    new: &[Password],
    now: OffsetDateTime,
    keep_until: OffsetDateTime,
) -> Vec<Password> {
    let is_new = |password: &Password| new.iter().any(|new| new.digest == password.digest);
    let kept = old.iter().filter(|old| !is_new(old) && is_active(old.expires_at, now));
    let kept = kept.map(|old| old.clone().with_expiry(old.expires_at.unwrap_or(keep_until)));
    new.iter().cloned().chain(kept).collect()
}
