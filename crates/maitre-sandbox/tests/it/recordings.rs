//! The journal: exported, sent once more, and changed.

use maitre_sandbox::{Recording, RecordingFormat};
use maitre_testkit::platform::{Install, State};
use serde_json::{Value, json};

use crate::support::{Act, CLIENT_SECRET, PASSWORD, World, entries, until};

/// A life: ordered, changed, opened, removed.
async fn lived(world: &World) -> Install {
    let install = world.sandbox.provision("basic").await;
    let at = format!("/sandbox/installs/{}", install.uuid());
    world.click(&format!("{at}/plan"), &[("plan", "bright")]).await;
    until("the plan is another one", async || install.plan() == "bright").await;
    world.press(&format!("{at}/open"), &[]).await;
    world.click(&format!("{at}/remove"), &[]).await;
    world.becomes(&install, State::Deprovisioned).await;
    install
}

#[tokio::test]
async fn an_export_holds_no_secret_unless_it_is_asked_for() {
    let world = World::new().await;
    world.shop.tell("POST", [Act::Later]);
    let install = world.sandbox.provision("basic").await;
    world.becomes(&install, State::Provisioned).await;
    world.press(&format!("/sandbox/installs/{}/open", install.uuid()), &[]).await;
    let form = world.journal_of("SignOn").await[0]["request"]["body"].as_str().unwrap().to_owned();
    let token = form.split('&').find_map(|field| field.strip_prefix("resource_token=")).unwrap();
    let basic = maitre_testkit::sign::basic("lantern", PASSWORD);
    let secrets = [basic.as_str(), CLIENT_SECRET, token, "https://lantern.example/later"];
    for path in ["/sandbox/export.json", "/sandbox/export.har"] {
        let masked = world.page(path).await;
        for secret in secrets {
            assert!(!masked.contains(secret), "{path} tells {secret}");
        }
        assert!(!masked.contains(install.grant().code()));
        let open = world.page(&format!("{path}?secrets=true")).await;
        for secret in secrets {
            assert!(open.contains(secret), "{path} does not tell {secret}");
        }
    }
}

#[tokio::test]
async fn an_export_is_of_one_install_if_it_says_which() {
    let world = World::new().await;
    let (one, _other) = (world.sandbox.provision("basic").await, world.sandbox.provision("basic").await);
    let export = world.page(&format!("/sandbox/export.json?install={}", one.uuid())).await;
    let about: Vec<_> = entries(&export).iter().map(|entry| entry["resource"].clone()).collect();
    assert!(!about.is_empty() && about.iter().all(|uuid| uuid == one.uuid()), "{about:?}");
}

#[tokio::test]
async fn a_har_is_as_the_format_asks() {
    let world = World::new().await;
    lived(&world).await;
    let answer = world.http.get(world.url("/sandbox/export.har")).send().await.unwrap();
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"lantern-sandbox.har\"");
    let har: Value = answer.json().await.unwrap();
    assert_eq!(har["log"]["version"], "1.2");
    let entries = har["log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 4, "notes are left out");
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
    let world = World::new().await;
    let install = lived(&world).await;
    for format in [RecordingFormat::Json, RecordingFormat::Har] {
        let recording = Recording::parse(&world.sandbox.export(format, false)).unwrap();
        assert_eq!(recording.call_count(), 4);
        // where nobody knows of the first life
        let other = World::new().await;
        let replayed = other.sandbox.replay(&recording).await;
        assert!(replayed.iter().all(maitre_sandbox::ReplayedCall::is_unchanged), "{format}: {replayed:?}");
        let seen: Vec<_> = other.shop.seen().iter().map(|seen| seen.method.clone()).collect();
        assert_eq!(seen, ["POST", "PUT", "POST", "DELETE"], "{format}");
        assert_eq!(other.shop.seen()[0].json()["uuid"], install.uuid());
        assert_eq!(other.sandbox.platform().installs().len(), 0, "the marketplace takes no notice");
    }
    // here it is gone, and so the order is answered otherwise
    let recording = Recording::parse(&world.sandbox.export(RecordingFormat::Json, false)).unwrap();
    let replayed = world.sandbox.replay(&recording).await;
    assert_eq!((replayed[0].recorded_status, replayed[0].status), (Some(200), Some(410)));
}

