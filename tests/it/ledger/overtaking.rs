//! A deprovision overtakes an operation that hangs: its call is stopped, or its writes are fenced.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use maitre_core::{
    Backend, Deprovision, Deprovisioned, FailureKind, Listener, Outcome, PlanChange, PlanChanged, Provision,
    Provisioned, Result, SignOn, SignedOn,
};
use maitre_ledger::{DurableListener, Ledger, State};

use super::support::{
    Answer, Database, Gate, HookedApp, RecordingHooks, SimulatedProcess, Vendor, basic, deprovision, key, plan_change,
    soon, until,
};

/// Operation that hangs when the deprovision is requested.
#[derive(Debug, Clone, Copy)]
enum Hung {
    Provision,
    PlanChange,
}

/// Starts an operation that hangs, and returns its call.
async fn hang(
    hung: Hung,
    listener: &DurableListener<Vendor>,
    vendor: &Vendor,
    key: &str,
) -> tokio::task::JoinHandle<Answer> {
    if let Hung::PlanChange = hung {
        listener.provision(basic(key)).await.expect("a widget");
    }
    let gate = vendor.stop_at(key);
    let (listener, key) = (listener.clone(), key.to_owned());
    let call = tokio::spawn(async move {
        match hung {
            Hung::Provision => listener.provision(basic(&key)).await.into(),
            Hung::PlanChange => listener.plan_change(plan_change(&key, "premium")).await.into(),
        }
    });
    gate.entered().await;
    call
}

/// Opens a ledger whose leases do not expire during a test.
async fn process(database: &Database) -> Ledger {
    database.options().lease_duration(Duration::from_hours(1)).open().await.expect("a ledger")
}

/// Vendor whose provisions block their thread, as in a process that is paused.
struct Paused {
    vendor: Vendor,
    entered: Gate,
    blocked: Mutex<mpsc::Receiver<()>>,
}

impl Listener for Paused {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let _ = tokio::time::timeout(Duration::ZERO, self.entered.wait()).await;
        let _ = self.blocked.lock().expect("one call").recv();
        Listener::provision(&self.vendor, request).await
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        Listener::plan_change(&self.vendor, request).await
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        Listener::deprovision(&self.vendor, request).await
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        Listener::single_sign_on(&self.vendor, request).await
    }
}

on_both_databases! {
    async fn a_deprovision_stops_a_call_that_hangs_in_any_process(database: Database) {
        database.migrated().await;
        let processes = [process(&database).await, process(&database).await];
        let vendor = Vendor::new(database.pool().await).await;
        for hung in [Hung::Provision, Hung::PlanChange] {
            for other in [0, 1] {
                let key = key();
                let call = hang(hung, &processes[0].wrap(vendor.clone()), &vendor, &key).await;
                let deprovisioning = processes[other].wrap(vendor.clone());
                let answer = Answer::from(soon("the deprovision", deprovisioning.deprovision(deprovision(&key))).await);
                assert!(answer.is_done(), "{hung:?} in process 0, deprovision in process {other}: {answer:?}");
                assert_eq!(soon("the hung call", call).await.unwrap(), Answer::Failed(FailureKind::Gone));
                assert_eq!(processes[0].in_flight().count(), 0, "the call was stopped");
                let resource = processes[0].resource(&key).await.unwrap().expect("a resource");
                assert_eq!(resource.state, State::Deprovisioned);
                assert_eq!(vendor.widget(&key).await, None);
                let calls = vendor.calls(&key).await;
                assert_eq!(calls.iter().filter(|call| call.kind == "deprovision").count(), 1);
                assert!(calls.is_sorted_by(|one, next| one.fence < next.fence), "{calls:?}");
            }
        }
    }

    async fn a_deprovision_is_accepted_while_a_provision_hangs(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let app = HookedApp::start(&ledger, &vendor, hooks.clone());
        let key = key();
        let call = hang(Hung::Provision, &app.listener, &vendor, &key).await;
        let slow_deprovision = vendor.stop_at(&key);
        let mut request = deprovision(&key);
        request.context.async_after = Some(Duration::from_millis(100));
        let outcome = soon("the deprovision", app.listener.deprovision(request)).await.expect("no failure");
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
        assert_eq!(soon("the hung call", call).await.unwrap(), Answer::Failed(FailureKind::Gone));
        slow_deprovision.entered().await;
        slow_deprovision.open();
        until("all operations are finished", || async { ledger.stats().await.unwrap().open_operations == 0 }).await;
        assert_eq!(hooks.notifications(), ["deprovisioned"]);
    }

    async fn a_call_that_cannot_be_stopped_is_fenced(database: Database) {
        let ledger = database.ledger().await;
        let mut vendor = Vendor::new(database.pool().await).await;
        vendor.checks_fence = true;
        let (key, entered, (resume, blocked)) = (key(), Gate::new(), mpsc::channel());
        let paused = SimulatedProcess::start();
        let options = database.options().lease_duration(Duration::from_hours(1));
        let (database, script, request, gate) = (database.handle(), vendor.clone(), basic(&key), entered.clone());
        let call = paused.spawn(async move {
            let vendor = script.with_pool(database.pool().await);
            let listener = Paused { vendor, entered: gate, blocked: Mutex::new(blocked) };
            Answer::from(options.open().await.expect("a ledger").wrap(listener).provision(request).await)
        });
        entered.entered().await;

        let listener = ledger.wrap(vendor.clone());
        let answer = Answer::from(soon("the deprovision", listener.deprovision(deprovision(&key))).await);
        assert!(answer.is_done(), "{answer:?}");
        resume.send(()).expect("the call still hangs");
        let late = soon("the late call", call).await.expect("no panic");
        assert!(!late.is_done(), "{late:?}");
        assert_eq!(vendor.widget(&key).await, None, "the vendor's tables accepted a late write");
        assert_eq!(ledger.resource(&key).await.unwrap().expect("a resource").state, State::Deprovisioned);
        let calls = vendor.calls(&key).await;
        let kinds: Vec<_> = calls.iter().map(|call| call.kind.as_str()).collect();
        assert_eq!(kinds, ["deprovision", "provision"]);
        assert!(calls[0].fence > calls[1].fence, "{calls:?}");
    }
}
