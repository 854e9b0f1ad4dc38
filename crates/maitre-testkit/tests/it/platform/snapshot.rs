use maitre_testkit::platform::{Platform, Rule, State};
use serde_json::json;
use std::time::Duration;

use super::vendor::{SECRET, Vendor, vendor};

/// Returns the vendor after a restart of its platform.
async fn restarted(before: &Vendor) -> Vendor {
    let platform = Platform::new("tally", "password", SECRET);
    platform.restore(&before.platform.snapshot()).expect("a valid snapshot");
    Vendor::of(platform).await
}

#[tokio::test]
async fn a_restored_snapshot_is_equivalent_for_the_vendor() {
    let before = vendor().await;
    let install = before.platform.install_builder("basic").app("shop").name("tally-shop").create();
    let token = before.token(&install).await;
    before.set(&install, &token, "TALLY_URL", "https://tally.example/1").await.expect(200);
    install.attach("blog", "BLOG");
    let hook = json!({ "include": ["api:addon"], "level": "sync", "url": "http://127.0.0.1:1/" });
    before.tell("POST", &format!("/addons/{}/webhooks", install.uuid()), &token, hook).await.expect(201);
    before.platform.clock().advance(Duration::from_hours(2));

    let after = restarted(&before).await;
    let same = after.platform.find("tally-shop").expect("the install");
    assert_eq!(
        (same.json(), same.config(), same.call_counts()),
        (install.json(), install.config(), install.call_counts())
    );
    assert_eq!(same.grant().code(), install.grant().code());
    assert!(after.platform.clock().now() - before.platform.clock().now() < Duration::from_mins(1));
    let ask = |what: &str| format!("/addons/{}/{what}", same.uuid());
    assert_eq!(after.ask("GET", &ask("webhooks"), &token).await.expect(200)[0]["level"], "sync");
    let attachments = after.ask("GET", &ask("addon-attachments"), &token).await.expect(200);
    let mut names: Vec<_> = (0..2).map(|place| attachments[place]["name"].as_str().expect("a name")).collect();
    names.sort_unstable(); // the list is sorted by random ids
    assert_eq!(names, ["BLOG", "TALLY"]);
    after.act(&same, &token, "provision").await.expect(200);
    assert_eq!(after.rules_broken(), []);
}

#[tokio::test]
async fn changes_due_while_stopped_happen_once_after_a_restore() {
    let before = vendor().await;
    let lost = before.platform.install("basic");
    before.platform.clock().advance(Duration::from_mins(6));
    assert_eq!(before.rules_broken(), [Rule::LostGrant]);

    let after = restarted(&before).await;
    after.platform.clock().advance(Duration::from_hours(13));
    let lost = after.platform.find(lost.uuid()).expect("the install");
    assert_eq!((lost.state(), lost.call_counts().lost_grants), (State::Deprovisioned, 1));
    assert_eq!(after.rules_broken(), [], "the lost grant was reported before");
}

#[test]
fn an_invalid_snapshot_is_an_error() {
    let platform = Platform::new("tally", "password", SECRET);
    let odd = [("addon/7".to_owned(), "{}".to_owned())].into();
    assert!(platform.restore(&odd).unwrap_err().to_string().contains("missing field"));
}

#[test]
fn several_add_ons_of_one_app_have_different_attachment_names() {
    let platform = Platform::new("tally", "password", SECRET);
    let names: Vec<_> = (0..3)
        .map(|_| {
            platform.install_builder("basic").app("shop").create().attachments()[0]["name"].as_str().map(str::to_owned)
        })
        .collect();
    assert_eq!(names, [Some("TALLY".into()), Some("TALLY_AMBER".into()), Some("TALLY_COBALT".into())]);
    let counter = platform.install_builder("basic").app("shop").attached_as("COUNTER").create();
    assert_eq!(counter.attachments()[0]["name"], "COUNTER");
}
