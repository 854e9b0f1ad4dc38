//! Version 1 of Heroku's API, which the retired checker still uses.

use maitre::{Deprovisioned, Heroku};
use serde_json::json;

use crate::support::{House, PASSWORD, SALT, SLUG, UUID, heroku};

async fn open(marketplace: Heroku) -> House<Heroku> {
    let house = House::of(marketplace, |addon| addon).await;
    house.market.provision("basic").uuid(UUID).await.expect(200);
    house
}

fn with_v1_tokens() -> Heroku {
    Heroku::new(SLUG, PASSWORD, SALT).expect("credentials").with_legacy_token(true)
}

#[tokio::test]
async fn a_v1_provision_without_name_and_grant_is_accepted() {
    let house = heroku().await;
    house.market.provision("basic").legacy().await.expect(200);
    let heard = house.vendor.provisions().pop().unwrap();
    assert_eq!(heard.tenant.as_deref(), Some("app4821@kensa.heroku.com"));
    assert!(heard.name.is_none() && heard.oauth_grant.is_none() && heard.logplex_token.is_none());
    assert!(heard.callback_url.is_some() && heard.extra.is_empty());
}

#[tokio::test]
async fn a_v1_plan_change_has_a_tenant_and_an_unrelated_uuid() {
    let house = heroku().await;
    house.market.provision("basic").uuid(UUID).await.expect(200);
    house.market.plan_change("widget-1", "premium").legacy().await.expect(200);
    let heard = house.vendor.plan_changes().pop().unwrap();
    assert_eq!((heard.resource.as_str(), heard.tenant.as_deref()), ("widget-1", Some("app4821@kensa.heroku.com")));
}

#[tokio::test]
async fn the_retired_checker_passes() {
    let house = open(with_v1_tokens()).await;
    let id = house.market.provision("basic").legacy().await.expect(200).json()["id"].as_str().unwrap().to_owned();
    house.market.provision("basic").legacy().credentials("wrong", "secret").await.expect(401);
    house.market.plan_change(&id, "premium").legacy().await.expect(200);
    house.market.plan_change(&id, "premium").legacy().credentials("wrong", "secret").await.expect(401);

    let form = house.market.single_sign_on(UUID).provider_id(&id).only_legacy();
    form.clone().set("token", "invalid").await.expect(403);
    form.clone().at(time::OffsetDateTime::now_utc() - time::Duration::minutes(6)).await.expect(403);
    let mut visitor = house.visitor();
    let landed = visitor.post_form(form.url(), form.fields()).await;
    visitor.follow(&landed).await.expect(200);
    let nav_data = form.fields().into_iter().find(|(name, _)| name == "nav-data").unwrap().1;
    assert_eq!(visitor.cookie("heroku-nav-data").unwrap().value(), nav_data);

    house.market.deprovision(&id).await.expect(204);
    house.market.deprovision(&id).credentials("wrong", "secret").await.expect(401);
}

#[tokio::test]
async fn the_v1_token_signs_in_only_if_legacy_tokens_are_enabled() {
    let closed = open(Heroku::new(SLUG, PASSWORD, SALT).unwrap()).await;
    closed.market.single_sign_on(UUID).provider_id("widget-1").only_legacy().await.expect(403);
    assert!(closed.vendor.sign_ons().is_empty());

    let open = open(with_v1_tokens()).await;
    let form = || open.market.single_sign_on(UUID).provider_id("widget-1").only_legacy();
    form().await.expect(302);
    form().set("id", "widget-2").await.expect(403);
    form().without("id").await.expect(403);
    form().set("token", "").await.expect(403);
    let heard = open.vendor.sign_ons();
    assert_eq!((heard.len(), heard[0].resource.as_str()), (1, "widget-1"));
    assert_eq!(heard[0].identity.email(), Some("ada+ops@example.org"));
    assert!(!heard[0].identity.is_verified());
}

#[tokio::test]
async fn a_get_on_the_resource_signs_in_for_the_id_in_the_path() {
    let house = open(with_v1_tokens()).await;
    let form = || house.market.single_sign_on(UUID).provider_id("widget-1").by_get();
    let reply = form().await;
    assert_eq!(reply.expect(302).location(), Some("/dashboard"));
    assert!(reply.cookie("heroku-nav-data").is_some() && reply.cookie("id").is_some());
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "the URL holds a token");
    let heard = house.vendor.sign_ons().pop().unwrap();
    assert_eq!((heard.resource.as_str(), heard.app.as_deref()), ("widget-1", Some("lantern-counter")));

    form().set("id", "widget-9").await.expect(302);
    assert_eq!(house.vendor.sign_ons().pop().unwrap().resource.as_str(), "widget-1");
    let genuine = form().fields().into_iter().map(|(name, value)| format!("{name}={}", value.replace('+', "%2B")));
    let query = genuine.collect::<Vec<_>>().join("&");
    let elsewhere = house.market.single_sign_on(UUID).method("GET").body("");
    elsewhere.clone().path(format!("/resources/widget-2?{query}")).await.expect(403);
    elsewhere.path(format!("/resources/widget-2?{query}&id=widget-1")).await.expect(403);
}

#[tokio::test]
async fn an_invalid_get_is_rejected_like_an_invalid_form() {
    let house = open(with_v1_tokens()).await;
    let form = || house.market.single_sign_on(UUID).provider_id("widget-1").by_get();
    form().set("token", "0").await.expect(403);
    form().without("token").await.expect(403);
    form().without("timestamp").await.expect(403);
    form().set("timestamp", "1").await.expect(403);
    let closed = open_without_v1().await;
    closed.market.single_sign_on(UUID).provider_id("widget-1").send_by_get().await.expect(403);
    assert!(house.vendor.sign_ons().is_empty() && closed.vendor.sign_ons().is_empty());
}

async fn open_without_v1() -> House<Heroku> {
    open(Heroku::new(SLUG, PASSWORD, SALT).expect("credentials")).await
}

#[tokio::test]
async fn a_head_request_does_not_sign_in() {
    let house = open(with_v1_tokens()).await;
    let form = house.market.single_sign_on(UUID).provider_id("widget-1").by_get();
    let reply = form.clone().method("HEAD").await;
    assert_eq!(reply.expect(403).cookies().count(), 0);
    assert!(house.vendor.sign_ons().is_empty());
    form.await.expect(302);
}

#[tokio::test]
async fn deploy_events_are_acknowledged_without_a_call_to_the_listener() {
    let house = open(with_v1_tokens()).await;
    let before = house.vendor.calls();
    let reply = house.market.deploy_event("widget-1").await;
    assert_eq!(reply.expect(200).json(), json!({}));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    house.market.deploy_event("widget-1").without_credentials().await.expect(401);
    assert_eq!(house.vendor.calls(), before);
}

#[tokio::test]
async fn numeric_ids_are_returned_as_strings_and_accepted_in_the_path() {
    let house = heroku().await;
    house.vendor.on_provision(async |_| Ok(maitre::Provisioned::new(4711)));
    house.vendor.on_deprovision(async |_| Ok(Deprovisioned::new()));
    assert_eq!(house.market.provision("basic").legacy().await.expect(200).json()["id"], "4711");
    house.market.deprovision("4711").await.expect(204);
    assert_eq!(house.vendor.deprovisions().pop().unwrap().resource.as_str(), "4711");
}
