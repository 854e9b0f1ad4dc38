//! State table of the ledger: every request in every state, reached by real requests.

use maitre_core::FailureKind::{Conflict, Gone, Unavailable, Unknown};
use maitre_core::sso::TokenKind;
use maitre_core::{Backend, FailureKind};
use maitre_ledger::{DurableListener, Ledger, OperationState, State};
use sqlx::Executor;
use tokio::task::JoinHandle;

use super::support::{
    Act, Answer, Database, Gate, Vendor, basic, deprovision, key, plan_change, provision, short_or_long, sign_on, soon,
    until,
};

const STATES: [Option<State>; 8] = [
    None,
    Some(State::Provisioning),
    Some(State::Provisioned),
    Some(State::ChangingPlan),
    Some(State::Deprovisioning),
    Some(State::Deprovisioned),
    Some(State::Refused),
    Some(State::Parked),
];

/// Expected result of a request: the reply and the listener calls.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// Completed with one call of the listener, now or in its turn.
    Call,
    /// Completed without a call.
    NoCall,
    /// Joined: the reply of the running call, without another call.
    Join,
    /// Replayed: the stored reply, without a call.
    Replay,
    No(FailureKind),
    /// The listener is asked, and this is its answer.
    Asked(FailureKind),
}

use Expected::{Asked, Call, Join, No, NoCall, Replay};

/// Resource in a state, with the call that keeps it there.
struct Case {
    key: String,
    gate: Option<Gate>,
    running: Option<JoinHandle<Answer>>,
    first: Option<Answer>,
}

struct Fixture {
    ledger: Ledger,
    listener: DurableListener<Vendor>,
    vendor: Vendor,
}

impl Fixture {
    async fn new(database: &Database) -> Self {
        let backoff = std::time::Duration::ZERO;
        database.migrated().await;
        let ledger = database.options().max_attempts(1).backoff(backoff, backoff).open().await.expect("a ledger");
        let vendor = Vendor::new(database.pool().await).await;
        Self { listener: ledger.wrap(vendor.clone()), ledger, vendor }
    }

    async fn send(&self, event: &str, key: &str) -> Answer {
        let id = key;
        match event {
            "same provision" => self.listener.provision(basic(id)).await.into(),
            "different provision" => self.listener.provision(provision(id, "gold")).await.into(),
            "other plan" => self.listener.plan_change(plan_change(id, "gold")).await.into(),
            "current plan" => self.listener.plan_change(plan_change(id, "basic")).await.into(),
            "pending plan" => self.listener.plan_change(plan_change(id, "premium")).await.into(),
            "deprovision" => self.listener.deprovision(deprovision(id)).await.into(),
            "single sign-on" => self.listener.single_sign_on(sign_on(id, TokenKind::User, 1_772_000_000)).await.into(),
            _ => unreachable!("{event}"),
        }
    }

    fn spawn(&self, event: &'static str, key: &str) -> JoinHandle<Answer> {
        let fixture =
            Self { ledger: self.ledger.clone(), listener: self.listener.clone(), vendor: self.vendor.clone() };
        let key = key.to_owned();
        tokio::spawn(async move { fixture.send(event, &key).await })
    }

    /// Brings a new resource into a state.
    async fn reach(&self, state: Option<State>) -> Case {
        let key = key();
        let mut case = Case { key: key.clone(), gate: None, running: None, first: None };
        match state {
            Some(State::Refused) => self.vendor.script(&key, [Act::Refuse("No such plan here.")]),
            Some(State::Parked) => self.vendor.script(&key, [Act::Fail("disk full")]),
            Some(State::Provisioning) => case.gate = Some(self.vendor.stop_at(&key)),
            _ => {}
        }
        match state {
            None => {}
            Some(State::Provisioning) => case.running = Some(self.spawn("same provision", &key)),
            Some(_) => case.first = Some(self.send("same provision", &key).await),
        }
        match state {
            Some(State::ChangingPlan) => {
                case.gate = Some(self.vendor.stop_at(&key));
                case.running = Some(self.spawn("pending plan", &key));
            }
            Some(State::Deprovisioning) => {
                case.gate = Some(self.vendor.stop_at(&key));
                case.running = Some(self.spawn("deprovision", &key));
            }
            Some(State::Deprovisioned) => assert!(self.send("deprovision", &key).await.is_done()),
            _ => {}
        }
        if let Some(gate) = &case.gate {
            gate.entered().await;
        }
        assert_eq!(self.state(&key).await, state);
        case
    }

    async fn state(&self, key: &str) -> Option<State> {
        self.ledger.resource(key).await.expect("the records").map(|resource| resource.state)
    }

    async fn check(&self, event: &'static str, state: Option<State>, expected: Expected) {
        let case = self.reach(state).await;
        let what = format!("{event} when {state:?}");
        let before = self.vendor.calls(&case.key).await.len();
        self.reset_last_request(&case.key).await;
        let mut answer = self.spawn(event, &case.key);
        // a request that must not wait is answered while the other call is still at the gate
        let waits = case.gate.is_some() && matches!(expected, Call | Join);
        let early = if waits && event != "single sign-on" {
            if matches!(expected, Call) {
                // the operation is recorded before its turn
                until(&what, || async { self.open(&case.key).await == 2 }).await;
            } else {
                until(&what, || async { self.was_requested(&case.key).await }).await;
            }
            assert!(!answer.is_finished(), "{what}: it did not wait");
            None
        } else {
            Some(soon(&what, &mut answer).await.expect("an answer"))
        };
        if let Some(gate) = &case.gate {
            gate.open();
        }
        let running = match case.running {
            Some(first) => Some(soon(&what, first).await.expect("the running call")),
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
            Join => assert_eq!((Some(answer), calls), (running, 0), "{what}"),
            Replay => assert_eq!((Some(answer), calls), (case.first, 0), "{what}"),
            No(kind) => assert_eq!((answer, calls), (Answer::Failed(kind), 0), "{what}"),
            Asked(kind) => assert_eq!((answer, calls), (Answer::Failed(kind), 1), "{what}"),
        }
    }

