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
pub(crate) const PATIENCE: Duration = Duration::from_hours(12);

/// Scripted result of the next notification or of the next run of a job.
#[derive(Clone)]
pub(crate) enum Hears {
    Nothing(FailureKind),
    Later(Gate),
    /// The job snoozes with a new payload.
    Step(Duration, &'static str),
}

#[derive(Default)]
struct Heard {
    told: Vec<String>,
    ran: Vec<String>,
    script: VecDeque<Hears>,
    errands: VecDeque<Hears>,
}

/// Clones share their records, also across simulated processes.
#[derive(Clone, Default)]
pub(crate) struct Follower(Arc<Mutex<Heard>>);

impl Follower {
    fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.0.lock().expect("what was heard")
    }

    pub(crate) fn hears(&self, script: impl IntoIterator<Item = Hears>) {
        self.heard().script.extend(script);
    }

    pub(crate) fn errands(&self, script: impl IntoIterator<Item = Hears>) {
        self.heard().errands.extend(script);
    }

    /// Returns all notifications, including failed ones.
    pub(crate) fn told(&self) -> Vec<String> {
        self.heard().told.clone()
    }

    /// Returns every run of a job: kind, resource, payload.
    pub(crate) fn ran(&self) -> Vec<String> {
        self.heard().ran.clone()
    }
}

async fn act(next: Option<Hears>) -> Result<JobOutcome> {
    match next {
        None => Ok(JobOutcome::Complete),
        Some(Hears::Step(rest, payload)) => Ok(JobOutcome::Snooze(rest, payload.into())),
        Some(Hears::Later(gate)) => {
            gate.entered_and_passed().await;
            Ok(JobOutcome::Complete)
        }
        Some(Hears::Nothing(FailureKind::Gone)) => Err(Failure::gone()),
        Some(Hears::Nothing(FailureKind::Unavailable)) => Err(Failure::unavailable("it does not listen")),
        Some(Hears::Nothing(_)) => Err(Failure::refused("It will not listen.")),
    }
}

impl PlatformHooks for Follower {
    fn provision_job(&self, provision: &Provision) -> Option<Job> {
        let grant = provision.oauth_grant.as_ref()?;
        let code = grant.code.expose();
        let errand = Job::new("grant", format!("{} {code}", provision.resource), code.as_bytes().to_vec());
        Some(errand.with_resource(provision.resource.clone()).with_deadline(grant.expires_at))
    }

    fn run_job<'a>(&'a self, _: &'a AddonId, errand: &'a Job) -> BoxFuture<'a, Result<JobOutcome>> {
        Box::pin(async move {
            let next = {
                let mut heard = self.heard();
                let about = errand.resource.as_ref().map_or("", ResourceId::as_str);
                heard.ran.push(format!("{} {about} {}", errand.kind, String::from_utf8_lossy(&errand.payload)));
                heard.errands.pop_front()
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
                Completion::ProvisionFailed(kind) => format!("not provisioned: {kind:?}"),
                Completion::PlanChangeFailed(kind) => format!("plan not changed: {kind:?}"),
                outcome => format!("{outcome:?}").to_lowercase(),
            };
            let next = {
                let mut heard = self.heard();
                heard.told.push(outcome);
                heard.script.pop_front()
            };
            act(next).await.map(drop)
        })
    }

    fn completion_deadline(&self) -> Duration {
        PATIENCE
    }
}

/// Simulated process: a ledger with hooks and a worker. Dropping it aborts the worker.
pub(crate) struct Following<L> {
    pub(crate) kept: DurableListener<L>,
    working: JoinHandle<()>,
}

impl<L: Listener + Clone> Following<L> {
    pub(crate) fn start(ledger: &Ledger, listener: &L, follow: impl PlatformHooks) -> Self {
        let kept = ledger.wrap(listener.clone()).with_platform(follow);
        let heroku = Heroku::new("lantern", "password", "salt").expect("no part is empty");
        let worker = ledger.worker([Addon::new(heroku, kept.clone())]).poll_interval(Duration::from_millis(5));
        Self { kept, working: tokio::spawn(worker.run(std::future::pending())) }
    }
}

impl<L> Drop for Following<L> {
    fn drop(&mut self) {
        self.working.abort();
    }
}
