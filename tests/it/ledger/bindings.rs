//! State table of bindings: every bind and unbind in every state, reached by real requests.

use std::time::Duration;

use maitre_core::FailureKind::{Concurrent, Conflict, Gone, Unavailable, Unknown};
use maitre_core::{Backend, Bind, FailureKind, FetchBinding, Outcome};
use maitre_ledger::{DurableListener, Ledger, OperationState, State};
use tokio::task::JoinHandle;

use super::support::{
    Act, Answer, Database, Gate, RunningWorker, Vendor, addon, basic, bind, deprovision, key, plan_change, replies,
    short_or_long, soon, unbind, until, update,
};

const BINDING: &str = "b/1 ü";

/// State of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BindingState {
    Never,
    Binding,
    Bound,
    Unbinding,
    Unbound,
    Refused,
    Parked,
}

const STATES: [BindingState; 7] = [
    BindingState::Never,
    BindingState::Binding,
    BindingState::Bound,
    BindingState::Unbinding,
    BindingState::Unbound,
    BindingState::Refused,
    BindingState::Parked,
];

/// Expected result of a request: the answer and the listener calls.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// Completed with one call of the listener, now or in its turn.
    Call,
    /// Completed without a call.
    NoCall,
    /// Joined: the answer of the running call, without another call.
    Join,
    /// Replayed: the stored answer, without a call.
    Replay,
    No(FailureKind),
    /// The listener is asked, and this is its answer.
    Asked(FailureKind),
}

use Expected::{Asked, Call, Join, No, NoCall, Replay};

#[derive(Clone)]
struct Fixture {
    ledger: Ledger,
    listener: DurableListener<Vendor>,
    vendor: Vendor,
}

/// Resource with a binding in a state, and the call that keeps it there.
struct Case {
    key: String,
    gate: Option<Gate>,
    running: Option<JoinHandle<Answer>>,
    first: Option<Answer>,
}

impl Fixture {
    async fn new(database: &Database, separate: bool) -> Self {
        database.migrated().await;
        let options = database.options().max_attempts(1).backoff(Duration::ZERO, Duration::ZERO);
        let ledger = options.open().await.expect("a ledger");
        let mut vendor = Vendor::new(database.pool().await).await;
        vendor.separate = separate;
        Self { listener: ledger.wrap(vendor.clone()), ledger, vendor }
    }

    /// Provisions a resource and returns its key.
    async fn resource(&self) -> String {
        let key = key();
        self.listener.provision(basic(&key)).await.expect("a widget");
        key
    }

    async fn send(&self, event: &str, key: &str) -> Answer {
        match event {
            "bind" => self.listener.bind(bind(key, BINDING)).await.into(),
            "other bind" => self.listener.bind(other_bind(key)).await.into(),
            "unbind" => self.listener.unbind(unbind(key, BINDING)).await.into(),
            "deprovision" => self.listener.deprovision(deprovision(key)).await.into(),
            "provision" => self.listener.provision(basic(key)).await.into(),
            "plan change" => self.listener.plan_change(plan_change(key, "premium")).await.into(),
            _ => unreachable!("{event}"),
        }
    }

    fn spawn(&self, event: &'static str, key: &str) -> JoinHandle<Answer> {
        let (fixture, key) = (self.clone(), key.to_owned());
        tokio::spawn(async move { fixture.send(event, &key).await })
    }

    async fn reach(&self, state: BindingState) -> Case {
        let key = self.resource().await;
        let mut case = Case { key: key.clone(), gate: None, running: None, first: None };
        match state {
            BindingState::Never => return case,
            BindingState::Binding => {
                case.gate = Some(self.vendor.stop_at(&key));
                case.running = Some(self.spawn("bind", &key));
            }
            BindingState::Refused => self.vendor.script(&key, [Act::Refuse("No more bindings here.")]),
            BindingState::Parked => self.vendor.script(&key, [Act::Fail("disk full")]),
            _ => {}
        }
        if state != BindingState::Binding {
            case.first = Some(self.send("bind", &key).await);
        }
        match state {
            BindingState::Unbinding => {
                case.gate = Some(self.vendor.stop_at(&key));
                case.running = Some(self.spawn("unbind", &key));
            }
            BindingState::Unbound => assert!(self.send("unbind", &key).await.is_done()),
            _ => {}
        }
        if let Some(gate) = &case.gate {
            gate.entered().await;
        }
        case
    }

