//! Ordinary requests that checks build on: a check of an unusual one is skipped unless the ordinary one succeeds.

use maitre_testkit::Call;
use maitre_testkit::osb::{BindingId, InstanceId, Operation};

use super::target::{Polled, Target};
use crate::response::Response;
use crate::verdict::Stop;

impl Target {
    /// Returns a provision to be modified; skips the check unless an ordinary one succeeds.
    pub(super) async fn provision(&self) -> Result<Call<Operation>, Stop> {
        self.shared_instance().await?;
        Ok(self.osb.provision(&self.instance()?))
    }

    /// Returns an update to be modified, of this instance, to another plan if there is one; skips the check unless an
    /// ordinary one succeeds.
    pub(super) async fn update(&self, instance: &InstanceId) -> Result<Call<Operation>, Stop> {
        self.require_update().await?;
        Ok(self.osb.update(instance, self.other_plan().unwrap_or(instance.plan_id())))
    }

    /// Returns a binding of a new instance, which does not exist yet; skips the check unless an ordinary bind succeeds.
    pub(super) async fn binding(&self) -> Result<BindingId, Stop> {
        self.require_bind().await?;
        Ok(self.new_instance().await?.new_binding())
    }

    /// Creates a binding of a new instance, and waits until it is complete.
    pub(super) async fn bound(&self) -> Result<(BindingId, Response), Stop> {
        self.new_binding(&self.new_instance().await?).await
    }

    /// Skips the check unless an ordinary update succeeds.
    pub(super) async fn require_update(&self) -> Result<(), Stop> {
        let works = self.works.update.get_or_init(async || {
            let update = async {
                let instance = self.new_instance().await?;
                let plan = self.other_plan().unwrap_or(instance.plan_id());
                let response = self.wire.send(self.osb.update(&instance, plan)).await?;
                let is_done = match response.status() {
                    200 => true,
                    202 => matches!(self.poll(&instance, &response).await?, Polled::Succeeded),
                    _ => false,
                };
                let status = response.status();
                let reason = || Stop::skipped(format!("an update is answered {status} (see osb.update.succeeds)"));
                if is_done { Ok(()) } else { Err(reason()) }
            };
            reason(update.await)
        });
        skip(works.await.as_ref())
    }

    /// Skips the check unless an ordinary DELETE of an instance succeeds.
    pub(super) async fn require_delete(&self) -> Result<(), Stop> {
        let works = self.works.delete.get_or_init(async || {
            let delete = async { self.remove(&self.new_instance().await?).await };
            reason(delete.await)
        });
        skip(works.await.as_ref())
    }

    /// Skips the check unless an ordinary bind succeeds.
    pub(super) async fn require_bind(&self) -> Result<(), Stop> {
        let works = self.works.bind.get_or_init(async || reason(self.bound().await.map(drop)));
        skip(works.await.as_ref())
    }

    /// Skips the check unless an ordinary bind and unbind succeed.
    pub(super) async fn require_unbind(&self) -> Result<(), Stop> {
        let works = self.works.unbind.get_or_init(async || {
            let unbind = async {
                let (binding, _) = self.bound().await?;
                self.remove_binding(&binding).await
            };
            reason(unbind.await)
        });
        skip(works.await.as_ref())
    }
}

/// Returns the reason why a request of a check does not succeed.
fn reason(result: Result<(), Stop>) -> Option<String> {
    match result {
        Ok(()) => None,
        Err(Stop::Skipped(reason)) => Some(reason),
        Err(Stop::Failed(fault)) => Some(fault.message),
    }
}

fn skip(reason: Option<&String>) -> Result<(), Stop> {
    reason.map_or(Ok(()), |reason| Err(Stop::Skipped(reason.clone())))
}
