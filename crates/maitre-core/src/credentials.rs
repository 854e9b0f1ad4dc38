//! What an add-on and its marketplace know of each other: passwords and salts, several at a time.

use std::fmt;

use crate::secret::Secret;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use time::OffsetDateTime;

/// What can be wrong with a password, salt or secret, told before the first request comes.
///
/// ```
/// use maitre_core::{CredentialsError, Salt};
///
/// assert_eq!(Salt::new("").unwrap_err(), CredentialsError::Empty("salt"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The named part is empty. With an empty password anyone gets in; with an empty salt anyone can sign.
    Empty(&'static str),
    /// The Basic user holds a colon, which ends the user part of the header (RFC 7617, section 2).
    ColonInUser,
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(what) => {
                write!(f, "the {what} is empty: take the one from the add-on manifest, or draw 32 random characters")
            }
            Self::ColonInUser => f.write_str(
                "the add-on's id holds a colon, so no Basic header can carry it: use the slug of the manifest",
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

/// Whether something that ends at `until` still counts at `now`; the end itself does not.
fn is_live(until: Option<OffsetDateTime>, now: OffsetDateTime) -> bool {
    until.is_none_or(|end| now < end)
}

/// A password that the marketplace may send, kept as its SHA-256 alone.
///
/// ```
/// use maitre_core::Password;
/// use time::macros::datetime;
///
/// let leaving = Password::new("last year's")?.with_expiry(datetime!(2026-03-01 0:00 UTC));
/// assert_eq!(format!("{leaving:?}"), "Password { until: Some(2026-03-01 0:00:00.0 +00:00:00), .. }");
/// # Ok::<(), maitre_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct Password {
    digest: [u8; 32],
    until: Option<OffsetDateTime>,
}

impl Password {
    /// A password without an end.
    ///
    /// # Errors
    /// [`CredentialsError::Empty`] for an empty one.
    pub fn new(password: &str) -> Result<Self, CredentialsError> {
        not_empty("password", password)?;
        Ok(Self { digest: sha256(password), until: None })
    }

    /// The first instant at which this password is refused.
    #[must_use]
    pub fn with_expiry(mut self, end: OffsetDateTime) -> Self {
        self.until = Some(end);
        self
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password").field("until", &self.until).finish_non_exhaustive()
    }
}

/// A salt that single sign-on tokens may be signed with; see [`sso`](crate::sso).
///
/// ```
/// use maitre_core::Salt;
///
/// assert_eq!(format!("{:?}", Salt::new("0f1e2d3c4b5a6978")?), "Salt { until: None, .. }");
/// # Ok::<(), maitre_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct Salt {
    value: Secret,
    until: Option<OffsetDateTime>,
}

impl Salt {
    /// A salt without an end.
    ///
    /// # Errors
    /// [`CredentialsError::Empty`] for an empty one.
    pub fn new(salt: &str) -> Result<Self, CredentialsError> {
        not_empty("salt", salt)?;
        Ok(Self { value: salt.into(), until: None })
    }

    /// The first instant at which tokens made with this salt are refused.
    #[must_use]
    pub fn with_expiry(mut self, end: OffsetDateTime) -> Self {
        self.until = Some(end);
        self
    }

    pub(crate) fn is_live(&self, now: OffsetDateTime) -> bool {
        is_live(self.until, now)
    }

    pub(crate) fn expose(&self) -> &str {
        self.value.expose()
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Salt").field("until", &self.until).finish_non_exhaustive()
    }
}

/// A secret that arrives alone in a header, without a user beside it. Several may be live.
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
    live: Vec<Password>,
}

impl SharedSecret {
    /// The secret that the marketplace sends today.
    ///
    /// # Errors
    /// [`CredentialsError::Empty`] for an empty one: a missing header would equal it.
    pub fn new(secret: &str) -> Result<Self, CredentialsError> {
        not_empty("shared secret", secret)?;
        Ok(Self { live: vec![Password::new(secret)?] })
    }

