//! What is asked again, and what is not.

use std::time::Duration;

use maitre_heroku_api::{ConfigVar, Entity, Token, WebhookSettings};
use serde_json::json;

use crate::support::{UUID, add_on, answering, api, asked, builder, refusal, requests, status};

fn order() -> WebhookSettings {
    WebhookSettings::new([Entity::AddOn], "https://lantern.example/hooks")
}

#[tokio::test]
async fn a_fault_of_heroku_is_asked_again_where_it_does_no_harm() {
    for code in [500, 502, 503, 504] {
        let server = answering([refusal(code, "x"), refusal(code, "x"), status(200).set_body_json(add_on())]).await;
        api(&server).mark_provisioned(UUID).await.expect("an add-on");
        assert_eq!(asked(&server).await, 3);

        let server = answering([refusal(code, "x"), status(200).set_body_json(add_on())]).await;
        api(&server).mark_deprovisioned(UUID).await.expect("an add-on");
        let sent = requests(&server).await;
        assert_eq!((sent.len(), &sent[0].url), (2, &sent[1].url));
    }
}

#[tokio::test]
async fn it_is_asked_a_few_times_and_no_more() {
    let server = answering([refusal(503, "service_unavailable")]).await;
    let error = api(&server).add_on(UUID).await.expect_err("an error");
    assert!(error.is_server_error() && error.is_transient());
    assert_eq!((error.status(), asked(&server).await), (Some(503), 4));

    for attempts in [0, 1, 2] {
        let server = answering([refusal(503, "service_unavailable")]).await;
        let client = builder(&server.uri()).attempts(attempts).build().expect("a client");
        client.api(&Token::new("t")).add_on(UUID).await.expect_err("an error");
        assert_eq!(asked(&server).await, attempts.max(1));
    }
}

#[tokio::test]
async fn what_may_have_made_something_is_not_asked_again() {
    let server = answering([refusal(500, "x"), status(200).set_body_json(json!([]))]).await;
    let vars = [ConfigVar::set("LANTERN_URL", "x")]; // every change restarts the customer's app
    assert!(api(&server).set_config(UUID, &vars).await.expect_err("an error").is_server_error());
    assert_eq!(asked(&server).await, 1);
    let server = answering([refusal(500, "x"), status(200).set_body_json(json!({}))]).await;
    assert!(api(&server).subscribe(UUID, &order()).await.expect_err("an error").is_server_error());
    assert_eq!(asked(&server).await, 1);
    let server = answering([refusal(500, "x"), status(200).set_body_json(json!({}))]).await;
    assert!(api(&server).add_log_drain("shop", &"https://x".into()).await.expect_err("an error").is_server_error());
    assert_eq!(asked(&server).await, 1);
    let server = answering([refusal(500, "x"), status(200).set_body_json(json!({}))]).await;
    assert!(api(&server).patch("/x").send().await.expect_err("an error").is_server_error());
    assert_eq!(asked(&server).await, 1);

    // unless who asks says that it does no harm
    let server = answering([refusal(500, "x"), status(200).set_body_json(json!({}))]).await;
    api(&server).post("/x").idempotent().send().await.expect("an answer");
    assert_eq!(asked(&server).await, 2);
}

#[tokio::test]
async fn a_429_is_asked_again_whatever_was_asked() {
    let hook = json!({ "id": "w1", "include": ["api:addon"], "level": "sync", "url": "https://lantern.example/hooks" });
    let limited = refusal(429, "rate_limit").insert_header("retry-after", "0");
    let server = answering([limited, status(201).set_body_json(hook)]).await;
    api(&server).subscribe(UUID, &order()).await.expect("a webhook");
    assert_eq!(asked(&server).await, 2);
}

#[tokio::test]
async fn a_429_without_a_word_is_waited_out() {
    let server = answering([refusal(429, "rate_limit"), status(200).set_body_json(add_on())]).await;
    api(&server).add_on(UUID).await.expect("an add-on");
    assert_eq!(asked(&server).await, 2);
}

#[tokio::test]
async fn who_would_wait_too_long_is_told_how_long() {
    let limited =
        refusal(429, "rate_limit").insert_header("retry-after", "3600").insert_header("ratelimit-remaining", "0");
    let server = answering([limited]).await;
    let api = api(&server);
    let error = api.add_on(UUID).await.expect_err("an error");
    assert!(error.is_rate_limited() && error.is_transient());
    assert_eq!((error.retry_after(), error.status()), (Some(Duration::from_hours(1)), Some(429)));

    // the next call with the token is not even sent, whichever it is and from whichever clone
    let error = api.clone().apps().all().await.expect_err("an error");
    assert!(error.is_rate_limited() && error.status().is_none(), "{error:?}");
    assert!(error.retry_after().is_some_and(|wait| wait > Duration::from_mins(50)), "{error:?}");
    assert_eq!((asked(&server).await, api.remaining_requests()), (1, Some(0)));
}

#[tokio::test]
async fn a_503_s_retry_after_is_heeded_too() {
    let busy = refusal(503, "service_unavailable").insert_header("retry-after", "0");
    let server = answering([busy, status(200).set_body_json(add_on())]).await;
    api(&server).add_on(UUID).await.expect("an add-on");
    let server = answering([refusal(503, "service_unavailable").insert_header("retry-after", "120")]).await;
    let error = api(&server).add_on(UUID).await.expect_err("an error");
    assert_eq!((error.retry_after(), asked(&server).await), (Some(Duration::from_mins(2)), 1));
}

#[tokio::test]
async fn what_is_left_of_the_rate_limit_is_known() {
    let server = answering([status(200).set_body_json(json!([])).insert_header("ratelimit-remaining", "4499")]).await;
    let api = api(&server);
    assert_eq!(api.remaining_requests(), None);
    api.apps().all().await.expect("a list");
    assert_eq!(api.remaining_requests(), Some(4_499));
}
