//! Jobs of the outbox.

use maitre_core::{AccountId, Failure, Job, JobOutcome};
use serde::{Deserialize, Serialize};

use crate::{
    models::Period,
    platform::{Platform, PlatformError, store},
};

/// Kind of a job. The name is stored in the ledger, so it must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JobKind {
    /// Reports the usage of a period until its end.
    Usage,
    /// Submits the invoice of a period.
    Invoice,
    /// Requests the refund of an invoice.
    Refund,
}

impl JobKind {
    const ALL: [Self; 3] = [Self::Usage, Self::Invoice, Self::Refund];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Invoice => "invoice",
            Self::Refund => "refund",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Payload {
    installation: String,
    period: Period,
}

impl Platform {
    /// Enqueues the job of an installation and period, unless there is one.
    pub(super) async fn enqueue_billing(
        &self,
        kind: JobKind,
        installation: &AccountId,
        period: Period,
    ) -> Result<(), PlatformError> {
        let payload = Payload { installation: installation.to_string(), period };
        let payload = serde_json::to_vec(&payload).map_err(|error| PlatformError::Store(error.to_string()))?;
        let job = Job::new(kind.as_str(), format!("{installation} {}", period.external_id()), payload);
        self.0.store.enqueue(&self.0.addon, job).await.map(drop).map_err(|failure| store(&failure))
    }

    /// Runs a job of the outbox.
    pub(crate) async fn run_billing_job(&self, kind: &str, payload: &[u8]) -> maitre_core::Result<JobOutcome> {
        let known = JobKind::ALL.into_iter().find(|known| known.as_str() == kind);
        let known = known.ok_or_else(|| Failure::refused(format!("unknown job kind `{kind}` for Vercel")))?;
        let parsed: Payload = serde_json::from_slice(payload)
            .map_err(|error| Failure::refused(format!("cannot parse the payload of a {kind} job: {error}")))?;
        let (installation, period) = (AccountId::from(parsed.installation), parsed.period);
        let result = match known {
            JobKind::Usage => {
                let next = self.report_usage(&installation, period).await;
                next.map(|next| next.map_or(JobOutcome::Complete, |pause| JobOutcome::Snooze(pause, payload.to_vec())))
            }
            JobKind::Invoice => self.send_invoice(&installation, period).await.map(|()| JobOutcome::Complete),
            JobKind::Refund => self.send_refund(&installation, period).await.map(|()| JobOutcome::Complete),
        };
        result.map_err(PlatformError::into_failure)
    }
}
