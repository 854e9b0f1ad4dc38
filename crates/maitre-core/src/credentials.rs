//! Credentials shared by an add-on and its marketplace: passwords and salts, several of which may be active.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use subtle::ConstantTimeEq;
use time::OffsetDateTime;

use crate::password::{
    CredentialsError, Password, SecretUse, at_least_one, is_active, not_empty, replaced, secret_use, sha256,
};
use crate::reload::{Replaceable, overlap_end};
use crate::secret::Secret;

/// A salt for single sign-on tokens; see [`sso`](crate::sso).
///
/// ```
/// use maitre_core::Salt;
///
/// assert_eq!(format!("{:?}", Salt::new("0f1e2d3c4b5a6978")?), "Salt { expires_at: None, .. }");
/// # Ok::<(), maitre_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct Salt {
    value: Secret,
    expires_at: Option<OffsetDateTime>,
}

impl Salt {
    /// Creates a salt without expiry.
    ///
    /// # Errors
    /// Returns [`CredentialsError::Empty`] if it is empty.
    pub fn new(salt: &str) -> Result<Self, CredentialsError> {
        not_empty("salt", salt)?;
        Ok(Self { value: salt.into(), expires_at: None })
    }

    /// Sets the first instant at which tokens signed with this salt are rejected. A salt with an end is an old one; see
    /// [`SecretUse`].
    #[must_use]
    pub fn with_expiry(mut self, expires_at: OffsetDateTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Returns whether the salt has an end: it is being replaced.
    #[must_use]
    pub fn is_old(&self) -> bool {
        self.expires_at.is_some()
    }

    /// Returns whether tokens signed with this salt are accepted at `now`.
    #[must_use]
    pub fn is_active(&self, now: OffsetDateTime) -> bool {
        is_active(self.expires_at, now)
    }

    /// Returns the salt as text, for marketplaces whose tokens are signed in another way than [`sso`](crate::sso) knows.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.value.expose()
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Salt").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// The Basic credentials and salts of an add-on, from its manifest.
///
/// Several passwords and salts may be active, so that they can be rotated without downtime.
///
/// ```
/// use maitre_core::{Credentials, Password};
/// use time::macros::datetime;
///
/// let credentials = Credentials::new("lantern", "s3cr3t-example", "0f1e2d3c4b5a6978")?
///     .with_password(Password::new("older")?.with_expiry(datetime!(2026-03-01 0:00 UTC)));
///
/// let now = datetime!(2026-02-28 12:00 UTC);
/// assert!(credentials.verify("lantern", "s3cr3t-example", now));
/// assert!(credentials.verify("lantern", "older", now));
/// assert!(!credentials.verify("lantern", "older", datetime!(2026-03-01 0:00 UTC)));
/// # Ok::<(), maitre_core::CredentialsError>(())
/// ```
///
/// Clones share the passwords and salts, which [`replace`](Self::replace) replaces.
#[derive(Clone)]
pub struct Credentials {
    user: String,
    user_digest: [u8; 32],
    secrets: Replaceable<Secrets>,
}

#[derive(Clone)]
struct Secrets {
    passwords: Vec<Password>,
    salts: Arc<[Salt]>,
}

impl Credentials {
    /// Creates credentials with the Basic user (the add-on's slug), the current password and the current salt.
    ///
    /// # Errors
    /// Returns an error if one of them is empty or the user contains a colon.
    pub fn new(user: &str, password: &str, salt: &str) -> Result<Self, CredentialsError> {
        Ok(Self::without_single_sign_on(user, password)?.with_salt(Salt::new(salt)?))
    }

    /// Creates credentials without a salt, so that every sign-on token is refused.
    ///
    /// # Errors
    /// Returns an error if one of them is empty or the user contains a colon.
    pub fn without_single_sign_on(user: &str, password: &str) -> Result<Self, CredentialsError> {
        Self::with_passwords(user, [Password::new(password)?])
    }

    /// Creates credentials without a salt from passwords that may be hashes or have an end.
    ///
    /// # Errors
    /// Returns an error if `passwords` is empty, or if the user is empty or contains a colon.
    pub fn with_passwords(user: &str, passwords: impl IntoIterator<Item = Password>) -> Result<Self, CredentialsError> {
        not_empty("add-on's id", user)?;
        if user.contains(':') {
            return Err(CredentialsError::ColonInUser);
        }
        Ok(Self {
            user: user.to_owned(),
            user_digest: sha256(user),
            secrets: Replaceable::new(Secrets {
                passwords: at_least_one("password", passwords)?,
                salts: Arc::default(),
            }),
        })
    }

    /// Accepts another password.
    #[must_use]
    pub fn with_password(self, password: Password) -> Self {
        let mut secrets = (*self.secrets.get()).clone();
        secrets.passwords.push(password);
        Self { secrets: Replaceable::new(secrets), ..self }
    }

    /// Accepts tokens signed with another salt.
    #[must_use]
    pub fn with_salt(self, salt: Salt) -> Self {
        let mut secrets = (*self.secrets.get()).clone();
        secrets.salts = secrets.salts.iter().cloned().chain([salt]).collect();
        Self { secrets: Replaceable::new(secrets), ..self }
    }

    /// Replaces the passwords and salts in all clones by those of `new`. Those that are not among the new ones stay active,
    /// as old ones, until their end, or for `overlap` if they have none.
    ///
    /// ```
    /// use std::time::Duration;
    /// use maitre_core::{Credentials, SecretUse};
    /// use time::OffsetDateTime;
    ///
    /// let (credentials, now) = (Credentials::new("lantern", "older", "salt")?, OffsetDateTime::UNIX_EPOCH);
    /// let used = credentials.clone();
    /// credentials.replace(&Credentials::new("lantern", "newer", "salt")?, now, Duration::from_secs(60))?;
    /// assert_eq!(used.check("lantern", "newer", now), Some(SecretUse::Current));
    /// assert_eq!(used.check("lantern", "older", now), Some(SecretUse::Old));
    /// assert_eq!(used.check("lantern", "older", now + Duration::from_secs(60)), None);
    /// # Ok::<(), maitre_core::CredentialsError>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`CredentialsError::OtherUser`] if the user is another one.
    pub fn replace(&self, new: &Self, now: OffsetDateTime, overlap: Duration) -> Result<(), CredentialsError> {
        if new.user != self.user {
            return Err(CredentialsError::OtherUser);
        }
        let (old, new, keep_until) = (self.secrets.get(), new.secrets.get(), overlap_end(now, overlap));
        let is_new = |salt: &Salt| new.salts.iter().any(|new| new.expose() == salt.expose());
        let kept = old.salts.iter().filter(|old| !is_new(old) && old.is_active(now));
        let kept = kept.map(|old| old.clone().with_expiry(old.expires_at.unwrap_or(keep_until)));
        self.secrets.replace(Secrets {
            passwords: replaced(&old.passwords, &new.passwords, now, keep_until),
            salts: new.salts.iter().cloned().chain(kept).collect(),
        });
        Ok(())
    }

    /// Replaces only the passwords, as [`replace`](Self::replace) does.
    pub fn replace_passwords(&self, new: &[Password], now: OffsetDateTime, overlap: Duration) {
        let old = self.secrets.get();
        let passwords = replaced(&old.passwords, new, now, overlap_end(now, overlap));
        self.secrets.replace(Secrets { passwords, salts: old.salts.clone() });
    }

    /// Returns the Basic user: the add-on's slug.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Returns the salts for token verification.
    #[must_use]
    pub fn salts(&self) -> Arc<[Salt]> {
        self.secrets.get().salts.clone()
    }

    /// Returns whether user and password are correct, by RFC 7617 after decoding.
    ///
    /// Both sides are hashed, and both parts are always compared in constant time, so that timing reveals neither a
    /// correct user nor a similar password.
    #[must_use]
    pub fn verify(&self, user: &str, password: &str, now: OffsetDateTime) -> bool {
        self.check(user, password, now).is_some()
    }

    /// Like [`verify`](Self::verify), and tells which password was sent.
    ///
    /// ```
    /// use maitre_core::{Credentials, Password, SecretUse};
    /// use time::macros::datetime;
    ///
    /// let old = Password::new("older")?.with_expiry(datetime!(2026-03-01 0:00 UTC));
    /// let credentials = Credentials::new("lantern", "s3cr3t-example", "0f1e2d3c4b5a6978")?.with_password(old);
    /// let now = datetime!(2026-02-28 12:00 UTC);
    /// assert_eq!(credentials.check("lantern", "s3cr3t-example", now), Some(SecretUse::Current));
    /// assert_eq!(credentials.check("lantern", "older", now), Some(SecretUse::Old));
    /// assert_eq!(credentials.check("lantern", "oldest", now), None);
    /// # Ok::<(), maitre_core::CredentialsError>(())
    /// ```
    #[must_use]
    pub fn check(&self, user: &str, password: &str, now: OffsetDateTime) -> Option<SecretUse> {
        let user = self.user_digest.ct_eq(&sha256(user));
        secret_use(user, &self.secrets.get().passwords, &sha256(password), now)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .field("passwords", &self.secrets.get().passwords)
            .field("salts", &self.salts())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared_secret::SharedSecret;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-03-04 5:06:07 UTC);

    fn credentials() -> Credentials {
        Credentials::new("lantern", "s3cr3t:exämple", "salt").unwrap()
    }

    #[test]
    fn only_the_correct_pair_is_accepted() {
        assert!(credentials().verify("lantern", "s3cr3t:exämple", NOW));
        for (user, password) in [
            ("lantern", ""),
            ("", "s3cr3t:exämple"),
            ("", ""),
            ("Lantern", "s3cr3t:exämple"),
            ("lantern", "s3cr3t:exämple "),
            ("lantern:s3cr3t", "exämple"),
        ] {
            assert!(!credentials().verify(user, password, NOW), "{user}:{password}");
        }
    }

    #[test]
    fn a_password_is_valid_until_its_expiry() {
        let both = credentials().with_password(Password::new("old").unwrap().with_expiry(NOW));
        assert!(both.verify("lantern", "old", NOW - time::Duration::nanoseconds(1)));
        assert!(!both.verify("lantern", "old", NOW));
        assert!(both.verify("lantern", "s3cr3t:exämple", NOW));
    }

    #[test]
    fn a_password_is_verified_by_its_hash() {
        let hash = hex::encode(sha256("s3cr3t"));
        for configured in [hash.clone(), hash.to_uppercase()] {
            let credentials = Credentials::with_passwords("lantern", [Password::from_sha256(&configured).unwrap()]);
            let credentials = credentials.unwrap();
            assert!(credentials.verify("lantern", "s3cr3t", NOW));
            assert!(!credentials.verify("lantern", &hash, NOW) && !credentials.verify("lantern", "", NOW));
        }
        let secrets = [Password::from_config(&format!("sha256:{hash}")), Password::from_config("melon")];
        let secrets = SharedSecret::from_passwords(secrets.map(Result::unwrap)).unwrap();
        assert!(secrets.verify("s3cr3t", NOW) && secrets.verify("melon", NOW) && !secrets.verify("sha256:", NOW));
        for hash in ["", "00", &"g".repeat(64), &"0".repeat(65)] {
            assert_eq!(Password::from_sha256(hash).unwrap_err(), CredentialsError::NotSha256);
        }
        let empty = Password::from_sha256(&hex::encode(sha256(""))).unwrap_err();
        assert_eq!(empty, CredentialsError::Empty("password"), "the hash of an empty password");
    }

    #[test]
    fn empty_parts_are_rejected_at_construction() {
        for (user, password, salt) in [("", "p", "s"), ("u", "", "s"), ("u", "p", "")] {
            assert!(matches!(Credentials::new(user, password, salt), Err(CredentialsError::Empty(_))));
        }
        assert_eq!(Credentials::new("a:b", "p", "s").unwrap_err(), CredentialsError::ColonInUser);
        assert_eq!(SharedSecret::new("").unwrap_err(), CredentialsError::Empty("shared secret"));
        assert_eq!(SharedSecret::from_passwords([]).unwrap_err(), CredentialsError::Empty("shared secret"));
        assert_eq!(Credentials::with_passwords("a", []).unwrap_err(), CredentialsError::Empty("password"));
    }

    #[test]
    fn debug_shows_the_user_and_no_secret() {
        let shown = format!("{:?} {:?}", credentials(), SharedSecret::new("melon-9").unwrap());
        assert!(shown.contains("lantern"));
        for secret in ["s3cr3t", "\"salt\"", "melon"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
