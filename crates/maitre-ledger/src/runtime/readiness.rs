//! Resources that were pending when they were provisioned: the listener is asked again until they are ready.

use std::time::Duration;

use maitre_core::{
    AddonId, Completion, ConfigVars, Failure, FailureKind, Job, JobOutcome, Listener, Provision, ResourceId, Result,
    TraceParent,
};

use super::listener::DurableListener;
use crate::engine::{
    BeginCheck, Check, Complete, EndCheck, EnqueueCheck, Lease, Page, Recorded, StoredReply, StoredRequest, config_of,
};
use crate::error::LedgerError;

/// Pause while the reply of the provision is not recorded yet.
const EARLY_PAUSE: Duration = Duration::from_secs(1);

impl<L: Listener> DurableListener<L> {
    /// Records a reply, and the job that asks again if it is pending.
    pub(super) async fn record(&self, lease: Lease, reply: StoredReply) -> std::result::Result<Recorded, LedgerError> {
        if let Some(check_after) = reply.check_after() {
            let command = EnqueueCheck { lease: lease.clone(), check_after };
            Box::pin(self.ledger.db.write(command)).await?;
        }
        self.ledger.db.write_batched(Complete::new(&self.ledger.engine, lease, reply)).await
    }

    /// Asks the listener whether a pending resource is ready. When it is, or has failed, that is recorded, then the
    /// marketplace is notified.
    pub(super) async fn check_readiness(&self, addon: AddonId, job: &Job) -> Result<JobOutcome> {
        let Some(resource) = job.resource.clone() else { return Ok(JobOutcome::Complete) };
        let snooze = |pause| Ok(JobOutcome::Snooze(pause, job.payload.clone()));
        let begin = BeginCheck { addon: addon.to_string(), resource: resource.to_string() };
        let ready = match self.ledger.db.write(begin).await? {
            None => return Ok(JobOutcome::Complete),
            Some(Check::Early) => return snooze(EARLY_PAUSE),
            Some(Check::Ended(config)) => config,
            Some(Check::Pending { fence }) => {
                let result = match self.provision_again(&addon, &resource, fence, &job.payload).await {
                    Ok(Again::Pending(pause)) => return snooze(pause),
                    Ok(Again::Ready(reply)) => Ok(*reply),
                    Err(failure) if failure.kind() == FailureKind::Unavailable => return Err(failure),
                    Err(failure) => Err(failure.message().map(ToOwned::to_owned)),
                };
                let is_ready = result.is_ok();
                let end = EndCheck { addon: addon.to_string(), resource: resource.to_string(), result };
                match self.ledger.db.write(end).await? {
                    None => return snooze(Duration::ZERO), // removed, or ended by another process
                    Some(config) => Some(config).filter(|_| is_ready),
                }
            }
        };
        self.report_readiness(&addon, &resource, ready).await.map(|()| JobOutcome::Complete)
    }

    async fn provision_again(
        &self,
        addon: &AddonId,
        resource: &ResourceId,
        fence: i64,
        request: &[u8],
    ) -> Result<Again> {
        let StoredRequest::Provision(stored) = serde_json::from_slice(request)? else {
            return Err(Failure::unavailable("the recorded request is not a provision"));
        };
        let mut request: Provision = stored.restore(addon.clone(), resource.as_str());
        request.context.fence = u64::try_from(fence).unwrap_or_default();
        let trace = request.context.trace.clone();
        let reply = TraceParent::scope(trace, Listener::provision(&*self.listener, request)).await?;
        if let Some(pause) = reply.pending() {
            return Ok(Again::Pending(pause));
        }
        let page = Page::new(reply.dashboard_url(), reply.notice());
        Ok(Again::Ready(Box::new(StoredReply::change(config_of(reply.config()), page))))
    }

    /// Notifies the marketplace, if its API is connected. Otherwise it learns the state when it reads the resource.
    async fn report_readiness(
        &self,
        addon: &AddonId,
        resource: &ResourceId,
        ready: Option<Vec<(String, String)>>,
    ) -> Result<()> {
        let Some(platform) = &self.platform else { return Ok(()) };
        match ready {
            Some(vars) => {
                let config: ConfigVars = vars.into_iter().collect();
                platform.notify(addon, resource, Completion::Provisioned(&config)).await
            }
            None => platform.notify(addon, resource, Completion::ProvisionFailed(FailureKind::Refused)).await,
        }
    }
}

/// Reply of the listener to a repeated provision.
enum Again {
    Pending(Duration),
    Ready(Box<StoredReply>),
}
