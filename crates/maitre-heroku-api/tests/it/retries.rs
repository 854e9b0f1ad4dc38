//! Retries.

use std::time::Duration;

use maitre_heroku_api::{ConfigVar, Entity, Token, WebhookSettings};
use serde_json::json;

use crate::support::{UUID, add_on, api, builder, error_response, request_count, requests, server_with, status};

fn settings() -> WebhookSettings {
    WebhookSettings::new([Entity::AddOn], "https://lantern.example/hooks")
}

#[tokio::test]
async fn a_server_error_is_retried_if_that_is_safe() {
    for code in [500, 502, 503, 504] {
        let server =
            server_with([error_response(code, "x"), error_response(code, "x"), status(200).set_body_json(add_on())])
                .await;
        api(&server).mark_provisioned(UUID).await.expect("an add-on");
        assert_eq!(request_count(&server).await, 3);

        let server = server_with([error_response(code, "x"), status(200).set_body_json(add_on())]).await;
        api(&server).mark_deprovisioned(UUID).await.expect("an add-on");
        let sent = requests(&server).await;
        assert_eq!((sent.len(), &sent[0].url), (2, &sent[1].url));
    }
}

#[tokio::test]
async fn the_number_of_attempts_is_limited() {
    let server = server_with([error_response(503, "service_unavailable")]).await;
    let error = api(&server).add_on(UUID).await.expect_err("an error");
    assert!(error.is_server_error() && error.is_transient());
    assert_eq!((error.status(), request_count(&server).await), (Some(503), 4));

    for attempts in [0, 1, 2] {
        let server = server_with([error_response(503, "service_unavailable")]).await;
        let client = builder(&server.uri()).attempts(attempts).build().expect("a client");
        client.api(&Token::new("t")).add_on(UUID).await.expect_err("an error");
        assert_eq!(request_count(&server).await, attempts.max(1));
    }
}

#[tokio::test]
async fn calls_with_repeated_effects_are_not_retried() {
    let server = server_with([error_response(500, "x"), status(200).set_body_json(json!([]))]).await;
    let vars = [ConfigVar::set("LANTERN_URL", "x")]; // every change restarts the customer's app
    assert!(api(&server).set_config(UUID, &vars).await.expect_err("an error").is_server_error());
    assert_eq!(request_count(&server).await, 1);
    let server = server_with([error_response(500, "x"), status(200).set_body_json(json!({}))]).await;
    assert!(api(&server).subscribe(UUID, &settings()).await.expect_err("an error").is_server_error());
    assert_eq!(request_count(&server).await, 1);
    let server = server_with([error_response(500, "x"), status(200).set_body_json(json!({}))]).await;
    assert!(api(&server).add_log_drain("shop", &"https://x".into()).await.expect_err("an error").is_server_error());
    assert_eq!(request_count(&server).await, 1);
    let server = server_with([error_response(500, "x"), status(200).set_body_json(json!({}))]).await;
    assert!(api(&server).patch("/x").send().await.expect_err("an error").is_server_error());
    assert_eq!(request_count(&server).await, 1);

    // except if the caller marks the request as idempotent
    let server = server_with([error_response(500, "x"), status(200).set_body_json(json!({}))]).await;
    api(&server).post("/x").idempotent().send().await.expect("an answer");
    assert_eq!(request_count(&server).await, 2);
}

#[tokio::test]
async fn a_429_is_retried_for_every_kind_of_call() {
    let hook = json!({ "id": "w1", "include": ["api:addon"], "level": "sync", "url": "https://lantern.example/hooks" });
    let limited = error_response(429, "rate_limit").insert_header("retry-after", "0");
    let server = server_with([limited, status(201).set_body_json(hook)]).await;
    api(&server).subscribe(UUID, &settings()).await.expect("a webhook");
    assert_eq!(request_count(&server).await, 2);
}

#[tokio::test]
async fn a_429_without_retry_after_is_retried() {
    let server = server_with([error_response(429, "rate_limit"), status(200).set_body_json(add_on())]).await;
    api(&server).add_on(UUID).await.expect("an add-on");
    assert_eq!(request_count(&server).await, 2);
}

#[tokio::test]
async fn a_call_that_would_wait_too_long_returns_the_waiting_time() {
    let limited = error_response(429, "rate_limit")
        .insert_header("retry-after", "3600")
        .insert_header("ratelimit-remaining", "0");
    let server = server_with([limited]).await;
    let api = api(&server);
    let error = api.add_on(UUID).await.expect_err("an error");
    assert!(error.is_rate_limited() && error.is_transient());
    assert_eq!((error.retry_after(), error.status()), (Some(Duration::from_hours(1)), Some(429)));

    // the next call with the token is not sent, not even from a clone
    let error = api.clone().apps().all().await.expect_err("an error");
    assert!(error.is_rate_limited() && error.status().is_none(), "{error:?}");
    assert!(error.retry_after().is_some_and(|wait| wait > Duration::from_mins(50)), "{error:?}");
    assert_eq!((request_count(&server).await, api.remaining_requests()), (1, Some(0)));
}

#[tokio::test]
async fn retry_after_of_a_503_is_obeyed() {
    let busy = error_response(503, "service_unavailable").insert_header("retry-after", "0");
    let server = server_with([busy, status(200).set_body_json(add_on())]).await;
    api(&server).add_on(UUID).await.expect("an add-on");
    let server = server_with([error_response(503, "service_unavailable").insert_header("retry-after", "120")]).await;
    let error = api(&server).add_on(UUID).await.expect_err("an error");
    assert_eq!((error.retry_after(), request_count(&server).await), (Some(Duration::from_mins(2)), 1));
}

#[tokio::test]
async fn the_number_of_remaining_requests_is_recorded() {
    let server = server_with([status(200).set_body_json(json!([])).insert_header("ratelimit-remaining", "4499")]).await;
    let api = api(&server);
    assert_eq!(api.remaining_requests(), None);
    api.apps().all().await.expect("a list");
    assert_eq!(api.remaining_requests(), Some(4_499));
}
