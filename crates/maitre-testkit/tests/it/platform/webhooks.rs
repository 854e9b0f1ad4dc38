use std::sync::mpsc::Receiver;

use maitre_testkit::{
    platform::{Install, Platform, State},
    sign,
};
use serde_json::{Value, json};
use std::time::Duration;

use super::vendor::{SECRET, Vendor, text, vendor};
use crate::server::{ExchangeId, answering};

const TAKEN: &str = "HTTP/1.1 204 No Content\nconnection: close\n\n";
const BROKEN: &str = "HTTP/1.1 500 Oops\nconnection: close\ncontent-length: 0\n\n";

/// A vendor with a webhook subscription.
struct Subscribed {
    vendor: Vendor,
    install: Install,
    token: String,
    hook: Value,
    arrivals: Receiver<ExchangeId>,
}

async fn subscribed(level: &str, answers: &[&str]) -> Subscribed {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    let (root, arrivals) = answering(answers);
    let body = json!({
        "include": ["api:addon", "api:addon-attachment"], "level": level, "url": format!("{root}/hooks"),
        "secret": "lantern-webhook-secret", "authorization": "Bearer ours",
    });
    let hook = vendor.tell("POST", &path(&install), &token, body).await.expect(201);
    Subscribed { vendor, install, token, hook, arrivals }
}

fn path(install: &Install) -> String {
    format!("/addons/{}/webhooks", install.uuid())
}

fn body(arrived: &ExchangeId) -> Value {
    serde_json::from_str(&arrived.body).expect("JSON")
}

/// Waits a few seconds for this number of delivery attempts.
async fn tried(platform: &Platform, attempts: usize) {
    for _ in 0..500 {
        if platform.deliveries().iter().map(|delivery| delivery.attempt_statuses().count()).sum::<usize>() >= attempts {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not delivered: {:?}", platform.deliveries());
}

#[tokio::test]
async fn a_generated_secret_is_returned_once() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    let subscription = json!({ "include": ["api:addon"], "level": "sync", "url": "https://tally.example/hooks" });
    let made = vendor.tell("POST", &path(&install), &token, subscription.clone()).await;
    assert!(made.header("heroku-webhook-secret").is_some_and(|secret| secret.len() >= 32));
    let hook = made.expect(201);
    let names: Vec<_> = hook.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["addon", "created_at", "id", "include", "level", "updated_at", "url"]);

    let one = format!("{}/{}", path(&install), text(&hook, "id"));
    let got = vendor.ask("GET", &one, &token).await;
    assert!(got.header("heroku-webhook-secret").is_none());
    assert_eq!(got.expect(200), hook);
    assert_eq!(vendor.ask("GET", &path(&install), &token).await.expect(200), json!([hook]));
    let changed = vendor.tell("PATCH", &one, &token, json!({ "level": "notify" })).await.expect(200);
    assert_eq!((&changed["level"], &changed["url"]), (&json!("notify"), &hook["url"]));
    vendor.ask("DELETE", &one, &token).await.expect(200);
    vendor.ask("GET", &one, &token).await.refused(404, "not_found");

    vendor.platform.update_settings(|settings| settings.webhook_status = 200);
    let mut chosen = subscription.clone();
    chosen["secret"] = json!("ours");
    let made = vendor.tell("POST", &path(&install), &token, chosen).await;
    assert!(made.header("heroku-webhook-secret").is_none());
    made.expect(200);
    for (field, value) in [
        ("include", json!([])),
        ("include", json!(["api:everything"])),
        ("level", json!("often")),
        ("url", json!("ftp://x")),
        ("url", json!(null)),
        ("secret", json!(7)),
    ] {
        let mut wrong = subscription.clone();
        wrong[field] = value;
        vendor.tell("POST", &path(&install), &token, wrong).await.refused(422, "invalid_params");
    }
}

#[tokio::test]
async fn an_event_is_posted_with_a_signature_over_its_bytes() {
    let Subscribed { vendor, install, token, hook, arrivals } = subscribed("sync", &[TAKEN]).await;
    install.rename("tally-main");
    tried(&vendor.platform, 1).await;

    let arrived = arrivals.recv().expect("a delivery");
    assert_eq!(arrived.line, "POST /hooks HTTP/1.1");
    let signature = sign::webhook("lantern-webhook-secret", arrived.body.as_bytes());
    for header in [
        format!("heroku-webhook-hmac-sha256: {signature}"),
        "content-type: application/json".to_owned(),
        "authorization: Bearer ours".to_owned(),
    ] {
        assert!(arrived.headers.contains(&header), "{header} in {:?}", arrived.headers);
    }
    let event = body(&arrived);
    assert_eq!((&event["action"], &event["resource"]), (&json!("update"), &json!("addon")));
    assert_eq!(event["data"]["name"], "tally-main");
    assert!(event["previous_data"]["name"].as_str().is_some_and(|name| name.starts_with("tally-curved-")));
    assert_eq!(event["webhook_metadata"]["event"], json!({ "id": event["id"], "include": "api:addon" }));
    assert_eq!(event["webhook_metadata"]["webhook"]["id"], hook["id"]);

    let listed = vendor.ask("GET", &format!("/addons/{}/webhook-deliveries", install.uuid()), &token).await.expect(200);
    assert_eq!((&listed[0]["status"], &listed[0]["num_attempts"]), (&json!("succeeded"), &json!(1)));
    let one = format!("/addons/{}/webhook-deliveries/{}", install.uuid(), text(&listed[0], "id"));
    assert_eq!(vendor.ask("GET", &one, &token).await.expect(200), listed[0]);
    let one = format!("/addons/{}/webhook-events/{}", install.uuid(), text(&event, "id"));
    let known = vendor.ask("GET", &one, &token).await.expect(200);
    assert_eq!(known["payload"]["data"], event["data"]);
    let all = vendor.ask("GET", &format!("/addons/{}/webhook-events", install.uuid()), &token).await.expect(200);
    assert_eq!(all, json!([known]));
}

