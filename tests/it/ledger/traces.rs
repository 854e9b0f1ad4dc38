//! The trace of a request is kept with its operation: another process continues it, and so do notifications.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maitre::heroku::Heroku;
use maitre_core::{
    Addon, AddonId, Backend, BoxFuture, CloseAccount, Completion, Deprovision, Deprovisioned, Failure, Job, JobOutcome,
    Listener, OpenAccount, Outcome, PlanChange, PlanChanged, PlatformHooks, Provision, Provisioned, ResourceId, Result,
    SignOn, SignedOn, TraceParent,
};
use maitre_ledger::Ledger;

use super::support::{Database, basic, deprovision, key, plan_change, until};

const PROVISION: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const PLAN_CHANGE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const DEPROVISION: &str = "00-5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174-01";

/// A vendor and its marketplace, which record the trace of each call and fail a number of times.
#[derive(Clone, Default)]
struct Recorder(Arc<Inner>);

#[derive(Default)]
struct Inner {
    seen: Mutex<Vec<(&'static str, Option<String>)>>,
    calls_to_fail: AtomicUsize,
    notifications_to_fail: AtomicUsize,
}

impl Recorder {
    fn record(&self, call: &'static str) {
        let trace = TraceParent::current().map(|trace| trace.to_string());
        self.0.seen.lock().unwrap().push((call, trace));
    }

    /// Records a call of the listener, whose request has the same trace.
    fn call(&self, call: &'static str, trace: Option<&TraceParent>) -> Result<()> {
        assert_eq!(trace, TraceParent::current().as_ref());
        self.record(call);
        fail(&self.0.calls_to_fail)
    }

    fn seen(&self) -> Vec<(&'static str, Option<String>)> {
        self.0.seen.lock().unwrap().clone()
    }
}

fn fail(times: &AtomicUsize) -> Result<()> {
    let left = times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if left.is_ok() { Err(Failure::unavailable("not yet")) } else { Ok(()) }
}

impl Listener for Recorder {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let is_async = request.context.async_after.is_some();
        self.call("provision", request.context.trace.as_ref())?;
        if is_async {
            tokio::time::sleep(Duration::from_millis(200)).await; // longer than the caller waits
        }
        Ok(Provisioned::new(request.resource))
    }
    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        self.call("plan_change", request.context.trace.as_ref()).map(|()| PlanChanged::new())
    }
    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        self.call("deprovision", request.context.trace.as_ref()).map(|()| Deprovisioned::new())
    }
    async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> {
        Ok(SignedOn::redirect("/"))
    }
}

impl PlatformHooks for Recorder {
    fn provision_job(&self, _: &Provision) -> Option<Job> {
        None
    }
    fn run_job<'a>(&'a self, _: &'a AddonId, _: &'a Job) -> BoxFuture<'a, Result<JobOutcome>> {
        Box::pin(async { Ok(JobOutcome::Complete) })
    }
    fn notify<'a>(&'a self, _: &'a AddonId, _: &'a ResourceId, _: Completion<'a>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async {
            self.record("notify");
            fail(&self.0.notifications_to_fail)
        })
    }
    fn completion_deadline(&self) -> Duration {
        Duration::from_hours(12)
    }
}

/// Starts a worker, as another process has it.
async fn recover(database: &Database, recorder: &Recorder) -> Ledger {
    let ledger = database.open().await;
    let listener = ledger.wrap(recorder.clone()).with_platform(recorder.clone());
    let addon = Addon::new(Heroku::new("lantern", "p", "s").unwrap(), listener);
    let worker = ledger.worker([addon]).poll_interval(Duration::from_millis(5));
    tokio::spawn(worker.run(std::future::pending()));
    ledger
}

