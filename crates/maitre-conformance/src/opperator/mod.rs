//! Opperator's contract: the add-on as Opperator would have met it, and the checks.

mod checks;

use std::time::Duration;

use maitre_testkit::{Call, Json, Opperator};
use serde_json::json;

use crate::check::{Capability, Case};
use crate::error::CannotRun;
use crate::made::{self, Made, Ways};
use crate::marketplace::Marketplace;
use crate::run;
use crate::seen::Seen;
use crate::verdict::Stop;
use crate::wire::Wire;

/// The add-on under test.
pub(crate) struct Subject {
    wire: Wire,
    market: Opperator,
    root: String,
    plans: Vec<String>,
}

/// An instance that was ordered.
struct Instance {
    id: String,
    seen: Seen,
}

impl Subject {
    pub(crate) fn new(
        root: &str,
        shared_secret: &str,
        plans: Vec<String>,
        patience: Duration,
    ) -> Result<Self, CannotRun> {
        if shared_secret.is_empty() {
            return Err(CannotRun::new("the shared secret is empty: give the one that the add-on was started with"));
        }
        let market = Opperator::new(root, shared_secret);
        let remover = market.clone();
        let ways = Ways {
            collection: format!("{root}/instances"),
            key: None,
            remove: Box::new(move |id| remover.deprovision(id)),
        };
        let wire = Wire::new(patience, vec![shared_secret.to_owned()], Made::new(ways));
        Ok(Self { wire, market, root: root.to_owned(), plans })
    }

    fn order(&self) -> Call<Json> {
        self.market.provision(json!({ "plan": self.plans.first() }))
    }

    fn plan_change(&self, id: &str) -> Call<Json> {
        self.market.plan_change(id, json!({ "plan": self.plans.last() }))
    }

    async fn ordered(&self) -> Result<Instance, Stop> {
        let seen = self.wire.send(self.order()).await?;
        let id = seen.value().and_then(|body| made::text(&body["id"])).filter(|id| !id.is_empty());
        match id {
            Some(id) if seen.is_success() => Ok(Instance { id, seen }),
            _ => Err(Stop::skipped(format!(
                "there is nothing to try it on: a provision is answered {} (see opperator.provision.succeeds)",
                seen.status()
            ))),
        }
    }
}

impl run::Subject for Subject {
    const MARKETPLACE: Marketplace = Marketplace::Opperator;
    const GROUPS: &'static [&'static [Case<Self>]] = &[checks::CASES];

    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn target(&self) -> String {
        maitre_core::mask_urls(&format!("{}/instances", self.root))
    }

    fn lacks(&self, _: Capability) -> Option<String> {
        None
    }

    async fn meet(&self) -> Result<(), CannotRun> {
        let target = run::Subject::target(self);
        match self.wire.attempt(self.order()).await {
            Err(silence) => silence.nobody_at(&target),
            Ok(_) => Ok(()),
        }
    }

    async fn part(&self) {}
}
