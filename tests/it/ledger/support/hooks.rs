//! Scripted marketplace hooks, which record jobs and notifications and can fail or wait.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maitre::heroku::Heroku;
use maitre_core::{
    Addon, AddonId, BoxFuture, Completion, Failure, FailureKind, Job, JobOutcome, Listener, PlatformHooks, Provision,
    ResourceId, Result,
};
use maitre_ledger::{DurableListener, Ledger};
use tokio::task::JoinHandle;

use super::Gate;

/// Completion deadline, as Heroku's.
pub(crate) const COMPLETION_DEADLINE: Duration = Duration::from_hours(12);

/// Scripted result of the next notification or of the next run of a job.
#[derive(Clone)]
pub(crate) enum HookResult {
    Fail(FailureKind),
    Wait(Gate),
    /// The job snoozes with a new payload.
    Snooze(Duration, &'static str),
}

#[derive(Default)]
struct Records {
    notifications: Vec<String>,
    job_runs: Vec<String>,
    notification_script: VecDeque<HookResult>,
    job_script: VecDeque<HookResult>,
}

/// Clones share their records, also across simulated processes.
#[derive(Clone, Default)]
pub(crate) struct RecordingHooks(Arc<Mutex<Records>>);

impl RecordingHooks {
    fn records(&self) -> std::sync::MutexGuard<'_, Records> {
        self.0.lock().expect("the records")
    }

    pub(crate) fn script_notifications(&self, script: impl IntoIterator<Item = HookResult>) {
        self.records().notification_script.extend(script);
    }

    pub(crate) fn script_jobs(&self, script: impl IntoIterator<Item = HookResult>) {
        self.records().job_script.extend(script);
    }

    /// Returns all notifications, including failed ones.
    pub(crate) fn notifications(&self) -> Vec<String> {
        self.records().notifications.clone()
    }

    /// Returns every run of a job: kind, resource, payload.
    pub(crate) fn job_runs(&self) -> Vec<String> {
        self.records().job_runs.clone()
    }
}

async fn act(next: Option<HookResult>) -> Result<JobOutcome> {
    match next {
        None => Ok(JobOutcome::Complete),
        Some(HookResult::Snooze(delay, payload)) => Ok(JobOutcome::Snooze(delay, payload.into())),
        Some(HookResult::Wait(gate)) => {
            gate.wait().await;
            Ok(JobOutcome::Complete)
        }
        Some(HookResult::Fail(FailureKind::Gone)) => Err(Failure::gone()),
        Some(HookResult::Fail(FailureKind::Unavailable)) => Err(Failure::unavailable("notifications fail")),
        Some(HookResult::Fail(_)) => Err(Failure::refused("Notifications are refused.")),
    }
}

impl PlatformHooks for RecordingHooks {
    fn provision_job(&self, provision: &Provision) -> Option<Job> {
        let grant = provision.oauth_grant.as_ref()?;
        let code = grant.code.expose();
        let job = Job::new("grant", format!("{} {code}", provision.resource), code.as_bytes().to_vec());
        Some(job.with_resource(provision.resource.clone()).with_deadline(grant.expires_at))
    }

    fn run_job<'a>(&'a self, _: &'a AddonId, job: &'a Job) -> BoxFuture<'a, Result<JobOutcome>> {
        Box::pin(async move {
            let next = {
                let mut records = self.records();
                let about = job.resource.as_ref().map_or("", ResourceId::as_str);
                records.job_runs.push(format!("{} {about} {}", job.kind, String::from_utf8_lossy(&job.payload)));
                records.job_script.pop_front()
            };
            act(next).await
        })
    }

    fn notify<'a>(&'a self, _: &'a AddonId, _: &'a ResourceId, outcome: Completion<'a>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let outcome = match outcome {
                Completion::Provisioned(config) => {
                    format!("provisioned {:?}", config.iter().map(|(name, _)| name).collect::<Vec<_>>())
                }
                Completion::PlanChanged(config) => {
                    format!("plan changed {:?}", config.iter().map(|(name, _)| name).collect::<Vec<_>>())
                }
                Completion::Rotated(config) => {
                    format!("rotated {:?}", config.iter().map(|(name, _)| name).collect::<Vec<_>>())
                }
                Completion::ProvisionFailed(kind) => format!("not provisioned: {kind:?}"),
                Completion::PlanChangeFailed(kind) => format!("plan not changed: {kind:?}"),
                outcome => format!("{outcome:?}").to_lowercase(),
            };
            let next = {
                let mut records = self.records();
                records.notifications.push(outcome);
                records.notification_script.pop_front()
            };
            act(next).await.map(drop)
        })
    }

    fn completion_deadline(&self) -> Duration {
        COMPLETION_DEADLINE
    }
}

/// Simulated process: a ledger with hooks and a worker. Dropping it aborts the worker.
pub(crate) struct HookedApp<L> {
    pub(crate) listener: DurableListener<L>,
    worker: JoinHandle<()>,
}

impl<L: Listener + Clone> HookedApp<L> {
    pub(crate) fn start(ledger: &Ledger, listener: &L, follow: impl PlatformHooks) -> Self {
        let listener = ledger.wrap(listener.clone()).with_platform(follow);
        let heroku = Heroku::new("lantern", "password", "salt").expect("no part is empty");
        let worker = ledger.worker([Addon::new(heroku, listener.clone())]).poll_interval(Duration::from_millis(5));
        Self { listener, worker: tokio::spawn(worker.run(std::future::pending())) }
    }
}

impl<L> Drop for HookedApp<L> {
    fn drop(&mut self) {
        self.worker.abort();
    }
}
