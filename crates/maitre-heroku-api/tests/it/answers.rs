//! Handling of unexpected responses.

use std::error::Error as _;

use maitre_heroku_api::{ConfigVar, Entity, Error, WebhookSecret, WebhookSettings};
use serde_json::json;

use crate::support::{UUID, add_on, api, error_response, request_count, server_with, status};

#[tokio::test]
async fn an_error_response_is_returned_immediately_with_herokus_message() {
    type Is = fn(&Error) -> bool;
    let cases: [(u16, &str, Option<Is>); 8] = [
        (400, "bad_request", None),
        (401, "unauthorized", Some(Error::is_unauthorized)),
        (402, "delinquent", Some(Error::is_delinquent)),
        (403, "forbidden", Some(Error::is_forbidden)),
        (404, "not_found", Some(Error::is_not_found)),
        (406, "not_acceptable", Some(Error::is_not_acceptable)),
        (410, "gone", Some(Error::is_not_found)),
        (422, "invalid_params", Some(Error::is_invalid)),
    ];
    let all: [Is; 11] = [
        Error::is_unauthorized,
        Error::is_delinquent,
        Error::is_forbidden,
        Error::is_not_found,
        Error::is_not_acceptable,
        Error::is_invalid,
        Error::is_rate_limited,
        Error::is_server_error,
        Error::is_redirect,
        Error::is_unreadable,
        Error::is_transient,
    ];
    for (code, id, is) in cases {
        let server = server_with([error_response(code, id)]).await;
        let error = api(&server).add_on(UUID).await.expect_err("an error");
        assert!(is.is_none_or(|is| is(&error)), "{error:?}");
        assert_eq!(all.iter().filter(|is| is(&error)).count(), usize::from(is.is_some()), "{error:?}");
        assert_eq!((error.status(), error.id(), error.message()), (Some(code), Some(id), Some("A sentence.")));
        assert_eq!(error.request_id(), Some("r-1"));
        let sentence = error.to_string();
        assert!(sentence.starts_with(&format!("GET /addons/{UUID}: {code} {id}: A sentence.")), "{sentence}");
        assert!(sentence.ends_with("[request r-1]"), "{sentence}");
        assert_eq!(request_count(&server).await, 1, "{code} is requested once");
    }
}

#[tokio::test]
async fn an_error_response_without_a_message_is_an_error() {
    for body in ["", "<h1>Not here</h1>", "[]", r#"{"id":7}"#] {
        let server = server_with([status(404).set_body_string(body)]).await;
        let error = api(&server).add_on(UUID).await.expect_err("an error");
        assert_eq!((error.is_not_found(), error.id(), error.message()), (true, None, None));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = server_with([status(200).set_body_json(add_on())]).await;
    for code in [301, 302, 303, 307, 308] {
        let server = server_with([status(code).insert_header("location", format!("{}/addons", elsewhere.uri()))]).await;
        let error = api(&server).add_on(UUID).await.expect_err("an error");
        assert!(error.is_redirect() && !error.is_transient(), "{error:?}");
        assert!(error.to_string().contains("redirects are not followed"), "{error}");
        assert_eq!(request_count(&server).await, 1);
    }
    assert_eq!(request_count(&elsewhere).await, 0);
}

#[tokio::test]
async fn a_success_that_is_not_json_is_an_error_without_the_body() {
    for body in ["<h1>Just a moment... s3cr3t</h1>", "", "{\"id\": \"s3cr3t", "\u{feff}{}"] {
        let server = server_with([status(200).set_body_string(body).insert_header("request-id", "r-2")]).await;
        let error = api(&server).add_on(UUID).await.expect_err("an error");
        assert!(error.is_unreadable() && error.is_transient(), "{error:?}");
        assert_eq!((error.status(), error.request_id()), (Some(200), Some("r-2")));
        assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error:?}");
        assert_eq!(request_count(&server).await, 1);
    }
}

#[tokio::test]
async fn an_unexpected_structure_is_reported_with_the_position_and_not_the_value() {
    let mut odd = add_on();
    odd["plan"] = json!({ "name": { "s3cr3t": 1 } });
    let server = server_with([status(200).set_body_json(odd)]).await;
    let error = api(&server).add_on(UUID).await.expect_err("an error");
    let cause = error.source().expect("a cause").to_string();
    assert!(cause.starts_with("the body has an unexpected structure, at plan.name, line 1 column "), "{cause}");
    assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");

    let odd = json!({ "unexpected": "s3cr3t" });
    for body in [json!([{ "name": "A", "value": ["s3cr3t"] }]), odd, json!("s3cr3t")] {
        let server = server_with([status(200).set_body_json(body)]).await;
        let error = api(&server).set_config(UUID, &[ConfigVar::set("A", "s3cr3t")]).await.expect_err("an error");
        assert!(error.is_unreadable() && !format!("{error:?}").contains("s3cr3t"), "{error:?}");
    }
}

#[tokio::test]
async fn unknown_fields_and_states_are_accepted() {
    let mut newer = add_on();
    newer["state"] = json!("hibernating");
    newer["moon"] = json!({ "phase": 3 });
    newer["provider_id"] = json!(4711);
    newer["config_vars"] = json!(null);
    newer["created_at"] = json!("yesterday");
    newer["billing_entity"]["type"] = json!("galaxy");
    let server = server_with([status(200).set_body_json(newer)]).await;
    let read = api(&server).add_on(UUID).await.expect("an add-on");
    assert_eq!((read.state.as_str(), read.provider_id.as_deref()), ("hibernating", Some("4711")));
    assert_eq!((read.config_vars.len(), read.created_at), (0, None));

    // the required fields are sufficient
    let bare = json!({
        "id": UUID, "name": "n", "state": "provisioned", "plan": { "name": "lantern:basic" }, "addon_service": {},
    });
    let server = server_with([status(200).set_body_json(bare)]).await;
    assert_eq!(api(&server).add_on(UUID).await.expect("an add-on").plan.bare_name(), "basic");
}

#[tokio::test]
async fn a_delete_may_be_answered_without_a_body() {
    let server = server_with([status(204)]).await;
    api(&server).unsubscribe(UUID, "w1").await.expect("an end");
    api(&server).remove_log_drain("shop", "l1").await.expect("an end");
}

#[tokio::test]
async fn a_generated_webhook_secret_is_read_from_its_header() {
    let hook = json!({ "id": "w1", "include": ["api:addon"], "level": "sync", "url": "https://lantern.example/hooks" });
    let answer = |code| status(code).set_body_json(&hook);
    let server = server_with([answer(201).insert_header("Heroku-Webhook-Secret", "dr4wn"), answer(200)]).await;
    let settings = WebhookSettings::new([Entity::AddOn], "https://lantern.example/hooks");

    let subscription = api(&server).subscribe(UUID, &settings).await.expect("a webhook");
    assert!(!format!("{subscription:?}").contains("dr4wn"));
    let secret = subscription.secret.expect("a secret");
    assert_eq!(secret.expose(), "dr4wn");
    WebhookSecret::new(secret).expect("a secret");
    assert!(api(&server).subscribe(UUID, &settings).await.expect("a webhook").secret.is_none());
}
