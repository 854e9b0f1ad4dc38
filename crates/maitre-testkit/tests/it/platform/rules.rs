use maitre_testkit::platform::{Platform, Rule};
use serde_json::{Value, json};
use std::time::Duration;

use super::vendor::{SECRET, Vendor, read, vendor};

#[tokio::test]
async fn only_version_3_is_spoken() {
    let vendor = vendor().await;
    let token = vendor.token(&vendor.platform.install("basic")).await;
    for accept in ["application/json", "application/vnd.heroku+json", "application/vnd.heroku+json; version=2"] {
        let request = vendor.request("GET", "/addons").header("accept", accept).bearer_auth(&token);
        read(request.send().await.expect("an answer")).await.refused(406, "not_acceptable");
    }
    assert_eq!(vendor.rules_broken(), [Rule::NotAcceptable; 3]);
    let request = vendor.request("GET", "/addons").header("accept", "application/vnd.heroku+json; version=3.sdk");
    read(request.bearer_auth(token).send().await.expect("an answer")).await.expect(200);
}

#[tokio::test]
async fn a_token_is_limited_to_one_add_on_and_its_apps() {
    let vendor = vendor().await;
    let (mine, other) = (vendor.platform.install("basic"), vendor.platform.install("basic"));
    let token = vendor.token(&mine).await;

    let own = vendor.ask("GET", &format!("/addons/{}", mine.uuid()), &token).await.expect(200);
    assert_eq!((&own["id"], &own["state"]), (&json!(mine.uuid()), &json!("provisioning")));
    assert_eq!((&own["plan"]["name"], &own["provider_id"]), (&json!("tally:basic"), &Value::Null));
    let by_name = vendor.ask("GET", &format!("/addons/{}", mine.name()), &token).await.expect(200);
    assert_eq!(own, by_name);
    let listed = vendor.ask("GET", "/addons", &token).await.expect(200);
    assert_eq!(listed, json!([own]));

    vendor.ask("GET", &format!("/addons/{}", other.uuid()), &token).await.refused(403, "forbidden");
    vendor.ask("GET", &format!("/apps/{}", other.app()), &token).await.refused(403, "forbidden");
    vendor.ask("GET", "/addons/unknown", &token).await.refused(404, "not_found");
    vendor.ask("GET", "/apps/unknown", &token).await.refused(404, "not_found");
    vendor.ask("GET", "/nothing/here", &token).await.refused(404, "not_found");
    vendor.ask("GET", "/addons", "HRKU-guessed").await.refused(401, "unauthorized");
    let request = vendor.request("GET", "/addons").header("accept", super::vendor::ACCEPT);
    read(request.send().await.expect("an answer")).await.refused(401, "unauthorized");
    assert_eq!(vendor.rules_broken(), []);
}

#[tokio::test]
async fn the_rate_limit_refills_with_the_clock() {
    let platform = Platform::builder("tally", "password", SECRET)
        .settings(|settings| {
            settings.rate_limit = 3;
            settings.rate_refill = 2;
        })
        .build();
    platform.clock().stop();
    let vendor = Vendor::of(platform).await;
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;

    for left in ["2", "1", "0"] {
        let answer = vendor.ask("GET", "/addons", &token).await;
        assert_eq!(answer.header("ratelimit-remaining"), Some(left));
        answer.expect(200);
    }
    let answer = vendor.ask("GET", "/addons", &token).await;
    assert_eq!(answer.header("ratelimit-remaining"), Some("0"));
    answer.refused(429, "rate_limit");
    assert_eq!(vendor.ask("GET", "/account/rate-limits", &token).await.expect(200), json!({ "remaining": 0 }));

    vendor.platform.clock().advance(Duration::from_secs(30));
    vendor.ask("GET", "/addons", &token).await.expect(200);
    vendor.ask("GET", "/addons", &token).await.refused(429, "rate_limit");
    assert_eq!(install.call_counts().rate_limited, 2);
}

#[tokio::test]
async fn a_long_list_is_paginated() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    for app in ["one", "two", "three", "four"] {
        install.attach(app, &format!("TALLY_{}", app.to_uppercase()));
    }
    let token = vendor.token(&install).await;
    let path = format!("/addons/{}/addon-attachments", install.uuid());
    let ask = |range: Option<String>| {
        let request = vendor.asking("GET", &path, &token);
        let request = range.into_iter().fold(request, |request, range| request.header("range", range));
        async move { read(request.send().await.expect("an answer")).await }
    };

    assert_eq!(ask(None).await.expect(200).as_array().map(Vec::len), Some(5));
    let (mut range, mut names, mut pages) = (Some("name ..; max=2".to_owned()), Vec::new(), 0);
    while let Some(asked) = range {
        let page = ask(Some(asked)).await;
        range = page.header("next-range").map(str::to_owned);
        assert_eq!(page.status, if range.is_some() { 206 } else { 200 });
        assert_eq!(page.header("accept-ranges"), Some("id, name"));
        names.extend(page.json.as_array().expect("a list").iter().map(|one| one["name"].clone()));
        pages += 1;
    }
    assert_eq!(pages, 3);
    assert_eq!(names, ["TALLY", "TALLY_FOUR", "TALLY_ONE", "TALLY_THREE", "TALLY_TWO"]);
    ask(Some("age ..".to_owned())).await.refused(416, "requested_range_not_satisfiable");
}

#[tokio::test]
async fn invalid_json_is_400_and_invalid_config_is_422() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    let path = format!("/addons/{}/config", install.uuid());
    let request = vendor.asking("PATCH", &path, &token).body("{");
    read(request.send().await.expect("an answer")).await.refused(400, "bad_request");
    for body in
        [json!({}), json!({ "config": { "TALLY_URL": "x" } }), json!({ "config": [{ "name": "TALLY_N", "value": 1 }] })]
    {
        vendor.tell("PATCH", &path, &token, body).await.refused(422, "invalid_params");
    }
}

#[tokio::test]
async fn a_request_without_a_user_agent_is_a_violation() {
    let vendor = vendor().await;
    reqwest::get(vendor.url("/addons")).await.expect("an answer");
    assert_eq!(vendor.rules_broken(), [Rule::NoUserAgent, Rule::NotAcceptable]);
}

#[tokio::test]
async fn calls_are_recorded_in_order_and_printed_without_secrets() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    vendor.set(&install, &token, "TALLY_URL", "https://u:s3cr3t@tally.example").await.expect(200);
    vendor.ask("GET", "/apps/unknown", &token).await.refused(404, "not_found");

    let calls = vendor.platform.exchanges();
    let lines: Vec<_> = calls.iter().map(|call| (call.method(), call.path(), call.status())).collect();
    let config = format!("/addons/{}/config", install.uuid());
    assert_eq!(
        lines,
        [("POST", "/oauth/token", Some(200)), ("PATCH", &config, Some(200)), ("GET", "/apps/unknown", Some(404))],
    );
    assert_eq!(calls[1].json()["config"][0]["name"], "TALLY_URL");
    assert_eq!(calls[1].request().header("user-agent"), Some("tally/1.0"));
    assert_eq!(calls[2].response_header("content-type"), Some("application/json"));
    assert!(calls.iter().all(|call| call.uuid() == Some(install.uuid()) && call.responded_at() >= Some(call.at())));
    assert_eq!(install.exchanges().len(), 3);

    let printed = calls.iter().map(|call| format!("{call} {call:?}")).collect::<Vec<_>>().concat();
    for secret in [&token, install.grant().code(), SECRET, "s3cr3t"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}