#[tokio::test]
async fn a_failed_delivery_is_retried_by_the_platform_clock() {
    let Subscribed { vendor, install, arrivals, .. } = subscribed("sync", &[BROKEN, BROKEN, TAKEN]).await;
    vendor.platform.clock().stop();
    install.rename("tally-main");
    tried(&vendor.platform, 1).await;
    assert_eq!(vendor.platform.deliveries()[0].status(), "retrying");

    vendor.platform.clock().advance(Duration::from_mins(1));
    tried(&vendor.platform, 2).await;
    vendor.platform.clock().advance(Duration::from_mins(2));
    tried(&vendor.platform, 3).await;
    let delivery = &vendor.platform.deliveries()[0];
    assert_eq!(delivery.attempt_statuses().collect::<Vec<_>>(), [Some(500), Some(500), Some(204)]);
    assert_eq!((delivery.status(), delivery.next_attempt_at()), ("succeeded", None));

    let events: Vec<_> = arrivals.iter().take(3).map(|arrived| body(&arrived)).collect();
    assert!(events.iter().all(|event| event["id"] == delivery.event_id()));
    assert_ne!(events[0]["webhook_metadata"]["attempt"], events[1]["webhook_metadata"]["attempt"]);
}

#[tokio::test]
async fn a_delivery_fails_after_three_days() {
    let Subscribed { vendor, install, .. } = subscribed("sync", &[]).await;
    vendor.platform.clock().stop();
    install.rename("tally-main");
    let mut attempts = 0;
    while vendor.platform.deliveries()[0].status() != "failed" {
        attempts += 1;
        assert!(attempts < 100, "{:?}", vendor.platform.deliveries());
        // the install ends meanwhile, which is another delivery
        let is_done = || vendor.platform.deliveries()[0].attempt_statuses().count() >= attempts;
        let done = async {
            while !is_done() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), done).await.expect("an attempt");
        vendor.platform.clock().advance(Duration::from_hours(1));
    }
    // one per hour, from the event to the end of the third day
    assert_eq!(attempts, 73);
}

#[tokio::test]
async fn a_notify_delivery_is_not_retried() {
    let Subscribed { vendor, install, .. } = subscribed("notify", &[BROKEN]).await;
    install.attach("blog", "BLOG_TALLY");
    tried(&vendor.platform, 1).await;
    let delivery = &vendor.platform.deliveries()[0];
    assert_eq!((delivery.status(), delivery.include()), ("failed", "api:addon-attachment"));
}

#[tokio::test]
async fn a_delivery_can_be_repeated() {
    let Subscribed { vendor, install, arrivals, .. } = subscribed("sync", &[TAKEN, TAKEN]).await;
    install.rename("tally-main");
    tried(&vendor.platform, 1).await;
    let delivery = &vendor.platform.deliveries()[0];
    assert_eq!(vendor.platform.redeliver(delivery).await.expect("an answer"), 204);
    let (first, second) = (body(&arrivals.recv().expect("one")), body(&arrivals.recv().expect("two")));
    assert_eq!((&first["id"], &first["data"]), (&second["id"], &second["data"]));
}

#[tokio::test]
async fn only_subscribed_entities_are_delivered_and_the_end_comes_last() {
    let Subscribed { vendor, install, arrivals, .. } = subscribed("sync", &[TAKEN, TAKEN]).await;
    let app = vendor.platform.app(&install.app());
    app.collaborator("ada@example.org", "member").rename("market");
    install.detach("TALLY");
    install.remove_silently();
    tried(&vendor.platform, 2).await;
    assert_eq!(install.state(), State::Deprovisioned);
    let events: Vec<_> = arrivals.iter().take(2).map(|arrived| body(&arrived)).collect();
    let events: Vec<_> = events.iter().map(|event| (&event["resource"], &event["action"])).collect();
    assert_eq!(events, [(&json!("addon-attachment"), &json!("destroy")), (&json!("addon"), &json!("destroy"))]);
}

#[tokio::test]
async fn app_events_are_delivered_to_the_add_ons_of_the_app() {
    let vendor = vendor().await;
    let (install, other) =
        (vendor.platform.install_builder("basic").app("shop").create(), vendor.platform.install("basic"));
    let (root, arrivals) = answering(&[TAKEN, TAKEN, TAKEN]);
    for install in [&install, &other] {
        let token = vendor.token(install).await;
        let subscription = json!({ "include": ["api:app", "api:collaborator"], "level": "sync", "url": root });
        vendor.tell("POST", &path(install), &token, subscription).await.expect(201);
    }
    let app = vendor.platform.app("shop");
    app.collaborator("ada@example.org", "member").rename("market").remove_collaborator("ada@example.org");
    tried(&vendor.platform, 3).await;
    let events: Vec<_> = arrivals.iter().take(3).map(|arrived| body(&arrived)).collect();
    assert_eq!(
        (&events[0]["resource"], &events[0]["data"]["user"]["email"]),
        (&json!("collaborator"), &json!("ada@example.org"))
    );
    assert_eq!((&events[1]["data"]["name"], &events[1]["previous_data"]["name"]), (&json!("market"), &json!("shop")));
    assert_eq!((&events[2]["action"], &events[2]["data"]["role"]), (&json!("destroy"), &json!("member")));
    assert_eq!(vendor.platform.deliveries().len(), 3);
}

#[tokio::test]
async fn a_platform_that_is_not_served_delivers_on_request() {
    let platform = Platform::new("tally", "password", SECRET);
    assert_eq!(platform.deliver_webhooks().await, 0);
}
