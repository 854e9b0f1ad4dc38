//! Client secrets, several of which may be active.

use maitre_core::{Replaceable, Secret};
use maitre_http::CallError;
use time::OffsetDateTime;

use crate::Error;

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
            return Err(CallError::setup("the client secret is empty: copy it from Heroku's partner portal").into());
        }
        Ok(Self(Replaceable::new(secrets)))
    }

    pub(crate) fn replace(&self, secrets: Vec<ClientSecret>) {
        self.0.replace(secrets);
    }

    pub(crate) fn active(&self, now: OffsetDateTime) -> Vec<ClientSecret> {
        self.0.get().iter().filter(|secret| secret.is_active(now)).cloned().collect()
    }
}
