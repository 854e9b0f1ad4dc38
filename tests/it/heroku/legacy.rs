//! Version 1 of Heroku's API, which the retired checker still uses.

use maitre::{Deprovisioned, Heroku, HerokuPlanChange, HerokuProvision};
use serde_json::json;

use crate::support::{App, PASSWORD, SALT, SLUG, UUID, heroku};

async fn open(marketplace: Heroku) -> App<Heroku> {
    let app = App::start(marketplace, |addon| addon).await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    app
}

fn with_v1_tokens() -> Heroku {
    Heroku::new(SLUG, PASSWORD, SALT).expect("credentials").with_legacy_token(true)
}

#[tokio::test]
async fn a_v1_provision_without_name_and_grant_is_accepted() {
    let app = heroku().await;
    app.client.provision("basic").legacy().await.expect(200);
    let received = app.vendor.provisions().pop().unwrap();
    let details = received.view::<HerokuProvision>().unwrap();
    assert_eq!(details.heroku_id.as_deref(), Some("app4821@kensa.heroku.com"));
    assert!(received.name.is_none() && received.oauth_grant.is_none() && details.logplex_token.is_none());
    assert!(details.callback_url.is_some() && details.extra.is_empty());
}

#[tokio::test]
async fn a_v1_plan_change_has_a_tenant_and_an_unrelated_uuid() {
    let app = heroku().await;
    app.client.provision("basic").uuid(UUID).await.expect(200);
    app.client.plan_change("widget-1", "premium").legacy().await.expect(200);
    let received = app.vendor.plan_changes().pop().unwrap();
    let details = received.view::<HerokuPlanChange>().unwrap();
    assert_eq!(
        (received.resource.as_str(), details.heroku_id.as_deref()),
        ("widget-1", Some("app4821@kensa.heroku.com"))
    );
}

#[tokio::test]
async fn the_retired_checker_passes() {
    let app = open(with_v1_tokens()).await;
    let id = app.client.provision("basic").legacy().await.expect(200).json()["id"].as_str().unwrap().to_owned();
    app.client.provision("basic").legacy().credentials("wrong", "secret").await.expect(401);
    app.client.plan_change(&id, "premium").legacy().await.expect(200);
    app.client.plan_change(&id, "premium").legacy().credentials("wrong", "secret").await.expect(401);

    let form = app.client.single_sign_on(UUID).provider_id(&id).only_legacy();
    form.clone().set("token", "invalid").await.expect(403);
    form.clone().at(time::OffsetDateTime::now_utc() - time::Duration::minutes(6)).await.expect(403);
    let mut browser = app.browser();
    let landed = browser.post_form(form.url(), form.fields()).await;
    browser.follow(&landed).await.expect(200);
    let nav_data = form.fields().into_iter().find(|(name, _)| name == "nav-data").unwrap().1;
    assert_eq!(browser.cookie("heroku-nav-data").unwrap().value(), nav_data);

    app.client.deprovision(&id).await.expect(204);
    app.client.deprovision(&id).credentials("wrong", "secret").await.expect(401);
}

#[tokio::test]
async fn the_v1_token_signs_in_only_if_legacy_tokens_are_enabled() {
    let closed = open(Heroku::new(SLUG, PASSWORD, SALT).unwrap()).await;
    closed.client.single_sign_on(UUID).provider_id("widget-1").only_legacy().await.expect(403);
    assert!(closed.vendor.sign_ons().is_empty());

    let open = open(with_v1_tokens()).await;
    let form = || open.client.single_sign_on(UUID).provider_id("widget-1").only_legacy();
    form().await.expect(302);
    form().set("id", "widget-2").await.expect(403);
    form().without("id").await.expect(403);
    form().set("token", "").await.expect(403);
    let received = open.vendor.sign_ons();
    assert_eq!((received.len(), received[0].resource.as_str()), (1, "widget-1"));
    assert_eq!(received[0].identity.email(), Some("ada+ops@example.org"));
    assert!(!received[0].identity.is_verified());
}

#[tokio::test]
async fn a_get_on_the_resource_signs_in_for_the_id_in_the_path() {
    let app = open(with_v1_tokens()).await;
    let form = || app.client.single_sign_on(UUID).provider_id("widget-1").by_get();
    let reply = form().await;
    assert_eq!(reply.expect(302).location(), Some("/dashboard"));
    assert!(reply.cookie("heroku-nav-data").is_some() && reply.cookie("id").is_some());
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "the URL contains a token");
    let received = app.vendor.sign_ons().pop().unwrap();
    assert_eq!((received.resource.as_str(), received.app.as_deref()), ("widget-1", Some("lantern-counter")));

    form().set("id", "widget-9").await.expect(302);
    assert_eq!(app.vendor.sign_ons().pop().unwrap().resource.as_str(), "widget-1");
    let genuine = form().fields().into_iter().map(|(name, value)| format!("{name}={}", value.replace('+', "%2B")));
    let query = genuine.collect::<Vec<_>>().join("&");
    let elsewhere = app.client.single_sign_on(UUID).method("GET").body("");
    elsewhere.clone().path(format!("/resources/widget-2?{query}")).await.expect(403);
    elsewhere.path(format!("/resources/widget-2?{query}&id=widget-1")).await.expect(403);
}

#[tokio::test]
async fn an_invalid_get_is_rejected_like_an_invalid_form() {
    let app = open(with_v1_tokens()).await;
    let form = || app.client.single_sign_on(UUID).provider_id("widget-1").by_get();
    form().set("token", "0").await.expect(403);
    form().without("token").await.expect(403);
    form().without("timestamp").await.expect(403);
    form().set("timestamp", "1").await.expect(403);
    let closed = open_without_v1().await;
    closed.client.single_sign_on(UUID).provider_id("widget-1").send_by_get().await.expect(403);
    assert!(app.vendor.sign_ons().is_empty() && closed.vendor.sign_ons().is_empty());
}

async fn open_without_v1() -> App<Heroku> {
    open(Heroku::new(SLUG, PASSWORD, SALT).expect("credentials")).await
}

#[tokio::test]
async fn a_head_request_does_not_sign_in() {
    let app = open(with_v1_tokens()).await;
    let form = app.client.single_sign_on(UUID).provider_id("widget-1").by_get();
    let reply = form.clone().method("HEAD").await;
    assert_eq!(reply.expect(403).cookies().count(), 0);
    assert!(app.vendor.sign_ons().is_empty());
    form.await.expect(302);
}

#[tokio::test]
async fn deploy_events_are_acknowledged_without_a_call_to_the_listener() {
    let app = open(with_v1_tokens()).await;
    let before = app.vendor.calls();
    let reply = app.client.deploy_event("widget-1").await;
    assert_eq!(reply.expect(200).json(), json!({}));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    app.client.deploy_event("widget-1").without_credentials().await.expect(401);
    assert_eq!(app.vendor.calls(), before);
}

#[tokio::test]
async fn numeric_ids_are_returned_as_strings_and_accepted_in_the_path() {
    let app = heroku().await;
    app.vendor.on_provision(async |_| Ok(maitre::Provisioned::new(4711)));
    app.vendor.on_deprovision(async |_| Ok(Deprovisioned::new()));
    assert_eq!(app.client.provision("basic").legacy().await.expect(200).json()["id"], "4711");
    app.client.deprovision("4711").await.expect(204);
    assert_eq!(app.vendor.deprovisions().pop().unwrap().resource.as_str(), "4711");
}
