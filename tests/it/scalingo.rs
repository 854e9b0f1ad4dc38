//! Scalingo's API: its own user name, suspensions, and single sign-on by a link.

use maitre::{Scalingo, ScalingoProvision};
use serde_json::{Value, json};

use crate::support::{Raw, RawApp, request};

const UUID: &str = "ad-0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9";

async fn app() -> RawApp {
    RawApp::start(
        Scalingo::new("lychee", RawApp::PASSWORD, "orange-salt").expect("credentials"),
        "/scalingo",
        1_700_000_300,
        maitre::scalingo,
    )
    .await
}

fn order() -> String {
    json!({ "plan": "basic", "app_id": "66c0ffee0000000000000001", "options": { "version": "16" }, "uuid": UUID })
        .to_string()
}

#[tokio::test]
async fn the_documented_provision_is_200_and_its_uuid_is_the_key() {
    let app = app().await;
    let reply = app.send("POST /scalingo/resources", &order()).await;
    let body: Value = serde_json::from_slice(reply.body()).unwrap();
    assert_eq!((reply.status(), &body["id"]), (200, &json!("widget-1")));
    assert_eq!(app.send("POST /scalingo/resources", &order()).await.body(), reply.body());
    let received = app.vendor.provisions().remove(0);
    assert_eq!((received.resource.as_str(), received.context.keyed), (UUID, true));
    assert_eq!(received.parameters.text("version"), Some("16"));
    let details = received.view::<ScalingoProvision>().unwrap();
    assert_eq!(details.app_id.as_deref(), Some("66c0ffee0000000000000001"));
}

#[tokio::test]
async fn without_a_uuid_each_provision_is_a_resource() {
    let app = app().await;
    for _ in 0..2 {
        let order = r#"{"plan":"basic","app_id":"a"}"#;
        assert_eq!(app.send("POST /scalingo/resources", order).await.status(), 200);
    }
    let [first, second] = &app.vendor.provisions()[..] else { panic!("two provisions") };
    assert_ne!(first.resource, second.resource);
    assert!(!first.context.keyed);
}

#[tokio::test]
async fn a_plan_change_by_put_and_patch_is_200() {
    let app = app().await;
    app.send("POST /scalingo/resources", &order()).await;
    for method in ["PUT", "PATCH"] {
        let reply = app.send(&format!("{method} /scalingo/resources/widget-1"), r#"{"plan":"premium"}"#).await;
        assert_eq!((reply.status(), reply.text().as_str()), (200, r#"{"message":"Now on premium."}"#));
        let reply = app.send(&format!("{method} /scalingo/resources/widget-1"), "{}").await;
        assert_eq!(reply.status(), 422);
        assert!(reply.text().contains(r#""error":"The plan is missing.""#), "{}", reply.text());
    }
    assert_eq!(app.send("PUT /scalingo/resources/unknown", r#"{"plan":"basic"}"#).await.status(), 404);
}

#[tokio::test]
async fn a_resource_is_suspended_resumed_and_deprovisioned_with_empty_answers() {
    let app = app().await;
    app.send("POST /scalingo/resources", &order()).await;
    for (line, body) in [
        ("POST /scalingo/resources/widget-1/suspend", ""),
        ("POST /scalingo/resources/widget-1/suspend", "{}"),
        ("POST /scalingo/resources/widget-1/resume", ""),
        ("DELETE /scalingo/resources/widget-1", ""),
        ("DELETE /scalingo/resources/widget-1", ""),
    ] {
        let reply = app.send(line, body).await;
        assert_eq!((reply.status(), reply.text().as_str()), (204, ""), "{line}");
    }
    assert_eq!((app.vendor.suspensions().len(), app.vendor.reinstatements().len()), (2, 1));
    assert_eq!(app.send("DELETE /scalingo/resources/unknown", "").await.status(), 404);
}

#[tokio::test]
async fn every_request_but_single_sign_on_requires_the_credentials() {
    let app = app().await;
    for line in ["POST /scalingo/resources", "PATCH /scalingo/resources/a", "POST /scalingo/resources/a/suspend"] {
        let reply = Raw::exchange(&app.server, request([line], "")).await;
        assert_eq!(reply.status(), 401, "{line}");
        assert!(reply.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Basic")));
    }
    assert_eq!(app.vendor.calls(), 0);
}

#[tokio::test]
async fn the_published_link_signs_in_and_is_redirected_without_a_referrer() {
    let app = app().await;
    app.vendor.on_single_sign_on(async |_| Ok(maitre::SignedOn::redirect("/dashboard").with_session("widget", "w")));
    let link = "GET /scalingo/sso?token=3a751389dfbbb8db220922b22026a2cf27aa814f&id=ad-7d0c2b8e&timestamp=1700000000";
    let reply = Raw::exchange(&app.server, request([link], "")).await;
    assert_eq!((reply.status(), reply.header("referrer-policy")), (302, Some("no-referrer")));
    assert_eq!(app.vendor.sign_ons()[0].resource.as_str(), "ad-7d0c2b8e");
    let wrong = Raw::exchange(&app.server, request([link.replace("3a75", "3a76").as_str()], "")).await;
    assert_eq!((wrong.status(), wrong.header("set-cookie")), (403, None));
}
