//! Text from callers: control characters, long values and encodings, in ids, headers and bodies.

use maitre_testkit::{Reply, sign};
use serde_json::{Value, json};

use crate::ledger::support::Database;
use crate::saas::Saas;
use crate::support::{Folder, Log, PASSWORD, Raw, SLUG, UUID, heroku, request};

/// Asserts the contract's error shape: JSON with a sentence.
fn assert_sentence(reply: &Reply, status: u16) {
    assert_eq!(reply.status(), status, "{reply}");
    assert_eq!(reply.header("content-type"), Some("application/json"), "{reply}");
    let body: Value = serde_json::from_str(&reply.text()).expect("JSON");
    assert!(body["message"].as_str().is_some_and(|message| message.ends_with('.')), "{reply}");
}

#[tokio::test]
async fn an_id_or_plan_with_a_control_character_is_refused_before_the_listener_is_called() {
    let app = heroku().await;
    for plan in ["\0", "a\0b", "basic\n", "\u{7f}", &"x".repeat(1025)] {
        assert_sentence(&app.client.provision(plan).uuid(UUID).await, 422);
        assert_sentence(&app.client.plan_change(UUID, plan).await, 422);
    }
    for id in ["%00", "a%00b", "%0A", "%1b[0m", &"x".repeat(1025)] {
        let path = format!("/resources/{id}");
        assert_sentence(&app.client.plan_change("7", "basic").path(&path).await, 404);
        assert_sentence(&app.client.deprovision("7").path(&path).await, 404);
    }
    for id in ["a\0b", "\n", &"x".repeat(1025)] {
        app.client.single_sign_on(id).await.expect(404);
    }
    assert_eq!(app.vendor.calls(), 0);
}

#[tokio::test]
async fn a_control_character_gets_the_same_answer_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    let saas = Saas::start_on(&Folder::new(), &database.url);
    let heroku = saas.heroku();
    heroku.provision("a\0b").await.expect(422);
    heroku.plan_change(&heroku.new_uuid(), "a\0").await.expect(422);
    heroku.plan_change("7", "basic").path("/resources/%00").await.expect(404);
    heroku.deprovision("7").path("/resources/%00").await.expect(404);
    heroku.single_sign_on("a\0b").await.expect(404);
    // elsewhere a control character is data
    let uuid = heroku.new_uuid();
    heroku.provision("basic").uuid(&uuid).set("name", "a\0b").set("x\0y", json!("\0")).await.expect(200);
}

#[tokio::test]
async fn a_request_id_is_repeated_only_if_it_is_short_and_plain() {
    let app = heroku().await;
    let ask = |id: &str| app.client.deprovision("7").header("x-request-id", id);
    let sent = "req-7_B.9:8/7+6=";
    assert_eq!(ask(sent).await.header("x-request-id"), Some(sent));
    for replaced in ["Q".repeat(60_000), "Q".repeat(201), "a b".into(), "a;b".into(), "\"".into(), "é".into()] {
        let reply = ask(&replaced).await;
        let id = reply.header("x-request-id").expect("an id");
        assert!(id != replaced && id.len() < 50, "{id}");
    }
}

#[tokio::test]
async fn the_text_of_a_caller_makes_no_line_of_the_log_and_no_long_line() {
    let log = Log::open();
    let app = heroku().await;
    let forged = "x\n2026-01-01T00:00:00Z ERROR FORGED";
    for key in [forged.to_owned(), "k".repeat(100_000)] {
        let body = format!("{{{}:NaN}}", json!(key));
        let reply = app.client.provision("basic").body(body).await;
        assert_sentence(&reply, 400);
        assert!(reply.text().len() < 500, "{} bytes", reply.text().len());
    }
    app.client.deprovision(&"i".repeat(50_000)).await.expect(404);
    for line in log.lines() {
        let text = line.to_string();
        assert!(!text.contains('\n') && text.len() < 2000, "{text:.300}");
    }
}

#[tokio::test]
async fn an_encoded_body_is_415_and_a_byte_order_mark_is_named() {
    let app = heroku().await;
    for encoding in ["gzip", "br", "identity, gzip", "unknown"] {
        assert_sentence(&app.client.provision("basic").header("content-encoding", encoding).await, 415);
    }
    app.client.provision("basic").header("content-encoding", "identity").await.expect(200);
    let reply = app.client.provision("basic").body("\u{feff}{}").await;
    assert_sentence(&reply, 400);
    assert!(reply.text().contains("byte order mark"), "{reply}");
}

#[tokio::test]
async fn another_method_is_405_with_allow_and_a_sentence() {
    let app = heroku().await;
    let credentials = format!("authorization: {}", sign::basic(SLUG, PASSWORD));
    for (line, allow) in [
        ("PATCH /heroku/resources", "POST"),
        ("GET /heroku/resources/", "POST"),
        ("POST /heroku/resources/7", "PUT,DELETE,GET,HEAD"),
        ("DELETE /heroku/resources/sso", "POST"),
    ] {
        let reply = Raw::exchange(&app.server, request([line, &credentials], "")).await;
        assert_eq!((reply.status(), reply.header("allow")), (405, Some(allow)), "{line}");
        let body: Value = serde_json::from_slice(reply.body()).expect("JSON");
        assert!(body["message"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn a_trailing_slash_changes_nothing() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).path("/resources/").await.expect(200);
    app.client.plan_change(UUID, "premium").path(format!("/resources/{UUID}/")).await.expect(200);
    app.client.deploy_event(UUID).path(format!("/resources/{UUID}/events/")).await.expect(200);
    app.client.single_sign_on(UUID).path("/resources/sso/").await.expect(302);
    app.client.deprovision(UUID).path(format!("/resources/{UUID}/")).await.expect(204);
}

#[tokio::test]
async fn many_small_values_are_refused_and_many_options_are_not() {
    let app = heroku().await;
    let values = "0,".repeat(120_000);
    let body = format!(r#"{{"uuid":"{UUID}","plan":"basic","x":[{values}0]}}"#);
    assert_sentence(&app.client.provision("basic").body(body).await, 400);
    let options: serde_json::Map<_, _> = (0..300).map(|n| (format!("option-{n}"), json!("value"))).collect();
    app.client.provision("basic").uuid(UUID).set("options", options).await.expect(200);
}
