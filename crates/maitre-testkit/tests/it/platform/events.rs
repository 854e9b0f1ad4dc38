use std::sync::mpsc::{Receiver, channel};

use maitre_testkit::platform::{Fault, Platform, PlatformEvent};
use serde_json::json;

use super::vendor::{SECRET, Vendor};
use crate::server::answering;

/// A vendor and the events of its platform, one line per event.
async fn watched() -> (Vendor, Receiver<String>) {
    let platform = Platform::new("tally", "password", SECRET);
    let (sender, events) = channel();
    platform.watch(move |news| {
        let line = match news {
            PlatformEvent::RequestReceived(call) => format!("asked {} {}", call.number(), call.path()),
            PlatformEvent::ExchangeEnded(call) => format!("ended {} {:?}", call.number(), call.status()),
            PlatformEvent::WebhookPosted { reply, .. } => {
                format!("posted {:?}", reply.as_ref().map(maitre_testkit::Reply::status))
            }
            PlatformEvent::RuleViolated(violation) => format!("broken {:?}", violation.rule()),
            PlatformEvent::InstallChanged(_) => "changed".to_owned(),
            other => panic!("{other:?}"),
        };
        let _ = sender.send(line);
    });
    (Vendor::of(platform).await, events)
}

fn all(events: &Receiver<String>) -> Vec<String> {
    events.try_iter().collect()
}

#[tokio::test]
async fn events_are_reported_in_order() {
    let (vendor, events) = watched().await;
    let install = vendor.platform.install("basic");
    assert_eq!(all(&events), ["changed"]);
    let token = vendor.token(&install).await;
    assert_eq!(all(&events), ["asked 0 /oauth/token", "ended 0 Some(200)"]);
    vendor.act(&install, &token, "provision").await.expect(200);
    let path = format!("asked 1 /addons/{}/actions/provision", install.uuid());
    assert_eq!(all(&events), [path.as_str(), "broken ConfigMissing", "changed", "ended 1 Some(200)"]);
}

#[tokio::test]
async fn a_call_without_a_response_ends_when_its_caller_hangs_up() {
    let (vendor, events) = watched().await;
    vendor.platform.inject_fault(Fault::drop_connection());
    assert!(vendor.asking("GET", "/addons", "none").send().await.is_err());
    assert_eq!(all(&events), ["asked 0 /addons", "ended 0 None"]);

    vendor.platform.inject_fault(Fault::delay(std::time::Duration::from_mins(1)));
    let call = vendor.asking("GET", "/addons", "none").timeout(std::time::Duration::from_millis(300));
    assert!(call.send().await.is_err());
    let ended = tokio::task::spawn_blocking(move || events.iter().take(2).last()).await.expect("no panic");
    assert_eq!(ended.as_deref(), Some("ended 1 None"), "the caller hung up");
}

#[tokio::test]
async fn a_webhook_is_reported_with_its_response() {
    let (vendor, events) = watched().await;
    let (url, _arrivals) = answering(&["HTTP/1.1 204 No Content\nconnection: close\n\n"]);
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    let hook = json!({ "include": ["api:addon"], "level": "notify", "url": url });
    vendor.tell("POST", &format!("/addons/{}/webhooks", install.uuid()), &token, hook).await.expect(201);
    all(&events);
    install.rename("other");
    let events =
        tokio::task::spawn_blocking(move || events.iter().take(2).collect::<Vec<_>>()).await.expect("no panic");
    assert_eq!(events, ["changed", "posted Some(204)"]);
}

#[tokio::test]
async fn only_the_newest_exchanges_are_kept() {
    let vendor = Vendor::of(
        Platform::builder("tally", "password", SECRET).settings(|settings| settings.history_limit = 3).build(),
    )
    .await;
    for _ in 0..5 {
        vendor.asking("GET", "/addons", "none").send().await.expect("an answer");
    }
    let numbers: Vec<_> = vendor.platform.exchanges().iter().map(maitre_testkit::platform::Exchange::number).collect();
    assert_eq!(numbers, [2, 3, 4]);
}
