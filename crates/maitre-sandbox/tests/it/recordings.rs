//! Export, replay and resending of recorded calls.

use maitre_sandbox::{Recording, RecordingFormat};
use maitre_testkit::platform::{Install, State};
use serde_json::{Value, json};

use crate::support::{CLIENT_SECRET, Harness, PASSWORD, Reply, entries, until};

/// Provisions, changes, opens and deprovisions an install.
async fn full_lifecycle(harness: &Harness) -> Install {
    let install = harness.sandbox.provision("basic").await;
    let at = format!("/sandbox/installs/{}", install.uuid());
    harness.click(&format!("{at}/plan"), &[("plan", "bright")]).await;
    until("the plan is changed", async || install.plan() == "bright").await;
    harness.submit(&format!("{at}/open"), &[]).await;
    harness.click(&format!("{at}/remove"), &[]).await;
    harness.wait_for(&install, State::Deprovisioned).await;
    install
}

#[tokio::test]
async fn an_export_masks_secrets_by_default() {
    let harness = Harness::new().await;
    harness.addon.reply_with("POST", [Reply::Accept]);
    let install = harness.sandbox.provision("basic").await;
    harness.wait_for(&install, State::Provisioned).await;
    harness.submit(&format!("/sandbox/installs/{}/open", install.uuid()), &[]).await;
    let form = harness.journal_of("SignOn").await[0]["request"]["body"].as_str().unwrap().to_owned();
    let token = form.split('&').find_map(|field| field.strip_prefix("resource_token=")).unwrap();
    let basic = maitre_testkit::sign::basic("lantern", PASSWORD);
    let secrets = [basic.as_str(), CLIENT_SECRET, token, "https://lantern.example/later"];
    for path in ["/sandbox/export.json", "/sandbox/export.har"] {
        let masked = harness.page(path).await;
        for secret in secrets {
            assert!(!masked.contains(secret), "{path} contains {secret}");
        }
        assert!(!masked.contains(install.grant().code()));
        let unmasked = harness.page(&format!("{path}?secrets=true")).await;
        for secret in secrets {
            assert!(unmasked.contains(secret), "{path} does not contain {secret}");
        }
    }
}

#[tokio::test]
async fn an_export_can_be_limited_to_one_install() {
    let harness = Harness::new().await;
    let (one, _other) = (harness.sandbox.provision("basic").await, harness.sandbox.provision("basic").await);
    let export = harness.page(&format!("/sandbox/export.json?install={}", one.uuid())).await;
    let resources: Vec<_> = entries(&export).iter().map(|entry| entry["resource"].clone()).collect();
    assert!(!resources.is_empty() && resources.iter().all(|uuid| uuid == one.uuid()), "{resources:?}");
}

#[tokio::test]
async fn a_har_has_the_fields_of_the_specification() {
    let harness = Harness::new().await;
    full_lifecycle(&harness).await;
    let response = harness.http.get(harness.url("/sandbox/export.har")).send().await.unwrap();
    assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"lantern-sandbox.har\"");
    let har: Value = response.json().await.unwrap();
    assert_eq!(har["log"]["version"], "1.2");
    let entries = har["log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 4, "the HAR contains no notes");
    for entry in entries {
        assert!(
            time::OffsetDateTime::parse(
                entry["startedDateTime"].as_str().unwrap(),
                &time::format_description::well_known::Rfc3339
            )
            .is_ok()
        );
        for field in ["method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"] {
            assert!(!entry["request"][field].is_null(), "{field}");
        }
        for field in ["status", "statusText", "httpVersion", "headers", "content", "redirectURL"] {
            assert!(!entry["response"][field].is_null(), "{field}");
        }
        assert!(entry["time"].is_number() && entry["timings"]["wait"].is_number());
    }
}

#[tokio::test]
async fn a_recording_is_replayed_in_order_and_compared() {
    let harness = Harness::new().await;
    let install = full_lifecycle(&harness).await;
    for format in [RecordingFormat::Json, RecordingFormat::Har] {
        let recording = Recording::parse(&harness.sandbox.export(format, false)).unwrap();
        assert_eq!(recording.call_count(), 4);
        // against an add-on that does not know the resource
        let other = Harness::new().await;
        let replayed = other.sandbox.replay(&recording).await;
        assert!(replayed.iter().all(maitre_sandbox::ReplayedCall::is_unchanged), "{format}: {replayed:?}");
        let methods: Vec<_> = other.addon.calls().iter().map(|call| call.method.clone()).collect();
        assert_eq!(methods, ["POST", "PUT", "POST", "DELETE"], "{format}");
        assert_eq!(other.addon.calls()[0].json()["uuid"], install.uuid());
        assert_eq!(other.sandbox.platform().installs().len(), 0, "a replay does not change the marketplace");
    }
    // the first add-on has deprovisioned the resource and answers 410
    let recording = Recording::parse(&harness.sandbox.export(RecordingFormat::Json, false)).unwrap();
    let replayed = harness.sandbox.replay(&recording).await;
    assert_eq!((replayed[0].recorded_status, replayed[0].status), (Some(200), Some(410)));
}

