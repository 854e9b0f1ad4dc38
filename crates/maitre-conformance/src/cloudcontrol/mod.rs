//! cloudControl's contract: the add-on as cloudControl met it, and the checks.

mod checks;
mod sso;

use std::time::Duration;

use maitre_testkit::{Call, CloudControl, Json, cloudcontrol};

use crate::address::Address;
use crate::check::{Capability, Case, Clause, Source};
use crate::error::CannotRun;
use crate::made::{self, Made, Ways};
use crate::marketplace::Marketplace;
use crate::run;
use crate::seen::Seen;
use crate::sign_on::Door;
use crate::suite::Given;
use crate::verdict::Stop;
use crate::wire::Wire;

/// The add-on under test.
pub(crate) struct Subject {
    wire: Wire,
    market: CloudControl,
    browser: CloudControl,
    sso: Option<Door>,
    config_vars: Vec<String>,
    slug: String,
    salt: String,
    root: String,
    plans: Vec<String>,
}

/// A resource that was ordered.
struct Resource {
    id: String,
    seen: Seen,
}

impl Subject {
    pub(crate) fn new(
        given: &Given,
        address: Address,
        plans: Vec<String>,
        patience: Duration,
    ) -> Result<Self, CannotRun> {
        let (slug, password, salt) = (given.manifest.id.clone(), given.password()?, given.salt());
        if plans.is_empty() || plans.iter().any(String::is_empty) {
            return Err(CannotRun::new("name the plans that the add-on sells: --plan basic,premium"));
        }
        let market = CloudControl::new(&address.root, &slug, &password, &salt);
        let remover = market.clone();
        let ways = Ways {
            collection: format!("{}/resources", address.root),
            key: None,
            remove: Box::new(move |id| remover.deprovision(id)),
        };
        let sso = address.sso.as_deref().map(Door::at);
        let origin = sso.as_ref().map_or("", |door| &door.origin);
        Ok(Self {
            wire: Wire::new(patience, vec![password.clone(), salt.clone()], Made::new(ways)),
            browser: CloudControl::new(origin, &slug, &password, &salt),
            market,
            sso,
            config_vars: given.manifest.api.config_vars.clone(),
            slug,
            salt,
            root: address.root,
            plans,
        })
    }

    fn plan(&self) -> &str {
        &self.plans[0]
    }

    fn order(&self) -> Call<cloudcontrol::Provision> {
        self.market.provision(self.plan())
    }

    async fn ordered(&self) -> Result<Resource, Stop> {
        let seen = self.wire.send(self.order()).await?;
        let id = seen.value().and_then(|body| made::text(&body["id"])).filter(|id| !id.is_empty());
        match id {
            Some(id) if seen.is_success() => Ok(Resource { id, seen }),
            _ => Err(Stop::skipped(format!(
                "there is nothing to try it on: a provision is answered {} (see cloudcontrol.provision.succeeds)",
                seen.status()
            ))),
        }
    }

    fn plan_change(&self, id: &str) -> Call<Json> {
        self.market.plan_change(id, self.plans.get(1).map_or(self.plan(), String::as_str))
    }

    fn door(&self) -> Result<&Door, Stop> {
        self.sso.as_ref().ok_or_else(|| Stop::skipped("the manifest names no sso_url"))
    }
}

const fn program(says: &'static str) -> Clause {
    Clause { source: Source::Archive("cloudControl add-on provider program"), says }
}

/// cloudControl's own sample providers.
const fn sample(says: &'static str) -> Clause {
    Clause { source: Source::Code("cloudControl/provisional-python"), says }
}

const fn php_sample(says: &'static str) -> Clause {
    Clause { source: Source::Code("cloudControl/provisional"), says }
}

const fn practice(says: &'static str) -> Clause {
    Clause { source: Source::Practice, says }
}

impl run::Subject for Subject {
    const MARKETPLACE: Marketplace = Marketplace::CloudControl;
    const GROUPS: &'static [&'static [Case<Self>]] = &[checks::CASES, sso::CASES];

    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn target(&self) -> String {
        maitre_core::mask_urls(&format!("{}/resources", self.root))
    }

    fn lacks(&self, capability: Capability) -> Option<String> {
        let reason = match capability {
            Capability::SingleSignOn if self.salt.is_empty() => "the manifest has no api.sso_salt",
            Capability::SingleSignOn if self.sso.is_none() => "the manifest names no sso_url",
            _ => return None,
        };
        Some(reason.to_owned())
    }

    async fn meet(&self) -> Result<(), CannotRun> {
        let target = run::Subject::target(self);
        match self.wire.attempt(self.order()).await {
            Err(silence) => silence.nobody_at(&target),
            Ok(seen) if seen.status() == 422 => Err(CannotRun::new(format!(
                "the add-on refuses the plan {} with 422: name plans that it sells with --plan",
                self.plan()
            ))),
            Ok(_) => Ok(()),
        }
    }

    async fn part(&self) {}
}
