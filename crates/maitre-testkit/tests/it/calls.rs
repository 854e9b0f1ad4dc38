use std::error::Error as _;

use maitre_testkit::{CloudControl, Heroku, Opperator};
use serde_json::{Value, json};

use crate::server::answering;

const OK: &str =
    "HTTP/1.1 200 OK\nconnection: close\ncontent-type: application/json\ncontent-length: 15\n\n{\"message\":\"m\"}";
const FOUND: &str = "HTTP/1.1 302 Found\nconnection: close\nlocation: /elsewhere\ncontent-length: 0\n\n";

fn heroku(root: &str) -> Heroku {
    Heroku::new(&format!("{root}/heroku/"), "tally", "password", "salt")
}

#[tokio::test]
async fn heroku_provisions_with_all_documented_fields() {
    let (root, arrivals) = answering(&[OK]);
    let reply = heroku(&root).provision("basic").set("region", json!("here")).await;
    assert_eq!((reply.status(), reply.message().as_str()), (200, "m"));

    let asked = arrivals.recv().expect("a request");
    assert_eq!(asked.line, "POST /heroku/resources HTTP/1.1");
    for header in [
        "accept: application/vnd.heroku-addons+json; version=3",
        "content-type: application/json",
        "authorization: Basic dGFsbHk6cGFzc3dvcmQ=",
    ] {
        assert!(asked.headers.iter().any(|sent| sent == header), "{header} in {:?}", asked.headers);
    }
    let body: Value = serde_json::from_str(&asked.body).expect("JSON");
    assert_eq!(body["region"], "here");
    assert_eq!(body["oauth_grant"]["type"], "authorization_code");
}

#[tokio::test]
async fn kensa_sends_neither_name_nor_grant() {
    let (root, arrivals) = answering(&[OK]);
    heroku(&root).provision("test").legacy().await.expect(200);

    let asked = arrivals.recv().expect("a request");
    assert!(asked.headers.iter().any(|sent| sent == "accept: application/json"), "{:?}", asked.headers);
    let body: Value = serde_json::from_str(&asked.body).expect("JSON");
    let mut names: Vec<_> = body.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["callback_url", "heroku_id", "logplex_token", "options", "plan", "region", "uuid"]);
}

#[tokio::test]
async fn a_deprovision_has_no_body_and_no_content_type() {
    let (root, arrivals) = answering(&[OK]);
    heroku(&root).deprovision("a/b").send().await.expect(200);

    let asked = arrivals.recv().expect("a request");
    assert_eq!(asked.line, "DELETE /heroku/resources/a%2Fb HTTP/1.1");
    assert!(!asked.has("content-type") && !asked.has("content-length") && !asked.has("transfer-encoding"));
}

#[tokio::test]
async fn every_part_of_a_call_can_be_changed() {
    let (root, arrivals) = answering(&[OK, OK, OK]);
    let heroku = heroku(&root);
    let changed = heroku.plan_change("7", "premium").without_credentials().without_header("Content-Type").body("{");
    changed.method("PATCH").path("/resources/7/").header("x-more", "1").await.expect(200);
    heroku.deprovision("7").authorization("Bearer x").await.expect(200);
    heroku.plan_change("7", "premium").without("plan").await.expect(200);

    let asked = arrivals.recv().expect("a request");
    assert_eq!((asked.line.as_str(), asked.body.as_str()), ("PATCH /heroku/resources/7/ HTTP/1.1", "{"));
    assert!(!asked.has("authorization") && !asked.has("content-type") && asked.has("x-more"));
    let asked = arrivals.recv().expect("a request");
    assert!(asked.headers.iter().any(|sent| sent == "authorization: Bearer x"));
    assert_eq!(arrivals.recv().expect("a request").body, "{}");
}