#[tokio::test]
async fn an_invalid_recording_is_rejected_with_a_reason() {
    let harness = Harness::new().await;
    full_lifecycle(&harness).await;
    let masked = Recording::parse(&harness.sandbox.export(RecordingFormat::Json, true)).unwrap_err().to_string();
    assert!(masked.contains("masked"), "{masked}");
    assert!(Recording::parse("{").unwrap_err().to_string().contains("not JSON"));
    assert!(
        Recording::parse(r#"{"log":{"entries":[]}}"#).unwrap_err().to_string().contains("not written by a sandbox")
    );
    assert!(Recording::parse(r#"{"maitre_sandbox":1,"entries":[{"direction":"ToAddon"}]}"#).is_err());
}

async fn provision_of(harness: &Harness) -> i64 {
    harness.journal_of("Provision").await[0]["id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_call_is_sent_again_once_or_twice() {
    let harness = Harness::new().await;
    harness.sandbox.provision("basic").await;
    let id = provision_of(&harness).await;
    harness.click(&format!("/sandbox/exchanges/{id}/send"), &[("times", "1")]).await;
    harness.click(&format!("/sandbox/exchanges/{id}/send"), &[("times", "2")]).await;
    let seen = harness.addon.calls_of("POST");
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|again| again.body == seen[0].body && again.is_authorized()));
    assert_eq!(harness.failed_checks().await, [""; 0]);
    assert!(harness.journal_of("Provision").await[1..].iter().all(|entry| entry["resent_from"] == id));

    harness.addon.misbehave();
    harness.click(&format!("/sandbox/exchanges/{id}/send"), &[("times", "1")]).await;
    harness.click(&format!("/sandbox/exchanges/{id}/send"), &[("times", "2")]).await;
    let checks = harness.failed_checks().await;
    for check in ["heroku.idempotency.same-uuid-again", "heroku.idempotency.at-once"] {
        assert!(checks.contains(&check.to_owned()), "{checks:?}");
    }
}

#[tokio::test]
async fn a_provision_after_the_deprovision_must_be_refused() {
    let harness = Harness::new().await;
    full_lifecycle(&harness).await;
    let id = provision_of(&harness).await;
    harness.click(&format!("/sandbox/exchanges/{id}/send"), &[("times", "1")]).await;
    assert_eq!(harness.failed_checks().await, [""; 0], "410 is correct");
    harness.addon.reply_with("POST", [Reply::With(200, json!({ "id": "revived" }))]);
    harness.click(&format!("/sandbox/exchanges/{id}/send"), &[("times", "1")]).await;
    assert!(harness.failed_checks().await.contains(&"heroku.idempotency.stays-removed".to_owned()));
}

#[tokio::test]
async fn an_edited_call_is_sent_and_does_not_change_the_marketplace() {
    let harness = Harness::new().await;
    let install = harness.sandbox.provision("basic").await;
    let id = provision_of(&harness).await;
    let form = harness.page(&format!("/sandbox/exchanges/{id}/edit")).await;
    assert!(form.contains(&format!("action=\"/sandbox/exchanges/{id}/send-with\"")));
    let edited = [
        ("method", "put"),
        ("path", "/heroku/resources/odd?x=1"),
        ("headers", "Authorization: Basic bm9ib2R5\r\nX-Odd: yes\r\n"),
        ("body", "{\r\n}"),
    ];
    let response = harness.submit(&format!("/sandbox/exchanges/{id}/send-with"), &edited).await;
    assert_eq!(response.status(), 303);
    let seen = harness.addon.calls().pop().unwrap();
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str(), seen.body.as_slice()),
        ("PUT", "/heroku/resources/odd", &b"{\n}"[..])
    );
    assert_eq!((seen.headers["x-odd"].to_str().unwrap(), seen.is_authorized()), ("yes", false));
    assert!(harness.page(response.headers()["location"].to_str().unwrap()).await.contains("401"));
    assert_eq!((install.plan().as_str(), install.state()), ("basic", State::Provisioned));

    for (path, headers) in [("no-slash", ""), ("//x y", ""), ("/x", "no colon")] {
        let invalid = [("method", "GET"), ("path", path), ("headers", headers), ("body", "")];
        assert_eq!(
            harness.submit(&format!("/sandbox/exchanges/{id}/send-with"), &invalid).await.status(),
            422,
            "{path} {headers}"
        );
    }
}

#[tokio::test]
async fn the_journal_is_limited_and_long_bodies_are_truncated() {
    let harness = Harness::with(&crate::support::manifest(), |setup| setup.journal_limit(50)).await;
    let long = "x".repeat(1 << 20);
    let provision = json!({ "plan": { "name": "lantern:none" }, "config": { "note": long } });
    let call = harness.heroku("POST", "/apps/shop/addons").body(provision.to_string()[..900_000].to_owned());
    assert_eq!(call.send().await.unwrap().status(), 400);
    let entry = harness.journal_of("Customer").await.remove(0);
    assert_eq!(entry["request"]["body"].as_str().unwrap().len(), 256 * 1024);
    for _ in 0..1_100 {
        harness.customer("GET", "/account", Value::Null).await;
    }
    let kept = harness.journal().await.len();
    assert!((50..=1_050).contains(&kept), "{kept} entries");
}
