use std::sync::mpsc::{Receiver, channel};

use maitre_testkit::platform::{Fault, Platform, PlatformEvent};
use serde_json::json;

use super::vendor::{SECRET, Vendor};
use crate::server::answering;

/// A vendor, and what its platform tells: one word a piece of news, and what it is about.
async fn watched() -> (Vendor, Receiver<String>) {
    let platform = Platform::new("tally", "password", SECRET);
    let (sender, told) = channel();
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
    (Vendor::of(platform).await, told)
}

fn all(told: &Receiver<String>) -> Vec<String> {
    told.try_iter().collect()
}

#[tokio::test]
async fn what_happens_is_told_in_its_order() {
    let (vendor, told) = watched().await;
    let install = vendor.platform.install("basic");
    assert_eq!(all(&told), ["changed"]);
    let token = vendor.token(&install).await;
    assert_eq!(all(&told), ["asked 0 /oauth/token", "ended 0 Some(200)"]);
    vendor.act(&install, &token, "provision").await.expect(200);
    let path = format!("asked 1 /addons/{}/actions/provision", install.uuid());
    assert_eq!(all(&told), [path.as_str(), "broken ConfigMissing", "changed", "ended 1 Some(200)"]);
}

#[tokio::test]
async fn a_call_that_is_never_answered_ends_all_the_same() {
    let (vendor, told) = watched().await;
    vendor.platform.inject_fault(Fault::drop_connection());
    assert!(vendor.asking("GET", "/addons", "none").send().await.is_err());
    assert_eq!(all(&told), ["asked 0 /addons", "ended 0 None"]);

    vendor.platform.inject_fault(Fault::delay(std::time::Duration::from_mins(1)));
    let call = vendor.asking("GET", "/addons", "none").timeout(std::time::Duration::from_millis(300));
    assert!(call.send().await.is_err());
    let ended = tokio::task::spawn_blocking(move || told.iter().take(2).last()).await.expect("no panic");
    assert_eq!(ended.as_deref(), Some("ended 1 None"), "the caller hung up");
}

#[tokio::test]
async fn a_webhook_is_told_with_its_answer() {
    let (vendor, told) = watched().await;
    let (url, _arrivals) = answering(&["HTTP/1.1 204 No Content\nconnection: close\n\n"]);
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    let hook = json!({ "include": ["api:addon"], "level": "notify", "url": url });
    vendor.tell("POST", &format!("/addons/{}/webhooks", install.uuid()), &token, hook).await.expect(201);
    all(&told);
    install.rename("other");
    let told = tokio::task::spawn_blocking(move || told.iter().take(2).collect::<Vec<_>>()).await.expect("no panic");
    assert_eq!(told, ["changed", "posted Some(204)"]);
}

#[tokio::test]
async fn only_the_newest_is_remembered() {
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
