//! Credentials shared by an add-on and its marketplace: passwords and salts, several of which may be active.

use std::fmt;

use crate::secret::Secret;
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
            Self::NotSha256 => f.write_str(
                "the hash of a password is not 64 hex digits: print it with `printf %s \"$PASSWORD\" | sha256sum`",
            ),
        }
    }
}

impl std::error::Error for CredentialsError {}

fn sha256(value: &str) -> [u8; 32] {
    Sha256::digest(value.as_bytes()).into()
}

fn not_empty(what: &'static str, value: &str) -> Result<(), CredentialsError> {
    if value.is_empty() { Err(CredentialsError::Empty(what)) } else { Ok(()) }
}

/// Returns whether a credential is active at `now`; at the expiry itself it is not.
fn is_active(expires_at: Option<OffsetDateTime>, now: OffsetDateTime) -> bool {
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
#[derive(Clone, Debug)]
pub struct SharedSecret {
    passwords: Vec<Password>,
}

impl SharedSecret {
    /// Creates it with the current secret.
    ///
    /// # Errors
    /// Returns [`CredentialsError::Empty`] if it is empty: a missing header would match it.
    pub fn new(secret: &str) -> Result<Self, CredentialsError> {
        not_empty("shared secret", secret)?;
        Ok(Self { passwords: vec![Password::new(secret)?] })
    }

    /// Creates it with these secrets, which may be hashes.
    ///
    /// # Errors
    /// Returns [`CredentialsError::Empty`] if there is none.
    pub fn from_passwords(secrets: impl IntoIterator<Item = Password>) -> Result<Self, CredentialsError> {
        Ok(Self { passwords: at_least_one("shared secret", secrets)? })
    }

    /// Accepts another secret, during a rotation.
    #[must_use]
    pub fn with_secret(mut self, secret: Password) -> Self {
        self.passwords.push(secret);
        self
    }

    /// Returns whether an active secret was sent, in constant time for all wrong ones.
    #[must_use]
    pub fn verify(&self, sent: &str, now: OffsetDateTime) -> bool {
        self.check(sent, now).is_some()
    }

    /// Like [`verify`](Self::verify), and tells which secret was sent.
    #[must_use]
    pub fn check(&self, sent: &str, now: OffsetDateTime) -> Option<SecretUse> {
        secret_use(Choice::from(1), &self.passwords, &sha256(sent), now)
    }
}

fn at_least_one(
    what: &'static str,
    passwords: impl IntoIterator<Item = Password>,
) -> Result<Vec<Password>, CredentialsError> {
    let passwords: Vec<_> = passwords.into_iter().collect();
    if passwords.is_empty() { Err(CredentialsError::Empty(what)) } else { Ok(passwords) }
}

/// Compares with every password, so that the time does not reveal which one matched; `also` must be true as well.
fn secret_use(also: Choice, passwords: &[Password], sent: &[u8; 32], now: OffsetDateTime) -> Option<SecretUse> {
    let any_matches = |old: bool| {
        passwords.iter().fold(Choice::from(0), |found, password| {
            let counts = is_active(password.expires_at, now) && password.expires_at.is_some() == old;
            found | (password.digest.ct_eq(sent) & Choice::from(u8::from(counts)))
        })
    };
    let (current, old) = (any_matches(false) & also, any_matches(true) & also);
    if current.into() { Some(SecretUse::Current) } else { bool::from(old).then_some(SecretUse::Old) }
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
#[derive(Clone)]
pub struct Credentials {
    user: String,
    user_digest: [u8; 32],
    passwords: Vec<Password>,
    salts: Vec<Salt>,
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
    /// Returns an error if there is no password, or if the user is empty or contains a colon.
    pub fn with_passwords(user: &str, passwords: impl IntoIterator<Item = Password>) -> Result<Self, CredentialsError> {
        not_empty("add-on's id", user)?;
        if user.contains(':') {
            return Err(CredentialsError::ColonInUser);
        }
        Ok(Self {
            user: user.to_owned(),
            user_digest: sha256(user),
            passwords: at_least_one("password", passwords)?,
            salts: Vec::new(),
        })
    }

    /// Accepts another password.
    #[must_use]
    pub fn with_password(mut self, password: Password) -> Self {
        self.passwords.push(password);
        self
    }

    /// Accepts tokens signed with another salt.
    #[must_use]
    pub fn with_salt(mut self, salt: Salt) -> Self {
        self.salts.push(salt);
        self
    }

    /// Returns the Basic user: the add-on's slug.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Returns the salts for token verification.
    #[must_use]
    pub fn salts(&self) -> &[Salt] {
        &self.salts
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
        secret_use(user, &self.passwords, &sha256(password), now)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .field("passwords", &self.passwords)
            .field("salts", &self.salts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
