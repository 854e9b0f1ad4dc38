//! The port by which a ledger follows Heroku.

use std::time::Duration;

use maitre_core::{AddonId, Errand, Failure, Follow, Later, Outcome, Provision, Ran, ResourceId};
use tokio::time::timeout;

use crate::{Platform, grant::GRANT, rotation::ROTATION, webhooks::EVENT};

/// As long as Heroku is being told something, nobody else can have the resource, and a removal must not wait for long.
const TELLING_TAKES: Duration = Duration::from_secs(10);

/// How long Heroku waits for the end of what was answered 202 (its article on asynchronous provisioning).
const PATIENCE: Duration = Duration::from_hours(12);

impl Follow for Platform {
    fn beside(&self, provision: &Provision) -> Option<Errand> {
        self.exchange_of(provision)
    }

    fn run<'a>(&'a self, addon: &'a AddonId, errand: &'a Errand) -> Later<'a, Ran> {
        Box::pin(async move {
            self.is_of(addon)?;
            match (errand.kind.as_str(), &errand.resource) {
                (GRANT, Some(resource)) => self.exchange(resource, &errand.payload).await.map(|()| Ran::Done),
                (ROTATION, Some(resource)) => self.rotation_step(resource, &errand.payload).await,
                (EVENT, _) => self.handle_event(&errand.payload).await.map(|()| Ran::Done),
                (kind, _) => Err(Failure::refused(format!("there is no errand of the kind {kind} at Heroku"))),
            }
        })
    }

    fn tell<'a>(&'a self, addon: &'a AddonId, resource: &'a ResourceId, outcome: Outcome<'a>) -> Later<'a, ()> {
        Box::pin(async move {
            self.is_of(addon)?;
            let told = timeout(TELLING_TAKES, self.tell_outcome(resource, outcome)).await;
            let told = told.map_err(|_| Failure::unavailable("Heroku takes too long"))?;
            told.map_err(crate::Error::into_failure)
        })
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }
}

impl Platform {
    fn is_of(&self, addon: &AddonId) -> maitre_core::Result<()> {
        let own = &self.0.addon;
        if addon == own {
            return Ok(());
        }
        Err(Failure::refused(format!("this platform is that of {own}, not of {addon}: give each add-on its own")))
    }
}
