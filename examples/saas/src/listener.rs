//! What Tally does when a marketplace calls: the whole integration.
//!
//! It is called through the ledger, which remembers what was asked and answered: a duplicate never comes here, what was
//! removed neither, and a plan change is always to another plan. What is left to do is the work, so that it can be done
//! again: create or get, and refuse what comes under an older fence.

use std::time::Duration;

use maitre::{
    Deprovision, Deprovisioned, Failure, Listener, PlanChange, PlanChanged, PlanWarning, Provision, Provisioned,
    Result, SignOn, SignedOn,
};

use crate::plan::Plan;
use crate::store::Store;

pub(crate) struct Tally {
    pub(crate) store: Store,
    /// Where customers count.
    pub(crate) counters_url: String,
    /// How long an install takes to set up.
    pub(crate) set_up: Duration,
}

impl Listener for Tally {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let plan = Plan::named(&request.plan)?;
        let (addon, resource) = (request.addon.to_string(), request.resource.as_str());
        let fence = i64::try_from(request.context.fence)?;
        tokio::time::sleep(self.set_up).await;
        let install = self.store.install(&addon, resource, plan.name(), &token(), fence).await?;
        Ok(Provisioned::new(request.resource)
            .with_config("TALLY_URL", self.counters_url.as_str())
            .with_config("TALLY_TOKEN", install.token)
            .with_message(format!("Tally is ready: you have room for {} counters.", plan.room())))
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        let plan = Plan::named(&request.plan)?;
        let install = self.store.find(&request.addon.to_string(), request.resource.as_str()).await?;
        let install = install.ok_or_else(Failure::unknown)?;
        let used = i64::try_from(self.store.counters(&install).await?.len())?;
        if used > plan.room() {
            let (name, room) = (plan.name(), plan.room());
            return Err(Failure::refused(format!("You have {used} counters, and {name} has room for {room} alone.")));
        }
        self.store.change_plan(&install, plan.name(), i64::try_from(request.context.fence)?).await?;
        Ok(PlanChanged::new().with_message(format!("You have room for {} counters now.", plan.room())))
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        let fence = i64::try_from(request.context.fence)?;
        self.store.remove(&request.addon.to_string(), request.resource.as_str(), fence).await?;
        Ok(Deprovisioned::new())
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        let addon = request.addon.to_string();
        Ok(SignedOn::redirect("/dashboard").with_session("addon", addon).with_session("resource", request.resource))
    }

    async fn plan_warning(&self, request: PlanWarning) -> Result<()> {
        tracing::info!(resource = %request.resource, "the marketplace says that this customer nears a limit");
        Ok(())
    }
}

/// 244 random bits.
fn token() -> String {
    let halves = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
    format!("tly_{}", halves.map(|half| half.simple().to_string()).concat())
}
