//! State table of the ledger: every request in every state, reached by real requests.

use maitre_core::FailureKind::{Conflict, Gone, Unavailable, Unknown};
use maitre_core::sso::TokenKind;
use maitre_core::{Backend, FailureKind};
use maitre_ledger::{DurableListener, Ledger, OperationState, State};
use sqlx::Executor;
use tokio::task::JoinHandle;

use super::support::{
    Act, Answer, Database, Gate, Vendor, basic, key, plan, provision, remove, short_or_long, sign_on, soon, until,
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
enum Cell {
    /// Completed with one call of the listener, now or in its turn.
    Call,
    /// Completed without a call.
    NoCall,
    /// Joined: the reply of the running call, without another call.
    Join,
    /// Replayed: the stored reply, without a call.
    Replay,
    No(FailureKind),
}

use Cell::{Call, Join, No, NoCall, Replay};

/// Resource in a state, with the call that keeps it there.
struct Scene {
    key: String,
    gate: Option<Gate>,
    under_way: Option<JoinHandle<Answer>>,
    first: Option<Answer>,
}

struct House {
    ledger: Ledger,
    kept: DurableListener<Vendor>,
    vendor: Vendor,
}

impl House {
    async fn on(database: &Database) -> Self {
        let rest = std::time::Duration::ZERO;
        database.migrated().await;
        let ledger = database.options().max_attempts(1).backoff(rest, rest).open().await.expect("a ledger");
        let vendor = Vendor::new(database.pool().await).await;
        Self { kept: ledger.wrap(vendor.clone()), ledger, vendor }
    }

    async fn send(&self, event: &str, key: &str) -> Answer {
        let id = key;
        match event {
            "as first asked" => self.kept.provision(basic(id)).await.into(),
            "otherwise" => self.kept.provision(provision(id, "gold")).await.into(),
            "another plan" => self.kept.plan_change(plan(id, "gold")).await.into(),
            "its plan" => self.kept.plan_change(plan(id, "basic")).await.into(),
            "the coming plan" => self.kept.plan_change(plan(id, "premium")).await.into(),
            "deprovision" => self.kept.deprovision(remove(id)).await.into(),
            "single sign-on" => self.kept.single_sign_on(sign_on(id, TokenKind::User, 1_772_000_000)).await.into(),
            _ => unreachable!("{event}"),
        }
    }

    fn sent(&self, event: &'static str, key: &str) -> JoinHandle<Answer> {
        let house = Self { ledger: self.ledger.clone(), kept: self.kept.clone(), vendor: self.vendor.clone() };
        let key = key.to_owned();
        tokio::spawn(async move { house.send(event, &key).await })
    }

    /// Brings a new resource into a state.
    async fn reach(&self, state: Option<State>) -> Scene {
        let key = key();
        let mut scene = Scene { key: key.clone(), gate: None, under_way: None, first: None };
        match state {
            Some(State::Refused) => self.vendor.tell(&key, [Act::Refuse("No such plan here.")]),
            Some(State::Parked) => self.vendor.tell(&key, [Act::Fail("disk full")]),
            Some(State::Provisioning) => scene.gate = Some(self.vendor.stop_at(&key)),
            _ => {}
        }
        match state {
            None => {}
            Some(State::Provisioning) => scene.under_way = Some(self.sent("as first asked", &key)),
            Some(_) => scene.first = Some(self.send("as first asked", &key).await),
        }
        match state {
            Some(State::ChangingPlan) => {
                scene.gate = Some(self.vendor.stop_at(&key));
                scene.under_way = Some(self.sent("the coming plan", &key));
            }
            Some(State::Deprovisioning) => {
                scene.gate = Some(self.vendor.stop_at(&key));
                scene.under_way = Some(self.sent("deprovision", &key));
            }
            Some(State::Deprovisioned) => assert!(self.send("deprovision", &key).await.is_done()),
            _ => {}
        }
        if let Some(gate) = &scene.gate {
            gate.entered().await;
        }
        assert_eq!(self.state(&key).await, state);
        scene
    }

    async fn state(&self, key: &str) -> Option<State> {
        self.ledger.resource(key).await.expect("the records").map(|resource| resource.state)
    }

    async fn check(&self, event: &'static str, state: Option<State>, cell: Cell) {
        let scene = self.reach(state).await;
        let what = format!("{event} when {state:?}");
        let before = self.vendor.calls(&scene.key).await.len();
        self.forget_who_asked(&scene.key).await;
        let mut answer = self.sent(event, &scene.key);
        // a request that must not wait is answered while the other call is still at the gate
        let waits = scene.gate.is_some() && matches!(cell, Call | Join);
        let early = if waits && event != "single sign-on" {
            if matches!(cell, Call) {
                // the operation is recorded before its turn
                until(&what, || async { self.open(&scene.key).await == 2 }).await;
            } else {
                until(&what, || async { self.was_asked_for(&scene.key).await }).await;
            }
            assert!(!answer.is_finished(), "{what}: it did not wait");
            None
        } else {
            Some(soon(&what, &mut answer).await.expect("an answer"))
        };
        if let Some(gate) = &scene.gate {
            gate.open();
        }
        let under_way = match scene.under_way {
            Some(first) => Some(soon(&what, first).await.expect("the call under way")),
            None => None,
        };
        let answer = match early {
            Some(answer) => answer,
            None => soon(&what, answer).await.expect("an answer"),
        };
        let calls = self.vendor.calls(&scene.key).await.len() - before;
        match cell {
            Call => assert!(answer.is_done() && calls == 1, "{what}: {answer:?} after {calls} calls"),
            NoCall => assert!(answer.is_done() && calls == 0, "{what}: {answer:?} after {calls} calls"),
            Join => assert_eq!((Some(answer), calls), (under_way, 0), "{what}"),
            Replay => assert_eq!((Some(answer), calls), (scene.first, 0), "{what}"),
            No(kind) => assert_eq!((answer, calls), (Answer::Failed(kind), 0), "{what}"),
        }
    }

    /// Resets the time of the last request, so that a joining request is detected at any speed.
    async fn forget_who_asked(&self, key: &str) {
        let forget = "UPDATE maitre_operations SET last_requested_at = 0
                      WHERE resource = (SELECT id FROM maitre_resources WHERE key = $1)";
        self.vendor.pool.execute(sqlx::query(forget).bind(key)).await.expect("the records");
    }

    async fn was_asked_for(&self, key: &str) -> bool {
        let asked = "SELECT o.id FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource
                     WHERE r.key = $1 AND o.state = 'open' AND o.last_requested_at > 0";
        self.vendor.pool.fetch_optional(sqlx::query(asked).bind(key)).await.expect("the records").is_some()
    }

    /// Returns the number of open operations of a resource.
    async fn open(&self, key: &str) -> usize {
        let resource = self.ledger.resource(key).await.expect("the records").expect("a resource");
        resource.timeline.iter().filter(|operation| operation.state == OperationState::Open).count()
    }

    async fn check_row(&self, event: &'static str, cells: [Cell; 8]) {
        for (state, cell) in STATES.into_iter().zip(cells) {
            self.check(event, state, cell).await;
        }
    }
}

on_both_databases! {
    async fn a_repeated_provision_runs_once_and_replays(database: Database) {
        let cells = [Call, Join, Replay, Replay, No(Gone), No(Gone), Replay, Call];
        House::on(&database).await.check_row("as first asked", cells).await;
    }

    async fn a_provision_with_different_parameters_is_a_conflict(database: Database) {
        let cells = [Call, No(Conflict), No(Conflict), No(Conflict), No(Gone), No(Gone), No(Conflict), Call];
        House::on(&database).await.check_row("otherwise", cells).await;
    }

    async fn a_plan_change_waits_for_its_turn(database: Database) {
        let cells = [No(Unknown), Call, Call, Call, No(Gone), No(Gone), No(Unknown), No(Unavailable)];
        House::on(&database).await.check_row("another plan", cells).await;
    }

    async fn a_change_to_the_current_plan_makes_no_call(database: Database) {
        let house = House::on(&database).await;
        house.check("its plan", Some(State::Provisioned), NoCall).await;
        house.check("the coming plan", Some(State::ChangingPlan), Join).await;
    }

    async fn a_deprovision_works_in_every_state(database: Database) {
        let cells = [No(Unknown), Call, Call, Call, Join, No(Gone), NoCall, Call];
        House::on(&database).await.check_row("deprovision", cells).await;
    }

    async fn only_existing_resources_can_be_signed_in_to(database: Database) {
        let no = No(Unknown);
        House::on(&database).await.check_row("single sign-on", [no, no, Call, Call, no, no, no, no]).await;
    }

    async fn a_deprovisioned_resource_stays_gone_after_any_request(database: Database) {
        let house = House::on(&database).await;
        let events = ["as first asked", "otherwise", "another plan", "its plan", "deprovision"];
        for number in 0..short_or_long(20, 1000) {
            // deprovisioned from every state
            let scene = house.reach(STATES[number % STATES.len()]).await;
            let removal = house.sent("deprovision", &scene.key);
            if let Some(gate) = &scene.gate {
                gate.open();
            }
            soon("a removal", removal).await.expect("an answer");
            for event in events {
                assert_eq!(house.send(event, &scene.key).await, Answer::Failed(Gone), "{event}");
            }
            assert_eq!(house.send("single sign-on", &scene.key).await, Answer::Failed(Unknown));
            assert_eq!(house.state(&scene.key).await, Some(State::Deprovisioned));
            assert_eq!(house.vendor.widget(&scene.key).await, None);
        }
        assert_eq!(house.vendor.widgets().await, Vec::<String>::new());
    }

    async fn a_deprovision_overtakes_waiting_plan_changes(database: Database) {
        let house = House::on(&database).await;
        let scene = house.reach(Some(State::ChangingPlan)).await;
        let waiting = house.sent("another plan", &scene.key);
        until("a plan change waits", || async { house.open(&scene.key).await == 2 }).await;
        let removal = house.sent("deprovision", &scene.key);
        until("a removal wins", || async { house.state(&scene.key).await == Some(State::Deprovisioning) }).await;
        scene.gate.expect("a gate").open();
        assert!(soon("the removal", removal).await.expect("an answer").is_done());
        assert_eq!(soon("the plan change", waiting).await.expect("an answer"), Answer::Failed(Gone));
        let kinds: Vec<_> = house.vendor.calls(&scene.key).await.into_iter().map(|call| call.kind).collect();
        assert_eq!(kinds, ["provision", "plan change", "deprovision"]);
    }
}