on_both_databases! {
    async fn an_operation_that_another_process_recovers_has_the_trace_of_its_request(database: Database) {
        let recorder = Recorder::default();
        let ledger = database.ledger().await;
        let listener = ledger.wrap(recorder.clone());
        let key = key();
        recorder.0.calls_to_fail.store(1, Ordering::SeqCst);
        let mut request = basic(&key);
        request.context.trace = TraceParent::parse(PROVISION);
        listener.provision(request).await.unwrap_err();
        ledger.close().await;

        let other = recover(&database, &recorder).await;
        until("it is recovered", async || recorder.seen().len() == 2).await;
        assert_eq!(recorder.seen(), vec![("provision", Some(PROVISION.to_owned())); 2]);

        until("it is recorded", async || other.stats().await.unwrap().open_operations == 0).await;
        let mut request = plan_change(&key, "premium");
        request.context.trace = TraceParent::parse(PLAN_CHANGE);
        let listener = other.wrap(recorder.clone());
        listener.plan_change(request).await.unwrap();
        listener.plan_change(plan_change(&key, "basic")).await.unwrap();
        let later = [("plan_change", Some(PLAN_CHANGE.to_owned())), ("plan_change", None)];
        assert_eq!(recorder.seen()[2..], later);
    }

    async fn a_deprovision_that_another_process_recovers_has_the_trace_of_its_request(database: Database) {
        let recorder = Recorder::default();
        let ledger = database.ledger().await;
        let listener = ledger.wrap(recorder.clone());
        let [traced, plain, unknown] = std::array::from_fn(|_| key());
        for key in [&traced, &plain] {
            listener.provision(basic(key)).await.unwrap();
        }
        recorder.0.calls_to_fail.store(3, Ordering::SeqCst);
        for (key, trace) in [(&traced, TraceParent::parse(DEPROVISION)), (&unknown, TraceParent::parse(PROVISION)), (&plain, None)] {
            let mut request = deprovision(key);
            request.context.trace = trace;
            listener.deprovision(request).await.unwrap_err();
        }
        ledger.close().await;

        let _other = recover(&database, &recorder).await;
        until("they are recovered", async || recorder.seen().len() == 8).await;
        let sorted = |calls: &[(&'static str, Option<String>)]| {
            let mut calls = calls.to_vec();
            calls.sort();
            calls
        };
        let expected = sorted(&[Some(DEPROVISION), Some(PROVISION), None].map(|it| ("deprovision", it.map(str::to_owned))));
        let seen = recorder.seen();
        assert_eq!((sorted(&seen[2..5]), sorted(&seen[5..])), (expected.clone(), expected));
    }

    async fn a_deprovision_of_a_closed_account_has_the_trace_of_its_request(database: Database) {
        let recorder = Recorder::default();
        let ledger = database.ledger().await;
        let listener = ledger.wrap(recorder.clone());
        let addon = AddonId::new("heroku", "lantern");
        listener.open_account(OpenAccount::new(addon.clone(), "account")).await.unwrap();
        let mut request = basic(&key());
        request.account = Some("account".into());
        listener.provision(request).await.unwrap();
        recorder.0.calls_to_fail.store(1, Ordering::SeqCst);
        let close = listener.close_account(CloseAccount::new(addon, "account"));
        TraceParent::scope(TraceParent::parse(DEPROVISION), close).await.unwrap_err();
        ledger.close().await;

        let _other = recover(&database, &recorder).await;
        until("it is recovered", async || recorder.seen().len() == 3).await;
        assert_eq!(recorder.seen()[1..], vec![("deprovision", Some(DEPROVISION.to_owned())); 2]);
    }

    async fn a_notification_has_the_trace_of_its_request_in_every_process(database: Database) {
        let recorder = Recorder::default();
        let ledger = database.ledger().await;
        let listener = ledger.wrap(recorder.clone()).with_platform(recorder.clone());
        recorder.0.notifications_to_fail.store(1, Ordering::SeqCst);
        let mut request = basic(&key());
        request.context.trace = TraceParent::parse(PROVISION);
        request.context.async_after = Some(Duration::ZERO);
        assert!(matches!(listener.provision(request).await.unwrap(), Outcome::Accepted { .. }));
        until("the first notification has failed", async || recorder.seen().len() == 2).await;
        ledger.close().await;

        let other = recover(&database, &recorder).await;
        until("the marketplace is notified", async || other.stats().await.unwrap().open_operations == 0).await;
        let trace = || Some(PROVISION.to_owned());
        assert_eq!(recorder.seen(), [("provision", trace()), ("notify", trace()), ("notify", trace())]);
    }
}
