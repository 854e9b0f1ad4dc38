//! Secrets that are sent in a header.

use std::fmt;
use std::time::Duration;

use subtle::Choice;
use time::OffsetDateTime;

use crate::password::{CredentialsError, Password, SecretUse, at_least_one, not_empty, replaced, secret_use, sha256};
use crate::reload::{Reload, ReloadError, Replaceable, overlap_end};

/// A secret sent in a header, without a user. Several may be active.
///
/// ```
/// use maitre_core::SharedSecret;
/// use time::OffsetDateTime;
///
/// let secret = SharedSecret::new("melon-9")?;
/// assert!(secret.verify("melon-9", OffsetDateTime::UNIX_EPOCH));
/// assert!(!secret.verify("", OffsetDateTime::UNIX_EPOCH));
/// # Ok::<(), maitre_core::CredentialsError>(())
/// ```
///
/// Clones share the secrets, which [`reload`](crate::Reload::reload) replaces.
#[derive(Clone)]
pub struct SharedSecret {
    passwords: Replaceable<Vec<Password>>,
}

impl SharedSecret {
    /// Creates it with the current secret.
    ///
    /// # Errors
    /// Returns [`CredentialsError::Empty`] if it is empty: a missing header would match it.
    pub fn new(secret: &str) -> Result<Self, CredentialsError> {
        not_empty("shared secret", secret)?;
        Self::from_passwords([Password::new(secret)?])
    }

    /// Creates it with these secrets, which may be hashes.
    ///
    /// # Errors
    /// Returns [`CredentialsError::Empty`] if there is none.
    pub fn from_passwords(secrets: impl IntoIterator<Item = Password>) -> Result<Self, CredentialsError> {
        Ok(Self { passwords: Replaceable::new(at_least_one("shared secret", secrets)?) })
    }

    /// Accepts another secret, during a rotation.
    #[must_use]
    pub fn with_secret(self, secret: Password) -> Self {
        let mut passwords = self.passwords.get().to_vec();
        passwords.push(secret);
        Self { passwords: Replaceable::new(passwords) }
    }

    /// Returns whether an active secret was sent, in constant time for all wrong ones.
    #[must_use]
    pub fn verify(&self, sent: &str, now: OffsetDateTime) -> bool {
        self.check(sent, now).is_some()
    }

    /// Like [`verify`](Self::verify), and tells which secret was sent.
    #[must_use]
    pub fn check(&self, sent: &str, now: OffsetDateTime) -> Option<SecretUse> {
        secret_use(Choice::from(1), &self.passwords.get(), &sha256(sent), now)
    }
}

/// The text has one secret per line, as [`Password::from_config`] reads it.
///
/// ```
/// use std::time::Duration;
/// use maitre_core::{Reload, SecretUse, SharedSecret};
/// use time::OffsetDateTime;
///
/// let (secret, now) = (SharedSecret::new("melon-9")?, OffsetDateTime::UNIX_EPOCH);
/// secret.reload("melon-10\n", now, Duration::from_secs(60))?;
/// assert_eq!(secret.check("melon-10", now), Some(SecretUse::Current));
/// assert_eq!(secret.check("melon-9", now), Some(SecretUse::Old));
/// assert_eq!(secret.check("melon-9", now + Duration::from_secs(60)), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Reload for SharedSecret {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        let new = Password::parse_lines(text).map_err(ReloadError::new)?;
        self.passwords.replace(replaced(&self.passwords.get(), &new, now, overlap_end(now, overlap)));
        Ok(())
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSecret").field("passwords", &self.passwords.get()).finish()
    }
}