    /// Accepts one more, for the time of a switch.
    #[must_use]
    pub fn with_secret(mut self, secret: Password) -> Self {
        self.live.push(secret);
        self
    }

    /// Whether one of the live secrets was sent; takes the same time for any wrong one.
    #[must_use]
    pub fn verify(&self, sent: &str, now: OffsetDateTime) -> bool {
        any_admits(&self.live, &sha256(sent), now).into()
    }
}

/// Every password is compared, whatever the ones before it said: the time must not tell which one was near.
fn any_admits(passwords: &[Password], sent: &[u8; 32], now: OffsetDateTime) -> Choice {
    passwords.iter().fold(Choice::from(0), |found, password| {
        let live = Choice::from(u8::from(is_live(password.until, now)));
        found | (password.digest.ct_eq(sent) & live)
    })
}

/// The Basic credentials and salts of one add-on, as its manifest holds them.
///
/// Several passwords and salts may be live at once, so that they can be changed on one side after the other.
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
    /// The Basic user (the add-on's slug), today's password and today's salt.
    ///
    /// # Errors
    /// [`CredentialsError`] when one of them is empty or the user holds a colon.
    pub fn new(user: &str, password: &str, salt: &str) -> Result<Self, CredentialsError> {
        not_empty("add-on's id", user)?;
        if user.contains(':') {
            return Err(CredentialsError::ColonInUser);
        }
        Ok(Self {
            user: user.to_owned(),
            user_digest: sha256(user),
            passwords: vec![Password::new(password)?],
            salts: vec![Salt::new(salt)?],
        })
    }

    /// Accepts one more password.
    #[must_use]
    pub fn with_password(mut self, password: Password) -> Self {
        self.passwords.push(password);
        self
    }

    /// Accepts tokens that are signed with one more salt.
    #[must_use]
    pub fn with_salt(mut self, salt: Salt) -> Self {
        self.salts.push(salt);
        self
    }

    /// The Basic user: the add-on's slug.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The salts that tokens are verified with.
    #[must_use]
    pub fn salts(&self) -> &[Salt] {
        &self.salts
    }

    /// Whether user and password are the add-on's, by RFC 7617 after decoding.
    ///
    /// Both sides are hashed, both halves are always compared, and in constant time: neither a right user with a
    /// wrong password nor a near miss can be told from any other refusal by a clock.
    #[must_use]
    pub fn verify(&self, user: &str, password: &str, now: OffsetDateTime) -> bool {
        let user = self.user_digest.ct_eq(&sha256(user));
        (user & any_admits(&self.passwords, &sha256(password), now)).into()
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
    fn only_the_right_pair_gets_in() {
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
    fn a_password_counts_up_to_its_end_and_not_at_it() {
        let both = credentials().with_password(Password::new("old").unwrap().with_expiry(NOW));
        assert!(both.verify("lantern", "old", NOW - time::Duration::nanoseconds(1)));
        assert!(!both.verify("lantern", "old", NOW));
        assert!(both.verify("lantern", "s3cr3t:exämple", NOW));
    }

    #[test]
    fn empty_parts_are_refused_when_they_are_set_up() {
        for (user, password, salt) in [("", "p", "s"), ("u", "", "s"), ("u", "p", "")] {
            assert!(matches!(Credentials::new(user, password, salt), Err(CredentialsError::Empty(_))));
        }
        assert_eq!(Credentials::new("a:b", "p", "s").unwrap_err(), CredentialsError::ColonInUser);
        assert_eq!(SharedSecret::new("").unwrap_err(), CredentialsError::Empty("shared secret"));
    }

    #[test]
    fn debug_names_the_user_and_no_secret() {
        let shown = format!("{:?} {:?}", credentials(), SharedSecret::new("melon-9").unwrap());
        assert!(shown.contains("lantern"));
        for secret in ["s3cr3t", "\"salt\"", "melon"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
