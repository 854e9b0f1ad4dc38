//! What Tally does when a marketplace calls: the whole integration.

use maitre::{
    Deprovision, Deprovisioned, Failure, Listener, PlanChange, PlanChanged, PlanWarning, Provision, Provisioned,
    Result, SignOn, SignedOn,
};

use crate::plan::Plan;
use crate::store::{Install, Store};

pub(crate) struct Tally {
    pub(crate) store: Store,
    /// Where customers count.
    pub(crate) counters_url: String,
}

impl Listener for Tally {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let plan = Plan::named(&request.plan)?;
        let addon = request.addon.to_string();
        let install = self.store.install(&addon, request.resource.as_str(), plan.name(), &token()).await?;
        if install.removed {
            return Err(Failure::gone());
        }
        if install.ordered_plan != plan.name() {
            let ordered = install.ordered_plan;
            return Err(Failure::conflict(format!("This add-on was ordered with the plan {ordered}.")));
        }
        Ok(Provisioned::new(request.resource)
            .config("TALLY_URL", self.counters_url.as_str())
            .config("TALLY_TOKEN", install.token)
            .message(format!("Tally is ready: you have room for {} counters.", plan.room())))
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        let install = self.alive(&request.addon.to_string(), request.resource.as_str()).await?;
        let plan = Plan::named(&request.plan)?;
        let used = i64::try_from(self.store.counters(install.id).await?.len())?;
        if used > plan.room() {
            let (name, room) = (plan.name(), plan.room());
            return Err(Failure::refused(format!("You have {used} counters, and {name} has room for {room} alone.")));
        }
        self.store.change_plan(install.id, plan.name()).await?;
        Ok(PlanChanged::new().message(format!("You have room for {} counters now.", plan.room())))
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        let install = self.alive(&request.addon.to_string(), request.resource.as_str()).await?;
        if self.store.remove(install.id).await? { Ok(Deprovisioned::new()) } else { Err(Failure::gone()) }
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        let addon = request.addon.to_string();
        self.alive(&addon, request.resource.as_str()).await?;
        Ok(SignedOn::redirect("/dashboard").session("addon", addon).session("resource", request.resource))
    }

    async fn plan_warning(&self, request: PlanWarning) -> Result<()> {
        tracing::info!(resource = %request.resource, "the marketplace says that this customer nears a limit");
        Ok(())
    }
}

impl Tally {
    async fn alive(&self, addon: &str, resource: &str) -> Result<Install> {
        let install = self.store.find(addon, resource).await?.ok_or_else(Failure::unknown)?;
        if install.removed { Err(Failure::gone()) } else { Ok(install) }
    }
}

/// 244 random bits.
fn token() -> String {
    let halves = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
    format!("tly_{}", halves.map(|half| half.simple().to_string()).concat())
}
