//! Client secrets, several of which may be active.

use std::time::Duration;

use maitre_core::{Reload, ReloadError, Replaceable, Secret, overlap_end};
use time::OffsetDateTime;

use crate::{Client, Error};

/// A client secret; an old one has an end.
#[derive(Clone)]
pub(crate) struct ClientSecret {
    pub(crate) value: Secret,
    pub(crate) expires_at: Option<OffsetDateTime>,
}

impl ClientSecret {
    pub(crate) fn new(value: Secret, expires_at: Option<OffsetDateTime>) -> Self {
        Self { value, expires_at }
    }

    pub(crate) fn is_active(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    pub(crate) fn is_old(&self) -> bool {
        self.expires_at.is_some()
    }
}

/// The secrets of a client, the current ones first. Clones share them.
#[derive(Clone)]
pub(crate) struct ClientSecrets(Replaceable<Vec<ClientSecret>>);

impl ClientSecrets {
    pub(crate) fn new(secrets: Vec<ClientSecret>) -> Result<Self, Error> {
        if secrets.iter().any(|secret| secret.value.expose().is_empty()) {
            return Err(Error::setup("the client secret is empty: copy it from Heroku's partner portal"));
        }
        Ok(Self(Replaceable::new(secrets)))
    }

    pub(crate) fn active(&self, now: OffsetDateTime) -> Vec<ClientSecret> {
        self.0.get().iter().filter(|secret| secret.is_active(now)).cloned().collect()
    }
}

/// The text has one client secret per line, the current one first. An old one is used if Heroku does not accept the current
/// one.
///
/// ```
/// use std::time::Duration;
/// use maitre_core::Reload;
/// use maitre_heroku_api::Client;
///
/// let client = Client::builder("older").build()?;
/// client.reload("newer\n", client.now(), Duration::from_secs(3600))?;
/// assert!(client.reload("\n", client.now(), Duration::ZERO).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Reload for Client {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut secrets: Vec<_> = lines.map(|line| ClientSecret::new(line.into(), None)).collect();
        if secrets.is_empty() {
            return Err(ReloadError::new("there is no client secret: copy it from Heroku's partner portal"));
        }
        let until = overlap_end(now, overlap);
        for mut old in self.0.client_secrets.active(now) {
            if secrets.iter().all(|new| new.value.expose() != old.value.expose()) {
                old.expires_at.get_or_insert(until);
                secrets.push(old);
            }
        }
        self.0.client_secrets.0.replace(secrets);
        Ok(())
    }
}
