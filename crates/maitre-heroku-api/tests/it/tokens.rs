//! Exchange of grants and refresh of tokens.

use std::time::Duration;

use maitre_heroku_api::{Client, OauthGrant, Secret, Token};
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::datetime};
use wiremock::MockServer;

use crate::support::{builder, client, error_response, header, request_count, requests, server_with, status};

const NOW: OffsetDateTime = datetime!(2026-03-04 5:06:07 UTC);
const IN_EIGHT_HOURS: OffsetDateTime = datetime!(2026-03-04 13:06:07 UTC);

fn token_response() -> Value {
    json!({
        "access_token": "HRKU-a", "refresh_token": "HRKU-r", "expires_in": 28_800, "token_type": "Bearer",
        "user_id": "u1", "session_nonce": null,
    })
}

fn grant() -> OauthGrant {
    OauthGrant::new("b6a1d7de-91f5-44d6-8a52-08f0d3c1a0aa", NOW + time::Duration::minutes(5))
}

/// Builds a client whose clock is stopped.
fn client_at_now(server: &MockServer) -> Client {
    builder(&server.uri()).clock(|| NOW).build().expect("a client")
}

fn shown(token: &Token) -> (&str, Option<&str>, Option<OffsetDateTime>) {
    let refresh = token.refresh_token().map(Secret::expose);
    (token.access_token().expose(), refresh, token.expires_at())
}

