//! Resources that the ledger has never seen: sold before it was there, or lost in a restore from a backup.

use std::time::Duration;

use maitre_core::sso::TokenKind;
use maitre_core::{Backend, FailureKind};
use maitre_ledger::{DurableListener, Ledger, OperationState, ResourceFilter, State, UnknownPolicy};
use sqlx::Executor;
use tokio::task::JoinHandle;

use super::support::{
    Act, Answer, Database, Gate, RunningWorker, SimulatedProcess, Vendor, basic, deprovision, key, plan_change,
    provision, sign_on, soon, until,
};
use crate::saas::Saas;
use crate::support::Folder;

const UNKNOWN: Answer = Answer::Failed(FailureKind::Unknown);
const GONE: Answer = Answer::Failed(FailureKind::Gone);
const UNAVAILABLE: Answer = Answer::Failed(FailureKind::Unavailable);

struct Fixture {
    ledger: Ledger,
    listener: DurableListener<Vendor>,
    vendor: Vendor,
}

impl Fixture {
    async fn new(database: &Database, policy: UnknownPolicy, max_attempts: u32) -> Self {
        database.migrated().await;
        let options = database.options().unknown_policy(policy).max_attempts(max_attempts);
        let ledger = options.backoff(Duration::ZERO, Duration::ZERO).open().await.expect("a ledger");
        let vendor = Vendor::new(database.pool().await).await;
        Self { listener: ledger.wrap(vendor.clone()), ledger, vendor }
    }

    async fn asking(database: &Database) -> Self {
        Self::new(database, UnknownPolicy::AskListener, 12).await
    }

    /// Returns the key of a widget that the ledger has never seen.
    async fn sold(&self) -> String {
        let key = key();
        self.vendor.sell(std::slice::from_ref(&key), "basic").await;
        key
    }

    async fn state(&self, key: &str) -> Option<State> {
        self.ledger.resource(key).await.expect("the records").map(|resource| resource.state)
    }

    async fn change_plan(&self, key: &str, plan: &str) -> Answer {
        self.listener.plan_change(plan_change(key, plan)).await.into()
    }

    async fn deprovision(&self, key: &str) -> Answer {
        self.listener.deprovision(deprovision(key)).await.into()
    }

    async fn sign_on(&self, key: &str) -> Answer {
        self.listener.single_sign_on(sign_on(key, TokenKind::User, 1_772_000_000)).await.into()
    }

    /// Starts a plan change that waits in the listener, as the first request for a resource.
    async fn start_asking(&self, key: &str) -> (Gate, JoinHandle<Answer>) {
        let gate = self.vendor.stop_at(key);
        let (listener, request) = (self.listener.clone(), plan_change(key, "premium"));
        let asking = tokio::spawn(async move { Answer::from(listener.plan_change(request).await) });
        gate.entered().await;
        (gate, asking)
    }

    /// Returns the number of open operations of a resource.
    async fn open(&self, key: &str) -> usize {
        let Some(resource) = self.ledger.resource(key).await.expect("the records") else { return 0 };
        resource.timeline.iter().filter(|operation| operation.state == OperationState::Open).count()
    }

    async fn kinds(&self, key: &str) -> Vec<String> {
        self.vendor.calls(key).await.into_iter().map(|call| call.kind).collect()
    }
}