#[tokio::test]
async fn what_cannot_be_replayed_says_why() {
    let world = World::new().await;
    lived(&world).await;
    let masked = Recording::parse(&world.sandbox.export(RecordingFormat::Json, true)).unwrap_err().to_string();
    assert!(masked.contains("masked"), "{masked}");
    assert!(Recording::parse("{").unwrap_err().to_string().contains("not JSON"));
    assert!(
        Recording::parse(r#"{"log":{"entries":[]}}"#).unwrap_err().to_string().contains("not written by a sandbox")
    );
    assert!(Recording::parse(r#"{"maitre_sandbox":1,"entries":[{"direction":"ToAddon"}]}"#).is_err());
}

async fn provision_of(world: &World) -> i64 {
    world.journal_of("Provision").await[0]["id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_call_is_sent_again_and_twice() {
    let world = World::new().await;
    world.sandbox.provision("basic").await;
    let id = provision_of(&world).await;
    world.click(&format!("/sandbox/exchanges/{id}/send"), &[("times", "1")]).await;
    world.click(&format!("/sandbox/exchanges/{id}/send"), &[("times", "2")]).await;
    let seen = world.shop.seen_of("POST");
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|again| again.body == seen[0].body && again.is_authorized()));
    assert_eq!(world.blamed().await, [""; 0]);
    assert!(world.journal_of("Provision").await[1..].iter().all(|entry| entry["resent_from"] == id));

    world.shop.be_careless();
    world.click(&format!("/sandbox/exchanges/{id}/send"), &[("times", "1")]).await;
    world.click(&format!("/sandbox/exchanges/{id}/send"), &[("times", "2")]).await;
    let blamed = world.blamed().await;
    for check in ["heroku.idempotency.same-uuid-again", "heroku.idempotency.at-once"] {
        assert!(blamed.contains(&check.to_owned()), "{blamed:?}");
    }
}

#[tokio::test]
async fn an_order_after_the_removal_must_be_refused() {
    let world = World::new().await;
    lived(&world).await;
    let id = provision_of(&world).await;
    world.click(&format!("/sandbox/exchanges/{id}/send"), &[("times", "1")]).await;
    assert_eq!(world.blamed().await, [""; 0], "it was answered 410");
    world.shop.tell("POST", [Act::Answer(200, json!({ "id": "risen" }))]);
    world.click(&format!("/sandbox/exchanges/{id}/send"), &[("times", "1")]).await;
    assert!(world.blamed().await.contains(&"heroku.idempotency.stays-removed".to_owned()));
}

#[tokio::test]
async fn a_call_is_sent_with_changes_and_the_marketplace_takes_no_notice() {
    let world = World::new().await;
    let install = world.sandbox.provision("basic").await;
    let id = provision_of(&world).await;
    let form = world.page(&format!("/sandbox/exchanges/{id}/edit")).await;
    assert!(form.contains(&format!("action=\"/sandbox/exchanges/{id}/send-with\"")));
    let changed = [
        ("method", "put"),
        ("path", "/heroku/resources/odd?x=1"),
        ("headers", "Authorization: Basic bm9ib2R5\r\nX-Odd: yes\r\n"),
        ("body", "{\r\n}"),
    ];
    let answer = world.press(&format!("/sandbox/exchanges/{id}/send-with"), &changed).await;
    assert_eq!(answer.status(), 303);
    let seen = world.shop.seen().pop().unwrap();
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str(), seen.body.as_slice()),
        ("PUT", "/heroku/resources/odd", &b"{\n}"[..])
    );
    assert_eq!((seen.headers["x-odd"].to_str().unwrap(), seen.is_authorized()), ("yes", false));
    assert!(world.page(answer.headers()["location"].to_str().unwrap()).await.contains("401"));
    assert_eq!((install.plan().as_str(), install.state()), ("basic", State::Provisioned));

    for (path, headers) in [("no-slash", ""), ("//x y", ""), ("/x", "no colon")] {
        let odd = [("method", "GET"), ("path", path), ("headers", headers), ("body", "")];
        assert_eq!(
            world.press(&format!("/sandbox/exchanges/{id}/send-with"), &odd).await.status(),
            422,
            "{path} {headers}"
        );
    }
}

#[tokio::test]
async fn the_oldest_entries_go_and_a_long_body_is_cut() {
    let world = World::with(&crate::support::manifest(), |setup| setup.journal_limit(50)).await;
    let long = "x".repeat(1 << 20);
    let order = json!({ "plan": { "name": "lantern:none" }, "config": { "note": long } });
    let call = world.heroku("POST", "/apps/shop/addons").body(order.to_string()[..900_000].to_owned());
    assert_eq!(call.send().await.unwrap().status(), 400);
    let entry = world.journal_of("Customer").await.remove(0);
    assert_eq!(entry["request"]["body"].as_str().unwrap().len(), 256 * 1024);
    for _ in 0..1_100 {
        world.customer("GET", "/account", Value::Null).await;
    }
    let kept = world.journal().await.len();
    assert!((50..=1_050).contains(&kept), "{kept} are kept");
}