#[tokio::test]
async fn a_grant_is_exchanged_with_a_plain_form() {
    let server = server_with([status(200).set_body_json(token_response())]).await;
    let token = client_at_now(&server).exchange(&grant()).await.expect("a token");
    assert_eq!(shown(&token), ("HRKU-a", Some("HRKU-r"), Some(IN_EIGHT_HOURS)));

    let sent = &requests(&server).await[0];
    assert_eq!((sent.method.as_str(), sent.url.path(), sent.url.query()), ("POST", "/oauth/token", None));
    assert_eq!(header(sent, "content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!((header(sent, "accept"), header(sent, "authorization")), (Some("application/json"), None));
    assert_eq!(header(sent, "user-agent"), Some("lantern/2.1"));
    assert_eq!(
        String::from_utf8_lossy(&sent.body),
        "grant_type=authorization_code&code=b6a1d7de-91f5-44d6-8a52-08f0d3c1a0aa&client_secret=client+s3cr3t",
    );
}

#[tokio::test]
async fn a_refresh_sends_the_refresh_token_and_keeps_it_if_the_response_has_none() {
    let old = Token::new("HRKU-0").with_refresh_token("HRKU-r&").with_expiry(NOW);
    let life = NOW + time::Duration::seconds(7_199);
    let nulls = json!({ "access_token": "HRKU-a", "refresh_token": null, "expires_in": null });
    for (code, answer, expected) in [
        (200, token_response(), ("HRKU-a", Some("HRKU-r"), Some(IN_EIGHT_HOURS))),
        (201, json!({ "access_token": "HRKU-a", "expires_in": 7_199 }), ("HRKU-a", Some("HRKU-r&"), Some(life))),
        (200, json!({ "access_token": "HRKU-a", "expires_in": "7199" }), ("HRKU-a", Some("HRKU-r&"), Some(life))),
        (200, json!({ "access_token": "HRKU-a", "expires_in": -5 }), ("HRKU-a", Some("HRKU-r&"), Some(NOW))),
        (200, json!({ "access_token": "HRKU-a" }), ("HRKU-a", Some("HRKU-r&"), None)),
        (200, nulls, ("HRKU-a", Some("HRKU-r&"), None)),
    ] {
        let server = server_with([status(code).set_body_json(&answer)]).await;
        let token = client_at_now(&server).refresh(&old).await.expect("a token");
        assert_eq!(shown(&token), expected, "{answer}");
        let sent = &requests(&server).await[0];
        assert_eq!((sent.method.as_str(), sent.url.path(), sent.url.query()), ("POST", "/oauth/token", None));
        let body = String::from_utf8_lossy(&sent.body);
        assert_eq!(body, "grant_type=refresh_token&refresh_token=HRKU-r%26&client_secret=client+s3cr3t");
    }
}

#[tokio::test]
async fn a_huge_lifetime_does_not_panic() {
    let server = server_with([status(200).set_body_json(json!({ "access_token": "a", "expires_in": i64::MAX }))]).await;
    let token = client_at_now(&server).exchange(&grant()).await.expect("a token");
    assert!(token.expires_at().expect("an end") > NOW);
}

#[tokio::test]
async fn a_refused_grant_is_not_retried() {
    for (code, id) in [(400, "bad_request"), (401, "unauthorized"), (403, "forbidden"), (404, "not_found")] {
        let server = server_with([error_response(code, id)]).await;
        let error = client_at_now(&server).exchange(&grant()).await.expect_err("an error");
        assert!(!error.is_transient() && error.status() == Some(code), "{error:?}");
        assert!(error.to_string().starts_with(&format!("POST /oauth/token: {code} {id}: A sentence.")), "{error}");
        assert_eq!(request_count(&server).await, 1);
    }
}

#[tokio::test]
async fn a_server_error_is_retried_until_the_grant_expires() {
    let server =
        server_with([error_response(503, "x"), status(502), status(200).set_body_json(token_response())]).await;
    client_at_now(&server).exchange(&grant()).await.expect("a token");
    assert_eq!(request_count(&server).await, 3);

    // a second attempt would be after the expiry
    let server = server_with([error_response(503, "x"), status(200).set_body_json(token_response())]).await;
    let ending = OauthGrant::new("c0de", NOW);
    assert!(client_at_now(&server).exchange(&ending).await.expect_err("an error").is_server_error());
    assert_eq!(request_count(&server).await, 1);

    // clocks differ, so one attempt is made even after the expiry
    let server = server_with([status(200).set_body_json(token_response())]).await;
    let ended = OauthGrant::new("c0de", NOW - time::Duration::minutes(1));
    client_at_now(&server).exchange(&ended).await.expect("a token");
}

#[tokio::test]
async fn a_rate_limit_beyond_the_expiry_of_the_grant_is_an_error() {
    let server = server_with([error_response(429, "rate_limit").insert_header("retry-after", "20")]).await;
    let ending = OauthGrant::new("c0de", NOW + time::Duration::seconds(10));
    let error = client_at_now(&server).exchange(&ending).await.expect_err("an error");
    assert_eq!((error.retry_after(), request_count(&server).await), (Some(Duration::from_secs(20)), 1));
}

#[tokio::test]
async fn a_redirect_of_the_token_endpoint_is_not_followed() {
    let elsewhere = server_with([status(200).set_body_json(token_response())]).await;
    for code in [302, 307, 308] {
        let server = server_with([status(code).insert_header("location", elsewhere.uri())]).await;
        assert!(client_at_now(&server).exchange(&grant()).await.expect_err("an error").is_redirect());
    }
    assert_eq!(request_count(&elsewhere).await, 0);
}

#[tokio::test]
async fn a_response_without_a_token_is_an_error_without_the_body() {
    for body in ["<h1>HRKU-s3cr3t</h1>", r#"{"access_token":{"token":"HRKU-s3cr3t"}}"#, r#"{"token":"HRKU-s3cr3t"}"#] {
        let server = server_with([status(200).set_body_string(body)]).await;
        let error = client_at_now(&server).exchange(&grant()).await.expect_err("an error");
        assert!(error.is_unreadable(), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error:?}");
    }
}

#[tokio::test]
async fn a_token_without_a_refresh_token_is_not_refreshed() {
    let server = server_with([status(200).set_body_json(token_response())]).await;
    let error = client(&server).refresh(&Token::new("HRKU-a")).await.expect_err("an error");
    let expected = "POST /oauth/token: cannot send the request: the token has no refresh token";
    assert_eq!((error.to_string().as_str(), error.is_transient()), (expected, false));
    assert_eq!(request_count(&server).await, 0);
}

#[tokio::test]
async fn a_token_that_is_not_a_header_value_is_not_sent() {
    let server = server_with([status(200).set_body_json(json!([]))]).await;
    let error = client(&server).api(&Token::new("HRKU\n-t0ken")).apps().all().await.expect_err("an error");
    assert!(!format!("{error} {error:?}").contains("t0ken"), "{error:?}");
    assert_eq!(request_count(&server).await, 0);
}

#[tokio::test]
async fn nothing_prints_a_secret() {
    let server = server_with([error_response(401, "unauthorized")]).await;
    let client = client(&server);
    let token = Token::new("HRKU-a").with_refresh_token("HRKU-r");
    let (api, builder) = (client.api(&token), builder(&server.uri()));
    let errors = (api.add_on("7").await, client.exchange(&grant()).await, client.refresh(&token).await);
    let call = api.post("/x").json(&json!({ "secret": "b0dy" }));
    let printed = format!("{client:?} {api:?} {builder:?} {token:?} {errors:?} {call:?} {:?}", api.apps());
    for secret in ["HRKU", "s3cr3t", "b6a1d7de", "b0dy"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}

#[tokio::test]
async fn an_old_client_secret_is_used_until_its_end_if_the_current_one_is_refused() {
    let until = |end: OffsetDateTime| {
        move |server: &MockServer| {
            let client = builder(&server.uri()).clock(|| NOW).old_client_secret("old s3cr3t", end);
            client.build().expect("a client")
        }
    };
    let later = until(NOW + time::Duration::SECOND);
    let server = server_with([status(401), status(200).set_body_json(token_response())]).await;
    later(&server).exchange(&grant()).await.expect("a token");
    let sent: Vec<_> =
        requests(&server).await.iter().map(|sent| String::from_utf8_lossy(&sent.body).into_owned()).collect();
    assert!(
        sent[0].ends_with("client_secret=client+s3cr3t") && sent[1].ends_with("client_secret=old+s3cr3t"),
        "{sent:?}"
    );

    // the current secret is accepted, or the error is not about the secret
    let server = server_with([status(200).set_body_json(token_response())]).await;
    later(&server).exchange(&grant()).await.expect("a token");
    assert_eq!(request_count(&server).await, 1);
    let server = server_with([status(400)]).await;
    later(&server).exchange(&grant()).await.expect_err("a refusal");
    assert_eq!(request_count(&server).await, 1);

    let server = server_with([status(401)]).await;
    let error = until(NOW)(&server).exchange(&grant()).await.expect_err("the old secret has ended");
    assert!(error.is_unauthorized());
    assert_eq!(request_count(&server).await, 1);
}