    /// Returns the number of open operations of a resource.
    async fn open(&self, key: &str) -> usize {
        let resource = self.ledger.resource(key).await.expect("the records").expect("a resource");
        resource.timeline.iter().filter(|operation| operation.state == OperationState::Open).count()
    }

    async fn check(&self, event: &'static str, state: BindingState, expected: Expected) {
        let case = self.reach(state).await;
        let what = format!("{event} when {state:?}");
        let before = self.vendor.calls(&case.key).await.len();
        let mut answer = self.spawn(event, &case.key);
        let waits = case.gate.is_some() && matches!(expected, Call | Join);
        if waits {
            if matches!(expected, Call) {
                // the operation is recorded before its turn
                until(&what, || async { self.open(&case.key).await == 2 }).await;
            }
            assert!(!answer.is_finished(), "{what}: it did not wait");
        }
        let early = if waits { None } else { Some(soon(&what, &mut answer).await.expect("an answer")) };
        if let Some(gate) = &case.gate {
            gate.open();
        }
        let running = match case.running {
            Some(running) => Some(soon(&what, running).await.expect("the running call")),
            None => None,
        };
        let answer = match early {
            Some(answer) => answer,
            None => soon(&what, answer).await.expect("an answer"),
        };
        let calls = self.vendor.calls(&case.key).await.len() - before;
        match expected {
            Call => assert!(answer.is_done() && calls == 1, "{what}: {answer:?} after {calls} calls"),
            NoCall => assert!(answer.is_done() && calls == 0, "{what}: {answer:?} after {calls} calls"),
            // a duplicate that comes after the end is answered from the record
            Join => assert!(
                (Some(&answer) == running.as_ref() || answer == Answer::Failed(Gone)) && calls == 0,
                "{what}: {answer:?}"
            ),
            Replay => assert_eq!((Some(answer), calls), (case.first, 0), "{what}"),
            No(kind) => assert_eq!((answer, calls), (Answer::Failed(kind), 0), "{what}"),
            Asked(kind) => assert_eq!((answer, calls), (Answer::Failed(kind), 1), "{what}"),
        }
    }

    async fn check_row(&self, event: &'static str, row: [Expected; 7]) {
        for (state, expected) in STATES.into_iter().zip(row) {
            self.check(event, state, expected).await;
        }
    }
}

fn other_bind(key: &str) -> Bind {
    let mut request = bind(key, BINDING);
    request.parameters.insert("read_only", true);
    request
}

