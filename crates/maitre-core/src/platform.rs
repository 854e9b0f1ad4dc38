//! Port from a ledger to a marketplace's API.

use std::time::Duration;

use crate::config_vars::ConfigVars;
use crate::failure::{FailureKind, Result};
use crate::future::BoxFuture;
use crate::ids::{AddonId, ResourceId};
use crate::job::{Job, JobOutcome};
use crate::requests::Provision;

/// Port from a ledger to a marketplace's API: runs jobs (such as exchanging a grant) and reports the result of
/// asynchronous operations.
///
/// The ledger calls it; the crate of the marketplace's API implements it. Each method may be called again with the same
/// arguments, also by another process, and must then end in the same state. A failure of kind
/// [`Unavailable`](FailureKind::Unavailable) is retried. [`Gone`](FailureKind::Gone) and
/// [`Unknown`](FailureKind::Unknown) mean that the resource no longer exists at the marketplace. Every other failure
/// needs an operator.
pub trait PlatformHooks: Send + Sync + 'static {
    /// Returns the job that must run during a provision. It is stored in the same transaction as the operation.
    fn provision_job(&self, provision: &Provision) -> Option<Job>;

    /// Runs a job of this marketplace.
    fn run_job<'a>(&'a self, addon: &'a AddonId, job: &'a Job) -> BoxFuture<'a, Result<JobOutcome>>;

    /// Notifies the marketplace of the result of an accepted operation.
    fn notify<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        completion: Completion<'a>,
    ) -> BoxFuture<'a, Result<()>>;

    /// Returns how long the marketplace waits for the notification before it abandons the resource (Heroku: 12 h).
    fn completion_deadline(&self) -> Duration;
}

/// Result of an accepted operation.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Completion<'a> {
    /// The resource is provisioned, with these config vars.
    Provisioned(&'a ConfigVars),
    /// The provision failed and is not retried.
    ProvisionFailed(FailureKind),
    /// The plan is changed, with these config vars.
    PlanChanged(&'a ConfigVars),
    /// The plan change failed; the plan is unchanged.
    PlanChangeFailed(FailureKind),
    /// The credentials are replaced, with these config vars.
    Rotated(&'a ConfigVars),
    /// The rotation failed; the credentials are unchanged.
    RotationFailed(FailureKind),
    /// The resource is deprovisioned.
    Deprovisioned,
}
