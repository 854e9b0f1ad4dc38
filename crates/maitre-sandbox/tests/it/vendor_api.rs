//! Heroku's API for add-ons.

use maitre_testkit::{platform::Install, sign};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::{CLIENT_SECRET, Harness, PASSWORD, SLUG};

async fn exchange(harness: &Harness, code: &str) -> Response {
    let form = [("grant_type", "authorization_code"), ("code", code), ("client_secret", CLIENT_SECRET)];
    harness.http.post(harness.url("/oauth/token")).form(&form).send().await.unwrap()
}

/// Returns an install and the add-on's access token.
async fn installed(harness: &Harness) -> (Install, String) {
    let install = harness.sandbox.provision("basic").await;
    let token: Value = exchange(harness, install.grant().code()).await.json().await.unwrap();
    (install, token["access_token"].as_str().unwrap().to_owned())
}

fn call(harness: &Harness, method: &str, path: &str, token: &str) -> RequestBuilder {
    let call = harness.http.request(method.parse().unwrap(), harness.url(path)).bearer_auth(token);
    call.header("accept", "application/vnd.heroku+json; version=3").header("user-agent", "lantern/1.0")
}

#[tokio::test]
async fn a_grant_can_be_exchanged_once() {
    let harness = Harness::new().await;
    let install = harness.sandbox.provision("basic").await;
    let grant = install.grant();
    let token: Value = exchange(&harness, grant.code()).await.json().await.unwrap();
    assert_eq!((&token["token_type"], token["expires_in"].is_number()), (&json!("Bearer"), true));
    assert!(exchange(&harness, grant.code()).await.status().is_client_error());
    assert!(harness.failed_checks().await.contains(&"heroku.platform.exchange-once".to_owned()));
}

#[tokio::test]
async fn a_token_reads_and_changes_its_own_add_on() {
    let harness = Harness::new().await;
    let (install, token) = installed(&harness).await;
    let at = format!("/addons/{}", install.uuid());
    let addon: Value = call(&harness, "GET", &at, &token).send().await.unwrap().json().await.unwrap();
    assert_eq!((&addon["name"], &addon["state"]), (&json!(install.name()), &json!("provisioned")));
    let change = json!({ "config": [{ "name": "LANTERN_URL", "value": "https://lantern.example/new" }] });
    let changed = call(&harness, "PATCH", &format!("{at}/config"), &token).json(&change).send().await.unwrap();
    assert_eq!(changed.status(), 200);
    let (_, vars) = harness.customer("GET", &format!("/apps/{}/config-vars", install.app()), Value::Null).await;
    assert_eq!(vars, json!({ "LANTERN_URL": "https://lantern.example/new" }));

    let (other, _) = installed(&harness).await;
    let foreign = call(&harness, "GET", &format!("/addons/{}", other.uuid()), &token).send().await.unwrap();
    assert!(foreign.status().is_client_error(), "{}", foreign.status());
    let problem: Value = foreign.json().await.unwrap();
    assert!(problem["id"].is_string() && problem["message"].is_string(), "{problem}");
}

#[tokio::test]
async fn lists_are_paginated() {
    let harness = Harness::new().await;
    let (install, token) = installed(&harness).await;
    for app in ["a", "b", "c"] {
        install.attach(app, "LAMP");
    }
    let path = format!("/addons/{}/addon-attachments", install.uuid());
    let (mut range, mut found, mut pages) = ("id ..; max=3".to_owned(), Vec::new(), Vec::new());
    loop {
        let page = call(&harness, "GET", &path, &token).header("range", &range).send().await.unwrap();
        pages.push(page.status().as_u16());
        let next = page.headers().get("next-range").map(|next| next.to_str().unwrap().to_owned());
        found.extend(page.json::<Vec<Value>>().await.unwrap());
        match next {
            Some(next) => range = next,
            None => break,
        }
    }
    assert_eq!((pages, found.len()), (vec![206, 200], 4));
}

#[tokio::test]
async fn calls_above_the_rate_limit_are_rejected() {
    let harness = Harness::new().await;
    harness.sandbox.platform().update_settings(|settings| settings.rate_limit = 3);
    let (install, token) = installed(&harness).await;
    let at = format!("/addons/{}", install.uuid());
    let mut seen = Vec::new();
    for _ in 0..4 {
        let response = call(&harness, "GET", &at, &token).send().await.unwrap();
        let left = response.headers()["ratelimit-remaining"].to_str().unwrap().to_owned();
        seen.push((response.status().as_u16(), left));
    }
    let expected = [(200, "2"), (200, "1"), (200, "0"), (429, "0")];
    assert_eq!(seen, expected.map(|(status, left)| (status, left.to_owned())));
    harness.click("/sandbox/clock", &[("minutes", "1")]).await;
    assert_eq!(
        call(&harness, "GET", &at, &token).send().await.unwrap().status(),
        200,
        "the limit is replenished over time"
    );
}

#[tokio::test]
async fn another_api_version_is_not_acceptable() {
    let harness = Harness::new().await;
    let (install, token) = installed(&harness).await;
    let call = harness.http.get(harness.url(&format!("/addons/{}", install.uuid()))).bearer_auth(token);
    assert_eq!(call.header("accept", "*/*").send().await.unwrap().status(), 406);
    assert!(harness.failed_checks().await.contains(&"heroku.platform.accept".to_owned()));
}

#[tokio::test]
async fn the_list_of_installs_requires_the_manifests_password() {
    let harness = Harness::new().await;
    let (install, _) = installed(&harness).await;
    let list =
        |authorization: String| harness.http.get(harness.url("/api/v3/apps")).header("authorization", authorization);
    let listed: Value = list(sign::basic(SLUG, PASSWORD)).send().await.unwrap().json().await.unwrap();
    assert_eq!(listed[0]["resource"]["uuid"], install.uuid());
    assert_eq!(list(sign::basic(SLUG, "wrong")).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn an_app_lists_its_collaborators() {
    let harness = Harness::new().await;
    let (install, token) = installed(&harness).await;
    let app = install.app();
    let get = async |path: &str| {
        let response = call(&harness, "GET", path, &token).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json::<Value>().await.unwrap()
    };
    assert_eq!(get(&format!("/apps/{app}")).await["name"], *app);
    assert!(get(&format!("/apps/{app}/collaborators")).await[0]["user"]["email"].is_string());
}
