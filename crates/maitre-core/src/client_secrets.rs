//! OAuth client secrets, several of which may be active.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;

use crate::password::{CredentialsError, is_active, not_empty};
use crate::reload::{Reload, ReloadError, Replaceable, overlap_end};
use crate::secret::Secret;

/// An OAuth client secret, for marketplaces whose API an add-on calls, or whose webhooks it signs.
///
/// ```
/// use maitre_core::ClientSecret;
///
/// assert_eq!(format!("{:?}", ClientSecret::new("s3cr3t-example")?), "ClientSecret { expires_at: None, .. }");
/// # Ok::<(), maitre_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct ClientSecret {
    value: Secret,
    expires_at: Option<OffsetDateTime>,
}

impl ClientSecret {
    /// Creates a client secret without expiry.
    ///
    /// # Errors
    /// Returns [`CredentialsError::Empty`] if it is empty.
    pub fn new(secret: impl Into<Secret>) -> Result<Self, CredentialsError> {
        let value = secret.into();
        not_empty("client secret", value.expose())?;
        Ok(Self { value, expires_at: None })
    }

    /// Sets the first instant at which the secret is no longer used. A secret with an end is an old one; see
    /// [`SecretUse`](crate::SecretUse).
    #[must_use]
    pub fn with_expiry(mut self, expires_at: OffsetDateTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Returns whether the secret has an end: it is being replaced.
    #[must_use]
    pub fn is_old(&self) -> bool {
        self.expires_at.is_some()
    }

    /// Returns the secret as text.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.value.expose()
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecret").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// The client secrets of an add-on, the current ones first. Clones share them.
///
/// ```
/// use std::time::Duration;
/// use maitre_core::{ClientSecret, ClientSecrets, Reload};
/// use time::OffsetDateTime;
///
/// let (secrets, now) = (ClientSecrets::new(ClientSecret::new("older")?), OffsetDateTime::UNIX_EPOCH);
/// secrets.reload("newer\n", now, Duration::from_secs(60))?;
/// let shown = |at| secrets.active(at).iter().map(|it| (it.expose().to_owned(), it.is_old())).collect::<Vec<_>>();
/// assert_eq!(shown(now), [("newer".to_owned(), false), ("older".to_owned(), true)]);
/// assert_eq!(shown(now + Duration::from_secs(60)), [("newer".to_owned(), false)]);
/// assert_eq!(secrets.attempts(now).len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientSecrets(Replaceable<Vec<ClientSecret>>);

impl ClientSecrets {
    /// Creates it with one secret.
    #[must_use]
    pub fn new(secret: ClientSecret) -> Self {
        Self(Replaceable::new(vec![secret]))
    }

    /// Adds another secret, for a rotation. One without an end comes before the old ones.
    #[must_use]
    pub fn with_secret(self, secret: ClientSecret) -> Self {
        let mut secrets = self.0.get().to_vec();
        secrets.push(secret);
        secrets.sort_by_key(ClientSecret::is_old);
        Self(Replaceable::new(secrets))
    }

    /// Returns the secrets that are active at `now`, the current ones first.
    #[must_use]
    pub fn active(&self, now: OffsetDateTime) -> Vec<ClientSecret> {
        self.0.get().iter().filter(|secret| is_active(secret.expires_at, now)).cloned().collect()
    }

    /// Returns the secrets for the attempts of a call that is refused with a wrong one, in this order: those that are active,
    /// and the current one again, as the marketplace may change to it between the attempts.
    #[must_use]
    pub fn attempts(&self, now: OffsetDateTime) -> Vec<ClientSecret> {
        let mut secrets = self.active(now);
        if let [current, _, ..] = &secrets[..] {
            secrets.push(current.clone());
        }
        secrets
    }
}

/// The text has one client secret per line, the current one first.
impl Reload for ClientSecrets {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut secrets: Vec<_> = lines.map(ClientSecret::new).collect::<Result<_, _>>().map_err(ReloadError::new)?;
        if secrets.is_empty() {
            return Err(ReloadError::new("the file contains no client secret: copy it from the marketplace's portal"));
        }
        let until = overlap_end(now, overlap);
        for mut old in self.active(now) {
            if secrets.iter().all(|new| new.expose() != old.expose()) {
                old.expires_at.get_or_insert(until);
                secrets.push(old);
            }
        }
        self.0.replace(secrets);
        Ok(())
    }
}
