//! Listener: the integration with the marketplaces.
//!
//! The ledger calls it, and answers duplicates, requests for deprovisioned resources and changes to the same plan on its
//! own. It asks the listener about resources that it has never seen. The listener only has to be idempotent, as a call can
//! be repeated after a crash: create or get the resource, and reject calls with an older fencing token.

use std::time::Duration;

use maitre::{
    AddonId, Capabilities, Capability, Deprovision, Deprovisioned, Failure, Listener, Notice, NoticeKind, PlanChange,
    PlanChanged, Provision, Provisioned, Reinstate, ResourceId, Result, Rotate, Rotated, SignOn, SignedOn, Suspend,
};

use crate::plan::Plan;
use crate::store::Store;

pub(crate) struct Tally {
    pub(crate) store: Store,
    /// URL of the counters API.
    pub(crate) counters_url: String,
    /// Simulated duration of provisioning.
    pub(crate) provision_delay: Duration,
}

impl Listener for Tally {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let plan = Plan::parse(&request.plan)?;
        let (addon, key) = (request.addon.to_string(), request.resource.as_str());
        let fence = i64::try_from(request.context.fence)?;
        // a marketplace that shows pending resources needs the config vars now
        let waits = !request.context.shows_pending;
        if waits {
            tokio::time::sleep(self.provision_delay).await;
        }
        let token = token();
        let resource = self.store.create_or_get(&addon, key, plan.name(), &token, fence).await?;
        let is_new = resource.token == token;
        let reply = Provisioned::new(request.resource)
            .with_config("TALLY_URL", self.counters_url.as_str())
            .with_config("TALLY_TOKEN", resource.token)
            .with_message(format!("Tally is ready. Your plan includes {} counters.", plan.max_counters()));
        let is_pending = !waits && is_new && !self.provision_delay.is_zero();
        Ok(if is_pending { reply.with_pending(self.provision_delay) } else { reply })
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        let plan = Plan::parse(&request.plan)?;
        let resource = self.store.find(&request.addon.to_string(), request.resource.as_str()).await?;
        let resource = resource.ok_or_else(Failure::unknown)?;
        let used = i64::try_from(self.store.counters(&resource).await?.len())?;
        if used > plan.max_counters() {
            let (name, max) = (plan.name(), plan.max_counters());
            return Err(Failure::refused(format!(
                "You have {used} counters, but the plan {name} includes only {max}."
            )));
        }
        self.store.change_plan(&resource, plan.name(), i64::try_from(request.context.fence)?).await?;
        Ok(PlanChanged::new().with_message(format!("Your plan now includes {} counters.", plan.max_counters())))
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        let fence = i64::try_from(request.context.fence)?;
        self.store.delete(&request.addon.to_string(), request.resource.as_str(), fence).await?;
        Ok(Deprovisioned::new())
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        let addon = request.addon.to_string();
        let resource = self.store.find(&addon, request.resource.as_str()).await?;
        resource.ok_or_else(Failure::unknown)?;
        Ok(SignedOn::redirect("/dashboard").with_session("addon", addon).with_session("resource", request.resource))
    }

    /// The counters of a suspended resource are kept, and cannot be used.
    async fn suspend(&self, request: Suspend) -> Result<()> {
        self.set_suspended(request.addon, request.resource, true).await
    }

    async fn reinstate(&self, request: Reinstate) -> Result<()> {
        self.set_suspended(request.addon, request.resource, false).await
    }

    /// The old token stays valid for as long as the marketplace asks.
    async fn rotate(&self, request: Rotate) -> Result<Rotated> {
        let resource = self.store.find(&request.addon.to_string(), request.resource.as_str()).await?;
        let resource = resource.ok_or_else(Failure::unknown)?;
        let (token, fence) = (token(), i64::try_from(request.context.fence)?);
        self.store.rotate(&resource, &token, request.keep_old, fence).await?;
        Ok(Rotated::new().with_config("TALLY_TOKEN", token))
    }

    fn capabilities(&self) -> Capabilities {
        [Capability::Rotate].into()
    }

    async fn notice(&self, notice: Notice) -> Result<()> {
        if notice.kind == NoticeKind::PlanWarning {
            tracing::info!(resource = %notice.resource, "the marketplace reports that the customer is close to a limit");
        }
        Ok(())
    }
}

impl Tally {
    async fn set_suspended(&self, addon: AddonId, resource: ResourceId, suspended: bool) -> Result<()> {
        let resource = self.store.find(&addon.to_string(), resource.as_str()).await?.ok_or_else(Failure::unknown)?;
        Ok(self.store.set_suspended(&resource, suspended).await?)
    }
}

/// Returns a token with 244 random bits.
fn token() -> String {
    let halves = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
    format!("tly_{}", halves.map(|half| half.simple().to_string()).concat())
}
