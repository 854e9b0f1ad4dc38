//! Notifications: report the result of an accepted operation to the marketplace.

use maitre_core::{
    AddonId, Completion, ConfigVars, Failure, FailureKind, Listener, PlatformHooks, ResourceId, Result, TraceParent,
};
use tracing::Instrument;

use super::heartbeat::{LeaseOutcome, operation_span, release_overtaken, under_lease};
use super::listener::DurableListener;
use crate::engine::{Complete, Lease, OperationKind, Recorded, RenewLease, RetryOrPark, StoredReply, addon_id};

impl<L: Listener> DurableListener<L> {
    /// Notifies the marketplace of the result of an accepted operation, then records that it was notified.
    pub(super) async fn notify(&self, lease: Lease, reply: StoredReply) -> Result<()> {
        let _running = self.ledger.running.enter();
        let Some(platform) = self.platform.clone() else {
            tracing::error!(
                resource = lease.key,
                "no platform hooks configured: cannot report the result to the marketplace"
            );
            return Err(Failure::unavailable("no platform hooks configured"));
        };
        let (addon, key) = (addon_id(&lease.addon)?, ResourceId::from(lease.key.as_str()));
        let (kind, reported) = (lease.kind, reply.clone());
        let work = async move { report(&*platform, kind, &reported, &addon, &key).await };
        let work = TraceParent::scope(lease.trace.clone(), work);
        let renewal = || RenewLease { operation: lease.operation, fence: lease.fence };
        let overtaken = self.ledger.calls.overtaken(&lease);
        let result = match under_lease(&self.ledger, renewal, overtaken, work).instrument(operation_span(&lease)).await
        {
            LeaseOutcome::Finished(result) => result,
            LeaseOutcome::Lost => return Err(Failure::unavailable("lease lost")),
            LeaseOutcome::Stopped => return Err(Failure::unavailable("shutting down")),
            LeaseOutcome::Overtaken => {
                release_overtaken(&self.ledger, &lease).await;
                return Err(Failure::gone());
            }
        };
        let (engine, operation, key) = (&self.ledger.engine, lease.operation, lease.key.clone());
        match result {
            Ok(()) => {
                self.ledger.db.write_batched(Complete::notified(engine, lease, reply)).await?;
            }
            Err(failure) if matches!(failure.kind(), FailureKind::Gone | FailureKind::Unknown) => {
                tracing::warn!(resource = key, operation, "the marketplace no longer knows this resource");
                let reply = reply.for_missing_resource();
                self.ledger.db.write_batched(Complete::notified(engine, lease, reply)).await?;
            }
            Err(failure) => {
                let permanent = failure.kind() != FailureKind::Unavailable;
                let error = failure.cause().or_else(|| failure.message().map(ToOwned::to_owned)).unwrap_or_default();
                tracing::warn!(resource = key, operation, error, "cannot notify the marketplace");
                let retry = RetryOrPark { lease: lease.clone(), error, permanent };
                if let Recorded::DeadlinePassed = self.ledger.db.write(retry).await? {
                    tracing::error!(
                        resource = key,
                        operation,
                        "deprovision was never reported: the notification deadline has passed"
                    );
                    self.ledger.db.write_batched(Complete::notified(engine, lease, reply)).await?;
                }
            }
        }
        self.ledger.waiting.wake();
        Ok(())
    }
}

async fn report(
    platform: &dyn PlatformHooks,
    kind: OperationKind,
    reply: &StoredReply,
    addon: &AddonId,
    resource: &ResourceId,
) -> Result<()> {
    let config = |vars: &[(String, String)]| {
        let mut config = ConfigVars::default();
        for (name, value) in vars {
            config.set(name, value.clone());
        }
        config
    };
    match (kind, reply) {
        (OperationKind::Provision, StoredReply::Provisioned { config: vars, .. }) => {
            platform.notify(addon, resource, Completion::Provisioned(&config(vars))).await
        }
        (OperationKind::PlanChange | OperationKind::Update, StoredReply::PlanChanged { config: vars, .. }) => {
            platform.notify(addon, resource, Completion::PlanChanged(&config(vars))).await
        }
        (OperationKind::Rotate, StoredReply::PlanChanged { config: vars, .. }) => {
            platform.notify(addon, resource, Completion::Rotated(&config(vars))).await
        }
        (OperationKind::Rotate, failed) => {
            platform.notify(addon, resource, Completion::RotationFailed(failed.failure_kind())).await
        }
        (OperationKind::Deprovision, _) => platform.notify(addon, resource, Completion::Deprovisioned).await,
        (OperationKind::Provision, failed) => {
            platform.notify(addon, resource, Completion::ProvisionFailed(failed.failure_kind())).await
        }
        // marketplaces with bindings poll
        (OperationKind::Bind | OperationKind::Unbind, _) => Ok(()),
        (OperationKind::PlanChange | OperationKind::Update, failed) => {
            platform.notify(addon, resource, Completion::PlanChangeFailed(failed.failure_kind())).await
        }
    }
}