on_both_databases! {
    async fn a_resource_sold_before_the_ledger_is_adopted_by_its_first_plan_change(database: Database) {
        let fixture = Fixture::asking(&database).await;
        let key = fixture.sold().await;
        assert!(fixture.change_plan(&key, "premium").await.is_done());
        assert_eq!(fixture.vendor.widget(&key).await.as_deref(), Some("premium"));
        let resource = fixture.ledger.resource(&key).await.unwrap().expect("an adopted resource");
        assert_eq!((resource.state, resource.plan.as_deref()), (State::Provisioned, Some("premium")));
        assert!(resource.adopted_at.is_some());
        assert_eq!(resource.timeline.len(), 1, "recorded like any operation");

        assert!(fixture.change_plan(&key, "premium").await.is_done());
        assert_eq!(fixture.kinds(&key).await, ["plan_change"], "the plan is known now");
        assert_eq!(Answer::from(fixture.listener.provision(basic(&key)).await), Answer::Failed(FailureKind::Conflict));
        assert!(fixture.sign_on(&key).await.is_done());
        assert!(fixture.deprovision(&key).await.is_done());
        assert_eq!(fixture.deprovision(&key).await, GONE);
    }

    async fn a_resource_sold_before_the_ledger_is_deprovisioned_once(database: Database) {
        let fixture = Fixture::asking(&database).await;
        let key = fixture.sold().await;
        assert!(fixture.deprovision(&key).await.is_done());
        assert_eq!(fixture.vendor.widget(&key).await, None);
        assert_eq!(fixture.state(&key).await, Some(State::Deprovisioned));
        assert_eq!(fixture.deprovision(&key).await, GONE);
        assert_eq!(Answer::from(fixture.listener.provision(basic(&key)).await), GONE);
        assert_eq!(fixture.change_plan(&key, "premium").await, GONE);
        assert_eq!(fixture.kinds(&key).await, ["deprovision"]);
    }

    async fn users_sign_in_to_a_resource_sold_before_the_ledger(database: Database) {
        let fixture = Fixture::asking(&database).await;
        let key = fixture.sold().await;
        assert!(fixture.sign_on(&key).await.is_done());
        assert_eq!(fixture.sign_on(&key).await, Answer::Failed(FailureKind::Refused), "a token is accepted once");
        assert_eq!(fixture.sign_on(&self::key()).await, UNKNOWN);
        assert_eq!(fixture.ledger.resources(ResourceFilter::new()).await.unwrap(), [], "a sign-on records nothing");
    }

    async fn a_plan_change_of_an_unknown_id_leaves_no_row(database: Database) {
        let fixture = Fixture::asking(&database).await;
        for id in [key(), "641".into()] {
            for _ in 0..2 {
                assert_eq!(fixture.change_plan(&id, "premium").await, UNKNOWN);
            }
            fixture.vendor.script(&id, [Act::Refuse("No such plan.")]);
            assert_eq!(fixture.change_plan(&id, "platinum").await, Answer::Failed(FailureKind::Refused));
            assert_eq!(fixture.vendor.calls(&id).await.len(), 3);
            assert_eq!(fixture.state(&id).await, None);
        }
        let operations = fixture.vendor.pool.fetch_all("SELECT id FROM maitre_operations").await.expect("operations");
        assert_eq!(operations.len(), 0);
        let key = key();
        assert_eq!(fixture.change_plan(&key, "premium").await, UNKNOWN);
        assert!(Answer::from(fixture.listener.provision(basic(&key)).await).is_done(), "the key is free");
    }

    async fn an_unknown_resource_is_asked_about_until_the_listener_answers(database: Database) {
        let fixture = Fixture::asking(&database).await;
        let (known, unknown) = (fixture.sold().await, key());
        for key in [&known, &unknown] {
            fixture.vendor.script(key, [Act::Fail("no connection"), Act::Panic]);
            assert_eq!(fixture.change_plan(key, "premium").await, UNAVAILABLE);
        }
        let _worker = RunningWorker::start(&fixture.ledger, &fixture.vendor);
        until("all operations are finished", || async {
            fixture.ledger.stats().await.unwrap().open_operations == 0
        })
        .await;
        assert_eq!(fixture.state(&known).await, Some(State::Provisioned));
        assert_eq!(fixture.vendor.widget(&known).await.as_deref(), Some("premium"));
        assert_eq!(fixture.state(&unknown).await, None);
    }

    async fn the_fencing_token_is_above_those_before_the_loss(database: Database) {
        let fixture = Fixture::asking(&database).await;
        let key = fixture.sold().await;
        fixture.vendor.script(&key, (0..5).map(|_| Act::Fail("no connection")));
        until("the plan is changed", || async { fixture.change_plan(&key, "premium").await.is_done() }).await;
        for delete in ["DELETE FROM maitre_operations", "DELETE FROM maitre_resources"] {
            fixture.vendor.pool.execute(delete).await.expect("the records");
        }
        assert!(fixture.deprovision(&key).await.is_done());
        let fences: Vec<_> = fixture.vendor.calls(&key).await.into_iter().map(|call| call.fence).collect();
        assert!(fences.len() == 7 && fences.is_sorted_by(|one, next| one < next), "{fences:?}");
    }

    async fn raised_fences_are_above_those_before_a_restore(database: Database) {
        let fixture = Fixture::asking(&database).await;
        let key = key();
        assert!(Answer::from(fixture.listener.provision(basic(&key)).await).is_done());
        let backup = fixture.vendor.pool.fetch_one("SELECT fence FROM maitre_resources").await.expect("a resource");
        for plan in ["premium", "gold", "basic"] {
            assert!(fixture.change_plan(&key, plan).await.is_done());
        }
        let restore = sqlx::query("UPDATE maitre_resources SET fence = $1").bind(sqlx::Row::get::<i64, _>(&backup, 0));
        fixture.vendor.pool.execute(restore).await.expect("the restored row");
        assert_eq!(fixture.ledger.raise_fences().await.unwrap(), 1);
        assert_eq!(fixture.ledger.raise_fences().await.unwrap(), 0, "they are high enough");
        assert!(fixture.deprovision(&key).await.is_done());
        let fences: Vec<_> = fixture.vendor.calls(&key).await.into_iter().map(|call| call.fence).collect();
        assert!(fences.len() == 5 && fences.is_sorted_by(|one, next| one < next), "{fences:?}");
    }

    async fn a_lost_reply_to_a_deprovision_is_a_success(database: Database) {
        let fixture = Fixture::asking(&database).await;
        let key = fixture.sold().await;
        fixture.vendor.script(&key, [Act::FailAfter("reply lost")]);
        assert_eq!(fixture.deprovision(&key).await, UNAVAILABLE);
        // the listener no longer knows the resource, because the first attempt removed it
        assert!(fixture.deprovision(&key).await.is_done());
        assert_eq!(fixture.deprovision(&key).await, GONE);
    }

    async fn a_parked_question_is_forgotten_when_it_is_abandoned(database: Database) {
        let fixture = Fixture::new(&database, UnknownPolicy::AskListener, 1).await;
        let key = key();
        fixture.vendor.script(&key, [Act::Fail("disk full")]);
        assert_eq!(fixture.change_plan(&key, "premium").await, UNAVAILABLE);
        let parked = fixture.ledger.resource(&key).await.unwrap().expect("a resource").timeline[0].id;
        assert_eq!(fixture.ledger.parked_operations().await.unwrap().len(), 1);
        assert!(fixture.ledger.operator("ada").abandon(parked).await.unwrap());
        assert_eq!(fixture.state(&key).await, None);
    }

    async fn requests_wait_while_the_listener_is_asked(database: Database) {
        let fixture = Fixture::asking(&database).await;
        for request in ["same plan", "other plan", "deprovision"] {
            for sold in [true, false] {
                let key = if sold { fixture.sold().await } else { key() };
                let (gate, asking) = fixture.start_asking(&key).await;
                for plan in ["basic", "gold"] {
                    let answer = Answer::from(fixture.listener.provision(provision(&key, plan)).await);
                    assert_eq!(answer, UNAVAILABLE, "a provision while {request} waits");
                }
                let (listener, id) = (fixture.listener.clone(), key.clone());
                let waiting = tokio::spawn(async move {
                    match request {
                        "same plan" => Answer::from(listener.plan_change(plan_change(&id, "premium")).await),
                        "other plan" => Answer::from(listener.plan_change(plan_change(&id, "gold")).await),
                        _ => Answer::from(listener.deprovision(deprovision(&id)).await),
                    }
                });
                match request {
                    "other plan" => until("it waits", || async { fixture.open(&key).await == 2 }).await,
                    "deprovision" => {
                        let deprovisioning = Some(State::Deprovisioning);
                        until("it waits", || async { fixture.state(&key).await == deprovisioning }).await;
                    }
                    _ => {}
                }
                gate.open();
                let asked = soon("the first answer", asking).await.unwrap();
                let answer = soon("the second answer", waiting).await.unwrap();
                let calls = fixture.vendor.calls(&key).await.len();
                match (request, sold) {
                    ("same plan", true) => assert!(asked.is_done() && answer == asked && calls == 1, "{answer:?}"),
                    // the deprovision may overtake the plan change
                    ("deprovision", true) => {
                        assert!((asked.is_done() || asked == GONE) && answer.is_done() && calls == 2, "{answer:?}");
                    }
                    ("deprovision", false) => {
                        assert!((asked == UNKNOWN || asked == GONE) && answer == UNKNOWN && calls == 2, "{answer:?}");
                    }
                    (_, true) => assert!(asked.is_done() && answer.is_done() && calls == 2, "{request}: {answer:?}"),
                    // the duplicate may come after the end of the first request, and is then asked about again
                    ("same plan", false) => assert_eq!((asked, answer), (UNKNOWN, UNKNOWN)),
                    (_, false) => assert_eq!((asked, answer, calls), (UNKNOWN, UNKNOWN, 2), "{request}"),
                }
                let state = match (request, sold) {
                    ("deprovision", _) => Some(State::Deprovisioned),
                    (_, true) => Some(State::Provisioned),
                    (_, false) => None,
                };
                assert_eq!(fixture.state(&key).await, state, "{request} {sold}");
            }
        }
    }

    async fn concurrent_requests_for_an_unknown_resource_make_one_call(database: Database) {
        let fixture = Fixture::asking(&database).await;
        let other = database.open().await.wrap(fixture.vendor.clone());
        for _ in 0..10 {
            let key = fixture.sold().await;
            let calls: Vec<_> = (0..8)
                .map(|number| {
                    let listener = if number % 2 == 0 { fixture.listener.clone() } else { other.clone() };
                    let request = deprovision(&key);
                    tokio::spawn(async move { Answer::from(listener.deprovision(request).await) })
                })
                .collect();
            for call in calls {
                let answer = soon("an answer", call).await.unwrap();
                assert!(answer.is_done() || answer == GONE, "{answer:?}");
            }
            assert_eq!(fixture.kinds(&key).await, ["deprovision"]);
        }
    }

    async fn another_process_asks_again_when_the_first_one_dies(database: Database) {
        database.migrated().await;
        let ledger = database.options().lease_duration(Duration::from_millis(300)).open().await.expect("a ledger");
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        vendor.sell(std::slice::from_ref(&key), "basic").await;
        let gate = vendor.stop_at(&key);
        let process = SimulatedProcess::start();
        let dying = {
            let (options, script) = (database.options().lease_duration(Duration::from_millis(300)), vendor.clone());
            let (database, id) = (database.handle(), key.clone());
            process.spawn(async move {
                let ledger = options.open().await.expect("a ledger");
                let vendor = script.with_pool(database.pool().await);
                let _ = ledger.wrap(vendor).deprovision(deprovision(&id)).await;
            })
        };
        gate.entered().await;
        process.kill();
        let _ = dying.await;
        let answer = soon("the answer", ledger.wrap(vendor.clone()).deprovision(deprovision(&key))).await;
        assert!(Answer::from(answer).is_done());
        assert_eq!(vendor.widget(&key).await, None);
    }

    async fn a_ledger_that_answers_unknown_calls_no_listener(database: Database) {
        let fixture = Fixture::new(&database, UnknownPolicy::AnswerUnknown, 12).await;
        let key = fixture.sold().await;
        assert_eq!(fixture.change_plan(&key, "premium").await, UNKNOWN);
        assert_eq!(fixture.sign_on(&key).await, UNKNOWN);
        assert_eq!(fixture.deprovision(&key).await, UNKNOWN);
        assert_eq!(fixture.deprovision(&key).await, GONE);
        assert_eq!(fixture.vendor.calls(&key).await, []);
    }

    async fn the_example_answers_for_a_resource_whose_records_were_lost(database: Database) {
        // the example's own pool prepares statements, which an older pooler does not support
        let (folder, url) = (Folder::new(), database.direct_url());
        let mut saas = Saas::start_on(&folder, &url);
        let key = key();
        saas.heroku().provision("basic").uuid(&key).await.expect(200);
        saas.heroku().plan_change(&key, "premium").await.expect(200);
        assert!(saas.terminate().success());
        let pool = database.pool().await;
        for delete in ["DELETE FROM maitre_operations", "DELETE FROM maitre_resources"] {
            pool.execute(delete).await.expect("the records");
        }
        let saas = Saas::start_on(&folder, &url);
        let heroku = saas.heroku();
        let exists = async || {
            let row = sqlx::query("SELECT key FROM resources WHERE key = $1 AND token IS NOT NULL").bind(&key);
            pool.fetch_optional(row).await.expect("the vendor's rows").is_some()
        };
        heroku.single_sign_on(&key).await.expect(302);
        heroku.plan_change(&key, "basic").await.expect(200);
        assert!(exists().await);
        heroku.deprovision(&key).await.expect(204);
        assert!(!exists().await);
        heroku.deprovision(&key).await.expect(410);
        heroku.provision("basic").uuid(&key).await.expect(410);
    }
}
