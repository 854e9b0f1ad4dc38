//! Credentials, versions, request identity, and the shape of errors.

use maitre::OsbRequest;
use maitre_testkit::sign;
use serde_json::{Value, json};

use super::{BASIC, PASSWORD, QUERY, USER, answer, broker, broker_with, error, order};
use crate::support::{Raw, request};

const ROUTES: [&str; 11] = [
    "GET /osb/v2/catalog",
    "PUT /osb/v2/service_instances/i-1",
    "GET /osb/v2/service_instances/i-1",
    "PATCH /osb/v2/service_instances/i-1",
    "DELETE /osb/v2/service_instances/i-1",
    "GET /osb/v2/service_instances/i-1/last_operation",
    "PUT /osb/v2/service_instances/i-1/service_bindings/b-1",
    "GET /osb/v2/service_instances/i-1/service_bindings/b-1",
    "DELETE /osb/v2/service_instances/i-1/service_bindings/b-1",
    "GET /osb/v2/service_instances/i-1/service_bindings/b-1/last_operation",
    "GET /osb/bluemix_v1/service_instances/i-1",
];

#[tokio::test]
async fn every_route_asks_for_credentials_first_and_then_for_the_version() {
    let broker = broker().await;
    let right = format!("authorization: {}", sign::basic(USER, PASSWORD));
    let wrong = format!("authorization: {}", sign::basic(USER, "guessed"));
    for route in ROUTES {
        for lines in [&[route][..], &[route, &wrong], &[route, &wrong, "x-broker-api-version: 2.17"]] {
            let reply = Raw::exchange(&broker.server, request(lines.iter().copied(), "")).await;
            assert_eq!(error(&reply), (401, None), "{lines:?}");
            assert!(reply.header("www-authenticate").is_some());
        }
        for version in
            ["x-nothing: 1", "x-broker-api-version:", "x-broker-api-version: 1.17", "x-broker-api-version: 3.0"]
        {
            let reply = Raw::exchange(&broker.server, request([route, &right, version], "")).await;
            assert_eq!(error(&reply), (412, None), "{route} {version}");
        }
    }
    assert_eq!(broker.vendor.calls(), 0);
}

#[tokio::test]
async fn any_later_minor_version_is_accepted_and_earlier_ones_are_a_setting() {
    let strict = broker_with(|osb| osb.with_minimum_minor_version(15)).await;
    let lenient = broker().await;
    for (version, strict_status, lenient_status) in
        [("2.11", 412, 412), ("2.12", 412, 200), ("2.15", 200, 200), ("2.99", 200, 200)]
    {
        let header = format!("x-broker-api-version: {version}");
        assert_eq!(strict.send_with("GET /v2/catalog", &[&header], &Value::Null).await.status(), strict_status);
        assert_eq!(lenient.send_with("GET /v2/catalog", &[&header], &Value::Null).await.status(), lenient_status);
    }
}

#[tokio::test]
async fn the_request_identity_is_returned_with_successes_and_errors() {
    let broker = broker().await;
    let identity = "x-broker-api-request-identity: 4f1c-77";
    let with_version = ["x-broker-api-version: 2.17", identity];
    for (line, headers, status) in [
        ("GET /v2/catalog", &with_version[..], 200),
        ("GET /v2/service_instances/i-404", &with_version, 404),
        ("GET /v2/catalog", &[identity], 412),
        ("POST /v2/catalog", &with_version, 405),
    ] {
        let reply = broker.send_with(line, headers, &Value::Null).await;
        assert_eq!(
            (reply.status(), reply.header("x-broker-api-request-identity")),
            (status, Some("4f1c-77")),
            "{line}"
        );
    }
}

#[tokio::test]
async fn the_originating_identity_reaches_the_listener_and_a_malformed_one_is_ignored() {
    let broker = broker().await;
    for (instance, sent) in [("i-1", "cloudfoundry eyJ1c2VyX2lkIjoidS0xIn0="), ("i-2", "cloudfoundry e"), ("i-3", "x")]
    {
        let line = format!("PUT /v2/service_instances/{instance}");
        let header = format!("x-broker-api-originating-identity: {sent}");
        let reply = broker.send_with(&line, &["x-broker-api-version: 2.17", &header], &order(BASIC)).await;
        assert_eq!(reply.status(), 201);
    }
    let users = broker.vendor.provisions().into_iter().map(|request| {
        let identity = request.view::<OsbRequest>().unwrap().originating_identity?;
        Some((identity.platform, identity.value.text("user_id").map(str::to_owned)))
    });
    assert_eq!(users.collect::<Vec<_>>(), [Some(("cloudfoundry".to_owned(), Some("u-1".to_owned()))), None, None]);
}

#[tokio::test]
async fn errors_of_method_size_and_type_have_the_shape_of_the_contract() {
    let broker = broker().await;
    let reply = broker.send("POST /v2/service_instances/i-1", &json!({})).await;
    assert_eq!((error(&reply), reply.header("allow").map(|allow| allow.contains("PATCH"))), ((405, None), Some(true)));
    let large = ["x-broker-api-version: 2.17", "content-length: 10485760"];
    assert_eq!(error(&broker.send_with("PUT /v2/service_instances/i-1", &large, &Value::Null).await), (413, None));
    let form = ["x-broker-api-version: 2.17", "content-type: application/x-www-form-urlencoded"];
    assert_eq!(error(&broker.send_with("PUT /v2/service_instances/i-1", &form, &order(BASIC)).await), (400, None));
    let (status, body) = answer(&broker.send(&format!("DELETE /v2/service_instances/i-1?{QUERY}"), &Value::Null).await);
    assert_eq!((status, body), (410, json!({})), "a removed instance has an empty object");
}