#[tokio::test]
async fn a_sign_on_is_a_form_without_credentials_and_is_not_followed() {
    let (root, arrivals) = answering(&[FOUND, FOUND]);
    let heroku = heroku(&root);
    let reply = heroku.single_sign_on("7").path("/sso/login").await;
    assert_eq!((reply.expect(302).location(), reply.cookie("id").is_none()), (Some("/elsewhere"), true));
    heroku.single_sign_on("uuid").provider_id("7").send_by_get().await.expect(302);

    let asked = arrivals.recv().expect("a request");
    assert_eq!(asked.line, "POST /heroku/sso/login HTTP/1.1");
    assert!(!asked.has("authorization") && asked.has("origin"));
    assert!(asked.body.contains("email=ada%2Bops%40example.org"), "{}", asked.body);
    let asked = arrivals.recv().expect("a request");
    assert!(asked.line.starts_with("GET /heroku/resources/7?token="), "{}", asked.line);
    assert!(!asked.line.contains("&id=") && !asked.has("origin") && asked.body.is_empty());
}

#[tokio::test]
async fn cloudcontrol_and_opperator_send_their_credentials() {
    let (root, arrivals) = answering(&[OK, OK, OK]);
    CloudControl::new(&root, "papaya", "password", "salt").plan_change("641", "large").await.expect(200);
    let opperator = Opperator::new(&root, "melon-9");
    opperator.plan_warning("inst-77").await.expect(200);
    opperator.provision(json!({})).without_credentials().await.expect(200);

    let asked = arrivals.recv().expect("a request");
    assert_eq!(asked.line, "PUT /resources/641 HTTP/1.1");
    assert!(asked.has("authorization") && asked.body.contains("cloudcontrol_id"));
    let asked = arrivals.recv().expect("a request");
    assert_eq!(asked.line, "PUT /plan_warning/inst-77 HTTP/1.1");
    assert!(asked.has("x-opperator-shared-secret") && !asked.has("content-type"));
    let asked = arrivals.recv().expect("a request");
    assert!(!asked.has("x-opperator-shared-secret"));
    assert_eq!(asked.body, r#"{"features":{}}"#);
}

#[tokio::test]
#[should_panic(expected = "expected 201, got 200\n\n> POST http://127.0.0.1")]
async fn an_unexpected_status_prints_the_exchange() {
    let (root, _arrivals) = answering(&[OK]);
    heroku(&root).provision("basic").await.expect(201);
}

#[tokio::test]
async fn no_secret_is_printed() {
    let (root, _arrivals) = answering(&[OK]);
    let heroku = Heroku::new(&root, "tally", "p4ss", "s4lt");
    let (provision, sso) = (heroku.provision("basic"), heroku.single_sign_on("7").timestamp("1772000000"));
    let printed = format!("{heroku:?} {provision:?} {sso:?} {:?}", provision.clone().await);
    let token = maitre_testkit::sign::token("7", "s4lt", "1772000000");
    for secret in ["p4ss", "s4lt", &token, &maitre_testkit::sign::basic("tally", "p4ss")] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}

#[tokio::test]
async fn an_invalid_request_is_an_error_with_a_cause() {
    let error = Heroku::new("nowhere", "tally", "p", "s").provision("basic").try_send().await.expect_err("no URL");
    assert_eq!(error.to_string(), "POST nowhere/resources cannot be sent");
    assert!(error.source().is_some() && !error.is_connect() && !error.is_timeout());
}

#[tokio::test]
#[should_panic(expected = "no answer to DELETE http://127.0.0.1:1/resources/7: ")]
async fn a_missing_server_is_named_in_the_panic() {
    Heroku::new("http://127.0.0.1:1", "tally", "p", "s").deprovision("7").await;
}

#[tokio::test]
async fn a_secret_that_the_vendor_repeats_is_masked() {
    let told = r#"{"message":"no Basic dGFsbHk6cGFzc3dvcmQ= and no https://u:pw@x.example","config":{"TALLY_URL":"https://u:pw@x.example"}}"#;
    let answer = format!("HTTP/1.1 200 OK\nconnection: close\ncontent-length: {}\n\n{told}", told.len());
    let (root, _arrivals) = answering(&[&answer]);
    let printed = heroku(&root).provision("basic").await.to_string();
    assert!(printed.contains(r#""message":"no [masked] and no [masked]""#), "{printed}");
    assert!(!printed.contains("dGFsbHk6cGFzc3dvcmQ=") && !printed.contains("u:pw"), "{printed}");
}
