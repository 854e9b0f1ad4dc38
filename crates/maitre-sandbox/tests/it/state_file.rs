//! State file: a restart keeps the state.

use std::time::Duration;

use maitre_sandbox::Sandbox;
use maitre_testkit::platform::State;
use serde_json::{Value, json};

use crate::support::{CLIENT_SECRET, Folder, Harness, Reply, TestAddon, manifest};

async fn open(folder: &Folder, addon: TestAddon) -> Harness {
    Harness::for_addon(addon, &manifest(), |setup| setup.state_file(folder.file("sandbox.db"))).await
}

/// Stops the sandbox and returns the add-on.
fn close(harness: Harness) -> TestAddon {
    let Harness { addon, sandbox, serving, http: _ } = harness;
    drop((serving, sandbox));
    addon
}

#[tokio::test]
async fn a_restart_keeps_installs_tokens_and_the_journal() {
    let folder = Folder::new();
    let harness = open(&folder, TestAddon::start().await).await;
    let install = harness.sandbox.provision("basic").await;
    let grant = install.grant();
    let form = [("grant_type", "authorization_code"), ("code", grant.code()), ("client_secret", CLIENT_SECRET)];
    let token: Value =
        harness.http.post(harness.url("/oauth/token")).form(&form).send().await.unwrap().json().await.unwrap();
    let addon = harness.customer("GET", "/addons", Value::Null).await.1[0].clone();
    let before = harness.journal().await.len();

    let harness = open(&folder, close(harness)).await;
    let mut again = harness.customer("GET", "/addons", Value::Null).await.1[0].clone();
    again["web_url"] = addon["web_url"].clone(); // contains the port
    assert_eq!(again, addon);
    assert!(harness.journal().await.len() >= before);
    let call = harness
        .http
        .get(harness.url(&format!("/addons/{}", install.uuid())))
        .bearer_auth(token["access_token"].as_str().unwrap());
    let call = call.header("accept", "application/vnd.heroku+json; version=3");
    assert_eq!(call.send().await.unwrap().status(), 200, "the add-on's token is still valid");
    assert_eq!(harness.addon.calls().len(), 1, "the provision is not repeated");
}

#[tokio::test]
async fn a_restart_keeps_the_clock_the_apps_and_the_pushed_manifests() {
    let folder = Folder::new();
    let harness = open(&folder, TestAddon::start().await).await;
    harness.click("/sandbox/clock", &[("minutes", "120")]).await;
    harness.customer("PATCH", "/apps/shop/config-vars", json!({ "COLOR": "red" })).await;
    let mut pushed = manifest();
    pushed["name"] = json!("Lantern 2");
    let at = "/api/v3/addons/lantern/manifests";
    assert_eq!(harness.customer("POST", at, json!({ "contents": pushed })).await.0, 201);

    let harness = open(&folder, close(harness)).await;
    assert!(harness.page("/").await.contains("2 h ahead"));
    assert_eq!(harness.customer("GET", "/apps/shop/config-vars", Value::Null).await.1, json!({ "COLOR": "red" }));
    let (_, revisions) = harness.customer("GET", at, Value::Null).await;
    assert_eq!(
        revisions.as_array().unwrap().len(),
        3,
        "the manifest of the file is the current one again: {revisions}"
    );
    let (_, current) = harness.customer("GET", "/api/v3/addons/lantern/current_manifest", Value::Null).await;
    assert_eq!(current["contents"], manifest());
}

#[tokio::test]
async fn a_failed_provision_is_retried_after_a_restart() {
    let folder = Folder::new();
    let harness = open(&folder, TestAddon::start().await).await;
    harness.addon.reply_with("POST", std::iter::repeat_n(Reply::With(503, json!({})), 1));
    let install = harness.sandbox.provision("basic").await;
    assert_eq!(install.state(), State::Provisioning);
    let harness = open(&folder, close(harness)).await;
    let again = harness.only_install().await;
    assert_eq!(again.uuid(), install.uuid());
    harness.wait_for(&again, State::Provisioned).await;
}

#[tokio::test]
async fn a_restart_keeps_the_deadline_of_an_accepted_provision() {
    let folder = Folder::new();
    let harness = open(&folder, TestAddon::start().await).await;
    harness.addon.reply_with("POST", [Reply::With(202, json!({ "id": "slow" }))]);
    harness.sandbox.provision("basic").await;
    let harness = open(&folder, close(harness)).await;
    let install = harness.only_install().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(harness.addon.calls().len(), 1, "an accepted provision is not repeated");
    harness.click("/sandbox/clock", &[("minutes", "720")]).await;
    harness.wait_for(&install, State::Deprovisioned).await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_only_readable_by_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let harness = open(&folder, TestAddon::start().await).await;
    let file = folder.file("sandbox.db");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    drop(harness);
}

#[tokio::test]
async fn a_foreign_file_is_named_in_the_error() {
    let folder = Folder::new();
    let file = folder.file("notes.txt");
    std::fs::write(&file, "a text file instead of a database\n".repeat(40)).unwrap();
    let error = Sandbox::builder(&manifest().to_string()).unwrap().state_file(&file).open().unwrap_err();
    assert!(error.to_string().contains("notes.txt"), "{error}");
}
