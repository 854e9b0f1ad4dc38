//! Webhooks: rejected without a valid signature, stored before they are acknowledged, handled once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use maitre::platform::api::{Entity, WebhookSettings};
use maitre::platform::{Event, PlatformBuilder, Received, WebhookSecret};
use maitre_core::Failure;
use reqwest::StatusCode;
use time::OffsetDateTime;

use super::setup::{WEBHOOK_SECRET, id};
use super::{App, Fixture};
use crate::ledger::support::{Database, RandomNumbers, until};

/// Names learned from events, and the ids of the handled events.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<NamesInner>>);

#[derive(Default)]
struct NamesInner {
    names: BTreeMap<String, (OffsetDateTime, String)>,
    handled: Vec<String>,
}

impl Names {
    fn of(&self, uuid: &str) -> Option<String> {
        self.0.lock().unwrap().names.get(uuid).map(|(_, name)| name.clone())
    }

    fn handled(&self) -> Vec<String> {
        self.0.lock().unwrap().handled.clone()
    }

    /// Applies the latest change, in any order of delivery.
    fn apply(&self, event: &Event) -> maitre_core::Result<()> {
        let mut known = self.0.lock().unwrap();
        known.handled.push(event.id.clone());
        if event.id.starts_with("poison") {
            return Err(Failure::refused("This event cannot be handled."));
        }
        let (Some(changed), Some(uuid)) = (event.changed_at(), event.data["id"].as_str()) else { return Ok(()) };
        let name = event.data["name"].as_str().unwrap_or_default().to_owned();
        let latest = known.names.entry(uuid.to_owned()).or_insert((changed, name.clone()));
        if latest.0 < changed {
            *latest = (changed, name);
        }
        Ok(())
    }

    fn subscribe(&self, platform: PlatformBuilder) -> PlatformBuilder {
        let names = self.clone();
        platform.on_event(move |event| {
            let names = names.clone();
            async move { names.apply(&event) }
        })
    }
}

fn signature(body: &[u8]) -> String {
    maitre_testkit::sign::webhook(WEBHOOK_SECRET, body)
}

async fn deliver(app: &App, signature: Option<&str>, body: Vec<u8>) -> StatusCode {
    let url = app.server.url("/heroku/webhooks");
    let request = reqwest::Client::new().post(url).header("content-type", "application/json").body(body);
    let request = match signature {
        Some(signature) => request.header("heroku-webhook-hmac-sha256", signature),
        None => request,
    };
    request.send().await.expect("an answer").status()
}

fn renamed(event: &str, uuid: &str, second: u32, name: &str) -> Vec<u8> {
    let data = serde_json::json!({ "id": uuid, "name": name, "updated_at": format!("2026-03-04T05:06:{second:02}Z") });
    serde_json::json!({ "id": event, "action": "update", "resource": "addon", "data": data }).to_string().into_bytes()
}

