//! Rotations of credentials: recorded, replayed by the key of their request, and merged into the record.

use std::time::Duration;

use maitre_core::FailureKind::{Gone, Refused, Unknown};
use maitre_core::{Backend, Outcome, Rotate};
use maitre_ledger::{DurableListener, Ledger, OperationKind, OperationState};

use super::support::{
    Act, Answer, Database, HookedApp, RecordingHooks, Vendor, addon, basic, deprovision, key, soon, until,
};

struct Fixture {
    ledger: Ledger,
    listener: DurableListener<Vendor>,
    vendor: Vendor,
}

impl Fixture {
    async fn new(database: &Database) -> Self {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        Self { listener: ledger.wrap(vendor.clone()), ledger, vendor }
    }

    async fn resource(&self) -> String {
        let key = key();
        self.listener.provision(basic(&key)).await.expect("a widget");
        key
    }

    async fn rotate(&self, key: &str, request_key: Option<&str>) -> Answer {
        self.listener.rotate(rotate(key, request_key)).await.into()
    }

    async fn rotations(&self, key: &str) -> usize {
        self.vendor.calls(key).await.iter().filter(|call| call.kind == "rotate").count()
    }
}

fn rotate(key: &str, request_key: Option<&str>) -> Rotate {
    let mut request = Rotate::new(addon(), format!("w-{key}"));
    request.context.idempotency_key = request_key.map(Into::into);
    request.keep_old = Duration::from_mins(150);
    request.reason = Some("leak".into());
    request
}

on_both_databases! {
    async fn a_repeated_key_returns_the_same_secrets_without_a_rotation(database: Database) {
        let fixture = Fixture::new(&database).await;
        let key = fixture.resource().await;
        let first = fixture.rotate(&key, Some("k-1")).await;
        assert!(first.is_done(), "{first:?}");
        assert_eq!(fixture.rotate(&key, Some("k-1")).await, first);
        let other_process = database.open().await.wrap(fixture.vendor.clone());
        assert_eq!(Answer::from(other_process.rotate(rotate(&key, Some("k-1"))).await), first);
        assert_eq!(fixture.rotations(&key).await, 1);
        let second = fixture.rotate(&key, Some("k-2")).await;
        assert!(second.is_done() && second != first);
        assert_eq!(fixture.rotate(&key, Some("k-1")).await, first, "the older key has its own reply");
        assert_eq!(fixture.rotations(&key).await, 2);
        for _ in 0..2 {
            assert!(fixture.rotate(&key, None).await.is_done());
        }
        assert_eq!(fixture.rotations(&key).await, 4, "without a key every request rotates");
        let call = fixture.vendor.calls(&key).await.pop().expect("a call");
        assert_eq!(call.plan, "leak 9000", "reason and overlap reach the listener");
    }

    async fn a_replayed_provision_has_the_new_secrets(database: Database) {
        let fixture = Fixture::new(&database).await;
        let key = fixture.resource().await;
        let Answer::Done(rotated) = fixture.rotate(&key, Some("k-1")).await else { panic!("not rotated") };
        let secret = rotated.split('"').find(|part| part.starts_with("https://rotated-")).expect("a secret");
        let Answer::Done(replay) = fixture.listener.provision(basic(&key)).await.into() else { panic!("no replay") };
        assert!(replay.contains(secret), "{replay} has not {secret}");
        let resource = fixture.ledger.resource(&key).await.unwrap().expect("a resource");
        let last = resource.timeline.last().expect("operations");
        assert_eq!((last.kind, last.state), (OperationKind::Rotate, OperationState::Completed));
        assert_eq!(resource.plan.as_deref(), Some("basic"));
    }

    async fn concurrent_repetitions_of_one_key_join(database: Database) {
        let fixture = Fixture::new(&database).await;
        let key = fixture.resource().await;
        let gate = fixture.vendor.stop_at(&key);
        let calls: Vec<_> = (0..4)
            .map(|_| {
                let (listener, request) = (fixture.listener.clone(), rotate(&key, Some("k-1")));
                tokio::spawn(async move { Answer::from(listener.rotate(request).await) })
            })
            .collect();
        gate.entered().await;
        gate.open();
        let mut answers = Vec::new();
        for call in calls {
            answers.push(soon("a rotation", call).await.unwrap());
        }
        assert!(answers[0].is_done() && answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert_eq!(fixture.rotations(&key).await, 1);
    }

    async fn a_failed_rotation_is_retried_under_its_key(database: Database) {
        let fixture = Fixture::new(&database).await;
        let key = fixture.resource().await;
        fixture.vendor.script(&key, [Act::Fail("the vault is sealed")]);
        assert!(!fixture.rotate(&key, Some("k-1")).await.is_done());
        let retried = tokio::time::timeout(super::support::DEADLINE, async {
            loop {
                let answer = fixture.rotate(&key, Some("k-1")).await;
                if answer.is_done() {
                    break answer;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        assert!(retried.await.expect("a rotation").is_done());
        assert_eq!(fixture.rotations(&key).await, 2);
        fixture.vendor.script(&key, [Act::Refuse("Too many rotations today.")]);
        for _ in 0..2 {
            assert_eq!(fixture.rotate(&key, Some("k-3")).await, Answer::Failed(Refused));
        }
        assert_eq!(fixture.rotations(&key).await, 3, "a refusal is the recorded answer");
    }

    async fn a_rotation_is_decided_by_the_state_of_its_resource(database: Database) {
        let fixture = Fixture::new(&database).await;
        let unknown = key();
        assert_eq!(fixture.rotate(&unknown, Some("k-1")).await, Answer::Failed(Unknown));
        assert!(fixture.ledger.resource(&unknown).await.unwrap().is_none(), "nothing is recorded about it");
        let key = fixture.resource().await;
        assert!(fixture.rotate(&key, Some("k-1")).await.is_done());
        fixture.listener.deprovision(deprovision(&key)).await.unwrap();
        for request_key in [Some("k-1"), Some("k-2"), None] {
            assert_eq!(fixture.rotate(&key, request_key).await, Answer::Failed(Gone));
        }
    }

    async fn a_slow_rotation_is_accepted_and_the_marketplace_notified(database: Database) {
        let fixture = Fixture::new(&database).await;
        let hooks = RecordingHooks::default();
        let app = HookedApp::start(&fixture.ledger, &fixture.vendor, hooks.clone());
        let key = fixture.resource().await;
        let gate = fixture.vendor.stop_at(&key);
        let request = || {
            let mut request = rotate(&key, Some("k-1"));
            request.context.async_after = Some(Duration::from_millis(5));
            request
        };
        for _ in 0..2 {
            let outcome = app.listener.rotate(request()).await.unwrap();
            assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
        }
        gate.open();
        until("the marketplace is notified", || async { !hooks.notifications().is_empty() }).await;
        until("the rotation is complete", || async { app.listener.rotate(request()).await.unwrap().done().is_some() })
            .await;
        assert_eq!(hooks.notifications(), [r#"rotated ["WIDGET_URL"]"#]);
        assert_eq!(fixture.rotations(&key).await, 1);
    }
}
