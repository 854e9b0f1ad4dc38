//! Client of a marketplace with Basic credentials and a signed sign-on.

use anyhow::bail;
use maitre_conformance::Marketplace;
use maitre_testkit::{Call, CleverCloud, DigitalOcean, Json, Scalingo, SignOn, SignedForm};
use serde_json::Value;

/// `DigitalOcean`, `CleverCloud` or `Scalingo`.
pub(crate) enum BasicClient {
    DigitalOcean(DigitalOcean),
    CleverCloud(CleverCloud),
    Scalingo(Scalingo),
}

impl BasicClient {
    /// Returns the client of a marketplace, or `None` if it is another one.
    pub(crate) fn new(marketplace: Marketplace, root: &str, user: &str, password: &str, salt: &str) -> Option<Self> {
        Some(match marketplace {
            Marketplace::DigitalOcean => Self::DigitalOcean(DigitalOcean::new(root, user, password, salt)),
            Marketplace::CleverCloud => Self::CleverCloud(CleverCloud::new(root, user, password, salt)),
            Marketplace::Scalingo => Self::Scalingo(Scalingo::new(root, user, password, salt)),
            _ => return None,
        })
    }

    pub(crate) fn provision(&self, plan: &str, options: Value) -> Call<Json> {
        match self {
            Self::DigitalOcean(it) => it.provision(plan).set("metadata", options),
            Self::CleverCloud(it) => it.provision(plan).set("options", options),
            Self::Scalingo(it) => it.provision(plan).set("options", options),
        }
    }

    pub(crate) fn plan_change(&self, id: &str, plan: &str) -> Call<Json> {
        match self {
            Self::DigitalOcean(it) => it.plan_change(id, plan),
            Self::CleverCloud(it) => it.plan_change(id, plan),
            Self::Scalingo(it) => it.plan_change(id, plan),
        }
    }

    pub(crate) fn deprovision(&self, id: &str) -> Call<Json> {
        match self {
            Self::DigitalOcean(it) => it.deprovision(id),
            Self::CleverCloud(it) => it.deprovision(id),
            Self::Scalingo(it) => it.deprovision(id),
        }
    }

    /// Returns a suspension.
    ///
    /// # Errors
    /// Returns an error if the marketplace has none.
    pub(crate) fn suspend(&self, id: &str) -> anyhow::Result<Call<Json>> {
        Ok(match self {
            Self::DigitalOcean(it) => it.suspended([id]),
            Self::CleverCloud(_) => bail!("Clever Cloud does not suspend resources"),
            Self::Scalingo(it) => it.suspend(id),
        })
    }

    /// Returns the end of a suspension.
    ///
    /// # Errors
    /// Returns an error if the marketplace has none.
    pub(crate) fn resume(&self, id: &str) -> anyhow::Result<Call<Json>> {
        Ok(match self {
            Self::DigitalOcean(it) => it.reactivated([id]),
            Self::CleverCloud(_) => bail!("Clever Cloud does not suspend resources"),
            Self::Scalingo(it) => it.resume(id),
        })
    }

    /// Returns the form or the link of a sign-on.
    pub(crate) fn single_sign_on(&self, id: &str, provider_id: Option<&str>) -> Call<SignOn<SignedForm>> {
        match self {
            // DigitalOcean names a resource by its own key
            Self::DigitalOcean(it) => it.single_sign_on(id),
            Self::CleverCloud(it) => it.single_sign_on(provider_id.unwrap_or(id)),
            Self::Scalingo(it) => it.single_sign_on(provider_id.unwrap_or(id)),
        }
    }
}