on_both_databases! {
    async fn a_delivered_event_is_handled_once(database: Database) {
        let fixture = Fixture::new(database).await;
        let names = Names::default();
        let app = fixture.start_app_with(fixture.options(), |platform| names.subscribe(platform)).await;
        let install = fixture.installed(&app).await;
        let webhook =
            WebhookSettings::new([Entity::AddOn], app.server.url("/heroku/webhooks")).with_secret(WEBHOOK_SECRET);
        let (uuid, webhook) = (install.uuid(), &webhook);
        app.platform.call(&id(&install), |api| async move { api.subscribe(uuid, webhook).await }).await.unwrap();

        install.rename("lantern-main");
        until("the event is handled", || async { names.of(uuid).as_deref() == Some("lantern-main") }).await;
        let deliveries = fixture.heroku.deliveries();
        assert_eq!(deliveries[0].attempt_statuses().collect::<Vec<_>>(), [Some(204)]);
        // a repeated delivery is a duplicate
        assert_eq!(fixture.heroku.redeliver(&deliveries[0]).await.unwrap(), 204);
        app.wait_for_jobs().await;
        assert_eq!(names.handled(), [deliveries[0].event_id()]);
        fixture.assert_no_violations();
    }

    async fn only_the_documented_signature_is_accepted(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app_without_worker(fixture.options(), |platform| platform).await;
        let body = br#"{"id":"e1","action":"update"}"#;
        let known = "UzZ9lxyUHKEcIS19mrzX0UYf6I4YaEhPtUlDgI0AZWw=";
        assert_eq!(deliver(&app, Some(known), body.to_vec()).await, StatusCode::NO_CONTENT);
        assert_eq!(deliver(&app, None, body.to_vec()).await, StatusCode::UNAUTHORIZED);
        assert_eq!(deliver(&app, Some(""), body.to_vec()).await, StatusCode::UNAUTHORIZED);
        assert_eq!(deliver(&app, Some("é"), body.to_vec()).await, StatusCode::UNAUTHORIZED);
        assert_eq!(app.ledger.stats().await.unwrap().open_jobs, 1);
        let get = reqwest::get(app.server.url("/heroku/webhooks")).await.unwrap().status();
        assert_eq!(get, StatusCode::METHOD_NOT_ALLOWED);
        let long = vec![b' '; 1024 * 1024 + 1];
        assert_eq!(deliver(&app, Some(&signature(&long)), long).await, StatusCode::PAYLOAD_TOO_LARGE);
    }

    async fn deliveries_with_a_flipped_bit_are_rejected(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app_without_worker(fixture.options(), |platform| platform).await;
        let receiver = app.platform.webhook_receiver([WebhookSecret::new(WEBHOOK_SECRET).unwrap()]);
        let body = renamed("e1", "7b0c", 7, "lantern-main");
        let signed = BASE64_STANDARD.decode(signature(&body)).unwrap();
        let mut random = RandomNumbers::seeded(4);
        for round in 0..10_000 {
            let (mut body, mut signed) = (body.clone(), signed.clone());
            let flipped = if round % 2 == 0 { &mut body } else { &mut signed };
            let bit = random.below(flipped.len() * 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
            let result = receiver.receive(Some(&BASE64_STANDARD.encode(&signed)), &body).await;
            assert!(matches!(result, maitre::platform::Received::InvalidSignature), "bit {bit}, round {round}");
        }
        assert_eq!(app.ledger.stats().await.unwrap().open_jobs, 0);
    }

    async fn events_with_duplicates_give_the_same_result_in_any_order(database: Database) {
        let fixture = Fixture::new(database).await;
        let names = Names::default();
        let app = fixture.start_app_with(fixture.options(), |platform| names.subscribe(platform)).await;
        let receiver = app.platform.webhook_receiver([WebhookSecret::new(WEBHOOK_SECRET).unwrap()]);
        let all = permutations(&[0, 1, 2, 3, 4]);
        assert_eq!(all.len(), 120);
        for (number, permutation) in all.iter().enumerate() {
            let uuid = format!("add-on {number}");
            for (index, event) in permutation.iter().enumerate() {
                let body = renamed(&format!("{number}.{event}"), &uuid, *event, &format!("name {event}"));
                let times = 1 + (index + number) % 3; // some of them two or three times
                for _ in 0..times {
                    let result = receiver.receive(Some(&signature(&body)), &body).await;
                    assert!(matches!(
                        result,
                        maitre::platform::Received::Accepted | maitre::platform::Received::Duplicate
                    ));
                }
            }
        }
        app.wait_for_jobs().await;
        for number in 0..all.len() {
            assert_eq!(names.of(&format!("add-on {number}")).as_deref(), Some("name 4"), "permutation {number}");
        }
        let mut handled = names.handled();
        handled.sort();
        let times = handled.len();
        handled.dedup();
        assert_eq!((times, handled.len()), (600, 600), "each event is handled once");
    }

    async fn an_unreadable_or_failing_event_does_not_block_others(database: Database) {
        let fixture = Fixture::new(database).await;
        let names = Names::default();
        let app = fixture.start_app_with(fixture.options(), |platform| names.subscribe(platform)).await;
        for body in [
            renamed("poison 1", "7b0c", 1, "x"),
            b"not JSON".to_vec(),
            br#"{"action":"update"}"#.to_vec(),
            renamed("e2", "7b0c", 2, "lantern-main"),
        ] {
            assert_eq!(deliver(&app, Some(&signature(&body)), body.clone()).await, StatusCode::NO_CONTENT);
        }
        app.wait_for_jobs().await;
        assert_eq!(names.of("7b0c").as_deref(), Some("lantern-main"));
        let parked = app.ledger.parked_jobs().await.unwrap();
        assert_eq!(parked.len(), 3, "{parked:?}");
        assert!(parked.iter().all(|job| job.kind == "event" && job.last_error.is_some()));
    }

    async fn an_event_that_cannot_be_stored_is_not_acknowledged(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app_without_worker(fixture.options(), |platform| platform).await;
        let body = renamed("e1", "7b0c", 7, "lantern-main");
        app.ledger.close().await;
        assert_eq!(deliver(&app, Some(&signature(&body)), body).await, StatusCode::SERVICE_UNAVAILABLE);
    }

    async fn an_old_secret_is_accepted_until_its_end(database: Database) {
        let fixture = Fixture::new(database).await;
        let app = fixture.start_app_without_worker(fixture.options(), |platform| platform).await;
        let secret = |text: &str| WebhookSecret::new(text).unwrap();
        let end = fixture.heroku.clock().now() + Duration::from_hours(1);
        let receiver = app.platform.webhook_receiver([secret("new"), secret("old").with_expiry(end)]);
        let deliver = async |by: &str, id: &str| {
            let body = format!(r#"{{"id":"{id}","action":"update"}}"#).into_bytes();
            receiver.receive(Some(&maitre_testkit::sign::webhook(by, &body)), &body).await
        };
        assert!(matches!(deliver("new", "e1").await, Received::Accepted));
        assert!(matches!(deliver("old", "e2").await, Received::Accepted));
        assert!(matches!(deliver("older", "e3").await, Received::InvalidSignature));
        fixture.heroku.clock().advance(Duration::from_hours(1));
        assert!(matches!(deliver("new", "e4").await, Received::Accepted));
        assert!(matches!(deliver("old", "e5").await, Received::InvalidSignature));
    }
}

fn permutations(of: &[u32]) -> Vec<Vec<u32>> {
    let [_, _, ..] = of else { return vec![of.to_vec()] };
    let mut all = Vec::new();
    for (index, first) in of.iter().enumerate() {
        let mut rest = of.to_vec();
        rest.remove(index);
        all.extend(permutations(&rest).into_iter().map(|mut permutation| {
            permutation.insert(0, *first);
            permutation
        }));
    }
    all
}