    /// Resets the time of the last request, so that a joining request is detected at any speed.
    async fn reset_last_request(&self, key: &str) {
        let update = "UPDATE maitre_operations SET last_requested_at = 0
                      WHERE resource_id = (SELECT id FROM maitre_resources WHERE key = $1)";
        self.vendor.pool.execute(sqlx::query(update).bind(key)).await.expect("the records");
    }

    async fn was_requested(&self, key: &str) -> bool {
        let select = "SELECT o.id FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource_id
                     WHERE r.key = $1 AND o.state = 'open' AND o.last_requested_at > 0";
        self.vendor.pool.fetch_optional(sqlx::query(select).bind(key)).await.expect("the records").is_some()
    }

    /// Returns the number of open operations of a resource.
    async fn open(&self, key: &str) -> usize {
        let resource = self.ledger.resource(key).await.expect("the records").expect("a resource");
        resource.timeline.iter().filter(|operation| operation.state == OperationState::Open).count()
    }

    async fn check_row(&self, event: &'static str, row: [Expected; 8]) {
        for (state, expected) in STATES.into_iter().zip(row) {
            self.check(event, state, expected).await;
        }
    }
}

on_both_databases! {
    async fn a_repeated_provision_runs_once_and_replays(database: Database) {
        let row = [Call, Join, Replay, Replay, No(Gone), No(Gone), Replay, Call];
        Fixture::new(&database).await.check_row("same provision", row).await;
    }

    async fn a_provision_with_different_parameters_is_a_conflict(database: Database) {
        let row = [Call, No(Conflict), No(Conflict), No(Conflict), No(Gone), No(Gone), No(Conflict), Call];
        Fixture::new(&database).await.check_row("different provision", row).await;
    }

    async fn a_plan_change_waits_for_its_turn(database: Database) {
        let row = [Asked(Unknown), Call, Call, Call, No(Gone), No(Gone), No(Unknown), No(Unavailable)];
        Fixture::new(&database).await.check_row("other plan", row).await;
    }

    async fn a_change_to_the_current_plan_makes_no_call(database: Database) {
        let fixture = Fixture::new(&database).await;
        fixture.check("current plan", Some(State::Provisioned), NoCall).await;
        fixture.check("pending plan", Some(State::ChangingPlan), Join).await;
    }

    async fn a_deprovision_works_in_every_state(database: Database) {
        let row = [Asked(Unknown), Call, Call, Call, Join, No(Gone), NoCall, Call];
        Fixture::new(&database).await.check_row("deprovision", row).await;
    }

    async fn only_existing_resources_can_be_signed_in_to(database: Database) {
        let (no, asked) = (No(Unknown), Asked(Unknown));
        Fixture::new(&database).await.check_row("single sign-on", [asked, no, Call, Call, no, no, no, no]).await;
    }

    async fn a_deprovisioned_resource_stays_gone_after_any_request(database: Database) {
        let fixture = Fixture::new(&database).await;
        let events = ["same provision", "different provision", "other plan", "current plan", "deprovision"];
        for number in 0..short_or_long(20, 1000) {
            // deprovisioned from every state
            let case = fixture.reach(STATES[number % STATES.len()]).await;
            let deprovisioning = fixture.spawn("deprovision", &case.key);
            if let Some(gate) = &case.gate {
                gate.open();
            }
            soon("a deprovision", deprovisioning).await.expect("an answer");
            for event in events {
                assert_eq!(fixture.send(event, &case.key).await, Answer::Failed(Gone), "{event}");
            }
            assert_eq!(fixture.send("single sign-on", &case.key).await, Answer::Failed(Unknown));
            assert_eq!(fixture.state(&case.key).await, Some(State::Deprovisioned));
            assert_eq!(fixture.vendor.widget(&case.key).await, None);
        }
        assert_eq!(fixture.vendor.widgets().await, Vec::<String>::new());
    }

    async fn a_deprovision_overtakes_waiting_plan_changes(database: Database) {
        let fixture = Fixture::new(&database).await;
        let case = fixture.reach(Some(State::ChangingPlan)).await;
        let waiting = fixture.spawn("other plan", &case.key);
        until("a plan change waits", || async { fixture.open(&case.key).await == 2 }).await;
        let deprovisioning = fixture.spawn("deprovision", &case.key);
        until("the deprovision overtakes", || async { fixture.state(&case.key).await == Some(State::Deprovisioning) })
            .await;
        case.gate.expect("a gate").open();
        assert!(soon("the deprovision", deprovisioning).await.expect("an answer").is_done());
        assert_eq!(soon("the plan change", waiting).await.expect("an answer"), Answer::Failed(Gone));
        let kinds: Vec<_> = fixture.vendor.calls(&case.key).await.into_iter().map(|call| call.kind).collect();
        assert_eq!(kinds, ["provision", "plan_change", "deprovision"]);
    }
}