on_both_databases! {
    async fn a_repeated_bind_runs_once_and_replays(database: Database) {
        let row = [Call, Join, Replay, No(Gone), No(Gone), Replay, Call];
        Fixture::new(&database, true).await.check_row("bind", row).await;
    }

    async fn a_bind_with_different_parameters_is_a_conflict(database: Database) {
        let row = [Call, No(Conflict), No(Conflict), No(Gone), No(Gone), No(Conflict), Call];
        Fixture::new(&database, true).await.check_row("other bind", row).await;
    }

    async fn an_unbind_works_in_every_state(database: Database) {
        let row = [Asked(Unknown), Call, Call, Join, No(Gone), NoCall, Call];
        Fixture::new(&database, true).await.check_row("unbind", row).await;
        // without separate credentials there is nothing to ask about
        let row = [No(Unknown), Call, Call, Join, No(Gone), NoCall, Call];
        Fixture::new(&database, false).await.check_row("unbind", row).await;
    }

    async fn a_bind_needs_a_provisioned_resource(database: Database) {
        let fixture = Fixture::new(&database, true).await;
        let unknown = key();
        assert_eq!(fixture.send("bind", &unknown).await, Answer::Failed(Unknown));
        assert_eq!(fixture.send("unbind", &unknown).await, Answer::Failed(Unknown));
        assert_eq!(fixture.vendor.calls(&unknown).await.len(), 2, "the listener is asked");
        assert_eq!(fixture.ledger.resource(&unknown).await.unwrap(), None, "without a trace");

        let provisioning = key();
        let gate = fixture.vendor.stop_at(&provisioning);
        let running = fixture.spawn("provision", &provisioning);
        gate.entered().await;
        assert_eq!(fixture.send("bind", &provisioning).await, Answer::Failed(Concurrent));
        gate.open();
        assert!(soon("the provision", running).await.unwrap().is_done());

        let changing = fixture.resource().await;
        let gate = fixture.vendor.stop_at(&changing);
        let running = fixture.spawn("plan change", &changing);
        gate.entered().await;
        let waiting = fixture.spawn("bind", &changing);
        until("the bind waits", || async { fixture.open(&changing).await == 2 }).await;
        gate.open();
        assert!(soon("the plan change", running).await.unwrap().is_done());
        assert!(soon("the bind", waiting).await.unwrap().is_done());

        let deprovisioning = fixture.resource().await;
        let gate = fixture.vendor.stop_at(&deprovisioning);
        let running = fixture.spawn("deprovision", &deprovisioning);
        gate.entered().await;
        assert_eq!(fixture.send("bind", &deprovisioning).await, Answer::Failed(Gone));
        assert_eq!(fixture.send("unbind", &deprovisioning).await, Answer::Failed(Gone));
        gate.open();
        assert!(soon("the deprovision", running).await.unwrap().is_done());
        assert_eq!(fixture.send("bind", &deprovisioning).await, Answer::Failed(Gone));

        for (act, kind) in [(Act::Refuse("No such plan."), Unknown), (Act::Fail("disk full"), Unavailable)] {
            let key = key();
            fixture.vendor.script(&key, [act]);
            assert!(!fixture.send("provision", &key).await.is_done());
            assert_eq!(fixture.send("bind", &key).await, Answer::Failed(kind));
        }
    }

    async fn a_binding_sold_before_the_ledger_adopts_its_resource(database: Database) {
        let fixture = Fixture::new(&database, true).await;
        let key = key();
        fixture.vendor.sell(std::slice::from_ref(&key), "basic").await;
        let mut request = bind(&key, BINDING);
        request.plan = Some("basic".into());
        assert!(Answer::from(fixture.listener.bind(request).await).is_done());
        let resource = fixture.ledger.resource(&key).await.unwrap().expect("an adopted resource");
        assert_eq!((resource.state, resource.plan.as_deref()), (State::Provisioned, Some("basic")));
        assert!(resource.adopted_at.is_some());
        assert!(fixture.send("unbind", &key).await.is_done());
        assert_eq!(fixture.vendor.credentials(&key).await, Vec::<String>::new());
    }

    async fn a_resource_ends_its_bindings(database: Database) {
        let fixture = Fixture::new(&database, true).await;
        let key = fixture.resource().await;
        assert!(fixture.send("bind", &key).await.is_done());
        assert!(fixture.send("deprovision", &key).await.is_done());
        for event in ["bind", "unbind", "deprovision"] {
            assert_eq!(fixture.send(event, &key).await, Answer::Failed(Gone), "{event}");
        }
        let fetched = fixture.listener.fetch_binding(FetchBinding::new(addon(), key.as_str(), BINDING)).await;
        assert_eq!(fetched.expect_err("no binding").kind(), Gone);
        let secrets = "SELECT id FROM maitre_bindings WHERE reply IS NOT NULL OR request_hash IS NOT NULL
             UNION ALL SELECT id FROM maitre_operations WHERE request IS NOT NULL OR (reply IS NOT NULL AND kind = 'bind')";
        let rows = sqlx::Executor::fetch_all(&fixture.vendor.pool, secrets).await.expect("rows");
        assert_eq!(rows.len(), 0, "no credentials are kept");
    }

    async fn a_deprovision_overtakes_a_hanging_bind(database: Database) {
        let fixture = Fixture::new(&database, true).await;
        let case = fixture.reach(BindingState::Binding).await;
        let answer = soon("the deprovision", fixture.spawn("deprovision", &case.key)).await.unwrap();
        assert!(answer.is_done(), "{answer:?}");
        let running = soon("the bind", case.running.expect("a call")).await.unwrap();
        assert_eq!(running, Answer::Failed(Gone));
        assert_eq!(fixture.vendor.credentials(&case.key).await, Vec::<String>::new());
    }

    async fn a_replayed_bind_is_distinguishable_and_equal(database: Database) {
        let fixture = Fixture::new(&database, true).await;
        let key = fixture.resource().await;
        let first = fixture.listener.bind(bind(&key, BINDING)).await.expect("credentials");
        assert!(matches!(first, Outcome::Done(_)));
        let again = fixture.listener.bind(bind(&key, BINDING)).await.expect("credentials");
        assert!(matches!(again, Outcome::Replayed(_)));
        let first = Answer::from(Ok(first));
        assert_eq!(Answer::from(Ok(again)), first);
        let fetched = fixture.listener.fetch_binding(FetchBinding::new(addon(), key.as_str(), BINDING)).await;
        assert_eq!(Answer::from(fetched), first);
        let other = fixture.send("bind", &fixture.resource().await).await;
        assert!(other.is_done() && other != first, "a binding's key is unique under its resource only");
    }

    async fn bindings_share_the_current_config_vars_by_default(database: Database) {
        let fixture = Fixture::new(&database, false).await;
        let key = fixture.resource().await;
        let bound = |binding: &'static str| {
            let (listener, key) = (fixture.listener.clone(), key.clone());
            async move {
                let bound = listener.bind(bind(&key, binding)).await.expect("credentials").done().expect("a reply");
                bound.credentials().text("A_FIRST").map(ToOwned::to_owned)
            }
        };
        assert_eq!(bound("b-1").await.as_deref(), Some("basic"));
        fixture.listener.plan_change(plan_change(&key, "premium")).await.expect("a plan change");
        fixture.listener.update(update(&key, "large")).await.expect("an update");
        assert_eq!(bound("b-2").await.as_deref(), Some("premium"));
        let last = fixture.listener.bind(bind(&key, "b-3")).await.expect("credentials").done().expect("a reply");
        assert_eq!(last.credentials().text("SIZE"), Some("large"));
    }

    async fn a_failed_bind_is_retried_and_a_lost_reply_is_found(database: Database) {
        database.migrated().await;
        let ledger = database.open().await;
        let mut vendor = Vendor::new(database.pool().await).await;
        vendor.separate = true;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        listener.provision(basic(&key)).await.expect("a widget");
        vendor.script(&key, [Act::FailAfter("reply lost"), Act::Fail("no connection"), Act::Panic]);
        assert_eq!(Answer::from(listener.bind(bind(&key, BINDING)).await), Answer::Failed(Unavailable));
        let worker = RunningWorker::start(&ledger, &vendor);
        until("all operations are finished", || async { ledger.stats().await.unwrap().open_operations == 0 }).await;
        drop(worker);
        assert_eq!(vendor.credentials(&key).await, [BINDING]);
        vendor.script(&key, [Act::FailAfter("reply lost")]);
        assert_eq!(Answer::from(listener.unbind(unbind(&key, BINDING)).await), Answer::Failed(Unavailable));
        assert!(Answer::from(listener.unbind(unbind(&key, BINDING)).await).is_done(), "nothing is left to remove");
    }

    async fn concurrent_binds_make_one_call(database: Database) {
        let fixture = Fixture::new(&database, true).await;
        let other = database.open().await;
        for _ in 0..short_or_long(5, 100) {
            let key = fixture.resource().await;
            let calls: Vec<_> = (0..16)
                .map(|number| {
                    let ledger = if number % 2 == 0 { &fixture.ledger } else { &other };
                    let (listener, request) = (ledger.wrap(fixture.vendor.clone()), bind(&key, BINDING));
                    async move { listener.bind(request).await }
                })
                .collect();
            let answers = replies(calls).await;
            assert!(answers[0].is_done() && answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
            assert_eq!(fixture.vendor.calls(&key).await.len(), 2);
        }
    }

    async fn keys_are_used_again_only_if_the_setting_allows_it(database: Database) {
        let fixture = Fixture::new(&database, true).await;
        let key = fixture.resource().await;
        let reusing = fixture.ledger.wrap(fixture.vendor.clone()).with_key_reuse(true);
        let first = fixture.send("bind", &key).await;
        assert!(first.is_done() && fixture.send("unbind", &key).await.is_done());
        assert_eq!(fixture.send("bind", &key).await, Answer::Failed(Gone));
        let second = Answer::from(reusing.bind(bind(&key, BINDING)).await);
        assert!(second.is_done() && second != first, "new credentials");
        assert!(fixture.send("deprovision", &key).await.is_done());
        assert_eq!(fixture.send("provision", &key).await, Answer::Failed(Gone));
        assert!(Answer::from(reusing.provision(basic(&key)).await).is_done());
        assert!(Answer::from(reusing.deprovision(deprovision(&key)).await).is_done());
        assert_eq!(fixture.vendor.widget(&key).await, None);
    }
}
