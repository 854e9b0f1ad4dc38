//! Every response to every marketplace, byte by byte. A change here changes what marketplaces receive.

use axum::Router;
use maitre::{Addon, CloudControl, Deprovisioned, Failure, Heroku, Opperator, PlanChanged, Provisioned, SignedOn};

use crate::support::{Clock, NOW, PASSWORD, Raw, SALT, SECRET, SLUG, Server, UUID, Vendor, request};

const BASIC: &str = "authorization: Basic bGFudGVybjpzM2NyM3QtZXhhbXBsZQ==";
const SHARED: &str = "x-opperator-shared-secret: melon-9";
const FORM: &str = "content-type: application/x-www-form-urlencoded";

/// Serves three add-ons of one vendor, whose replies set every field.
async fn open() -> (Server, Vendor) {
    let vendor = Vendor::default();
    let clock = Clock::at(NOW);
    let heroku = Heroku::new(SLUG, PASSWORD, SALT).expect("credentials").with_legacy_token(true);
    let cloudcontrol = CloudControl::new(SLUG, PASSWORD, SALT).expect("credentials");
    let opperator = Opperator::new(SLUG, SECRET, |features| features.is_empty().then(|| "basic".to_owned()));
    let opperator = Addon::new(opperator.expect("a secret"), vendor.clone()).with_body_limit(64);
    let app = Router::new()
        .nest(
            "/heroku",
            maitre::heroku(Addon::new(heroku, vendor.clone()).with_clock(clock.source()).with_body_limit(1024)),
        )
        .nest(
            "/cloudcontrol",
            maitre::cloudcontrol(Addon::new(cloudcontrol, vendor.clone()).with_clock(clock.source())),
        )
        .nest("/opperator", maitre::opperator(opperator));
    vendor.on_provision(async |_| {
        Ok(Provisioned::new("4711")
            .with_config("LANTERN_URL", "https://u4:pw@eu1.lantern.example/t4")
            .with_config("LANTERN_A", "ü\"")
            .with_message("Lantern is ready.")
            .with_log_drain_url("https://drain.lantern.example"))
    });
    vendor
        .on_plan_change(async |_| Ok(PlanChanged::new().with_config("LANTERN_A", "2").with_message("Now on premium.")));
    vendor.on_deprovision(async |_| Ok(Deprovisioned::new().with_message("Good-bye.")));
    vendor.on_single_sign_on(async |_| Ok(SignedOn::redirect("/dashboard")));
    (Server::start(app).await, vendor)
}

/// Sends a request and asserts the whole response except the date.
async fn check(server: &Server, lines: &[&str], body: &str, expected: &str) {
    let head = lines.iter().copied().chain(["x-request-id: r-1"]);
    let reply = Raw::exchange(server, request(head, body)).await;
    assert_eq!(reply.undated(), expected, "{lines:?}");
}

/// Returns a response with a JSON body.
fn json(status: &str, body: &str) -> String {
    json_with(status, "", body)
}

/// Returns a response with a JSON body and another header line.
fn json_with(status: &str, header: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\ncontent-type: application/json\n{header}x-request-id: r-1\ncontent-length: {length}\n\n{body}"
    )
}

fn unauthorized(challenge: &str) -> String {
    let body = r#"{"message":"The credentials are missing or wrong."}"#;
    json_with("401 Unauthorized", &format!("www-authenticate: {challenge}\n"), body)
}

const BASIC_CHALLENGE: &str = r#"Basic realm="Add-on API", charset="UTF-8""#;
const SHARED_CHALLENGE: &str = r#"X-Opperator-Shared-Secret realm="Add-on API""#;

const PROVISION: &str = r#"{"uuid":"7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21","plan":"basic"}"#;
const PREMIUM: &str = r#"{"plan":"premium"}"#;
const FEATURES: &str = r#"{"features":{}}"#;

const PROVISIONED: &str = r#"{"id":"4711","config":{"LANTERN_URL":"https://u4:pw@eu1.lantern.example/t4","LANTERN_A":"ü\""},"message":"Lantern is ready."}"#;
const PLAN_CHANGED: &str = r#"{"config":{"LANTERN_A":"2"},"message":"Now on premium."}"#;
const DEPROVISIONED: &str = r#"{"message":"Good-bye."}"#;

#[tokio::test]
async fn successful_heroku_responses() {
    let (server, vendor) = open().await;
    let drain_url = r#""Lantern is ready.","log_drain_url":"https://drain.lantern.example""#;
    let provisioned = json("200 OK", &PROVISIONED.replace(r#""Lantern is ready.""#, drain_url));
    check(&server, &["POST /heroku/resources", BASIC], PROVISION, &provisioned).await;
    check(&server, &["PUT /heroku/resources/4711", BASIC], PREMIUM, &json("200 OK", PLAN_CHANGED)).await;
    check(&server, &["DELETE /heroku/resources/4711", BASIC], "", "HTTP/1.1 204 No Content\nx-request-id: r-1\n\n")
        .await;
    check(&server, &["POST /heroku/resources/4711/events", BASIC], r#"{"event":"deploy"}"#, &json("200 OK", "{}"))
        .await;
    vendor.on_provision(async |_| Ok(Provisioned::new(7)));
    let provisioned = json("200 OK", r#"{"id":"7","config":{}}"#);
    check(&server, &["POST /heroku/resources", BASIC], PROVISION, &provisioned).await;
    vendor.on_plan_change(async |_| Ok(PlanChanged::new()));
    check(&server, &["PUT /heroku/resources/4711", BASIC], PREMIUM, &json("200 OK", "{}")).await;
}

#[tokio::test]
async fn rejected_heroku_requests() {
    let (server, _) = open().await;
    check(&server, &["POST /heroku/resources"], "{}", &unauthorized(BASIC_CHALLENGE)).await;
    let message = r#"{"message":"The body cannot be read at uuid: expected a string, at line 1 column 9."}"#;
    let bad_request = json("400 Bad Request", message);
    check(&server, &["POST /heroku/resources", BASIC], r#"{"uuid":7}"#, &bad_request).await;
    let message = r#"{"message":"The body is longer than the limit of 1024 bytes."}"#;
    let too_large = json("413 Payload Too Large", message);
    check(&server, &["POST /heroku/resources", BASIC, "content-length: 1025"], "", &too_large).await;
    let message = r#"{"message":"This method is not supported here."}"#;
    let wrong_method = json("405 Method Not Allowed", message).replace("x-request-id: r-1", "allow: POST");
    check(&server, &["PATCH /heroku/resources", BASIC], "", &wrong_method).await;
    let not_found = json("404 Not Found", r#"{"message":"This resource does not exist."}"#);
    check(&server, &["DELETE /heroku/resources/%FF", BASIC], "", &not_found).await;
}

/// Asserts the response to each kind of failure. Marketplaces differ only in the status `gone`.
async fn failures(server: &Server, vendor: &Vendor, lines: &[&str], body: &str, gone: &str) {
    for (failure, status, message) in [
        ((|| Failure::refused("Sold out.")) as fn() -> Failure, "422 Unprocessable Entity", "Sold out."),
        (|| Failure::conflict("Ordered as basic."), "422 Unprocessable Entity", "Ordered as basic."),
        (Failure::unknown, "404 Not Found", "This resource does not exist."),
        (Failure::gone, gone, "This resource was removed."),
        (
            || Failure::from_display("cause"),
            "503 Service Unavailable",
            "The add-on cannot answer at the moment. Please try again in a few minutes.",
        ),
    ] {
        vendor.on_provision(move |_| async move { Err(failure()) });
        check(server, lines, body, &json(status, &format!(r#"{{"message":"{message}"}}"#))).await;
    }
}

#[tokio::test]
async fn listener_failures_on_every_marketplace() {
    let (server, vendor) = open().await;
    failures(&server, &vendor, &["POST /heroku/resources", BASIC], PROVISION, "410 Gone").await;
    failures(&server, &vendor, &["POST /cloudcontrol/resources", BASIC], r#"{"plan":"basic"}"#, "404 Not Found").await;
    failures(&server, &vendor, &["POST /opperator/instances", SHARED], FEATURES, "410 Gone").await;
}

const FORBIDDEN_PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>You are not signed in</title>
<style>
:root { color-scheme: light dark; }
body { font: 1.125rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto 0; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
</style>
</head>
<body>
<main>
<h1>You are not signed in</h1>
<p>This sign-in link has expired or was already used. Please open the add-on again from your dashboard.</p>
</main>
</body>
</html>
"#;

fn forbidden() -> String {
    let length = FORBIDDEN_PAGE.len();
    format!(
        "HTTP/1.1 403 Forbidden
content-type: text/html; charset=utf-8
cache-control: no-store
content-security-policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'
x-request-id: r-1
content-length: {length}

{FORBIDDEN_PAGE}"
    )
}

const SIGNED_ON: &str = "HTTP/1.1 302 Found
location: /dashboard
cache-control: no-store
referrer-policy: no-referrer
set-cookie: heroku-nav-data=eyJhIjoxfQ; HttpOnly; SameSite=Lax; Secure; Path=/
x-request-id: r-1
content-length: 0

";

/// Query of a sign-on to resource 4711 by GET, for Heroku and cloudControl.
const QUERY: &str = "token=a8f6e6c591b80b8d12222f8823a613e65b4dfbf7&timestamp=1772000000&nav-data=eyJhIjoxfQ";

#[tokio::test]
async fn single_sign_on_responses_of_heroku() {
    let (server, _) = open().await;
    let token = "ac96a81ac9555ffb7077cce9dd00850ae85c267d";
    let form = format!("resource_id={UUID}&resource_token={token}&timestamp=1772000000&nav-data=eyJhIjoxfQ");
    check(&server, &["POST /heroku/resources/sso", FORM], &form, SIGNED_ON).await;
    check(&server, &[&format!("GET /heroku/resources/4711?{QUERY}")], "", SIGNED_ON).await;
    let expired = form.replace("17720000", "17710000");
    check(&server, &["POST /heroku/resources/sso", FORM], &expired, &forbidden()).await;
    check(&server, &["GET /heroku/resources/4711"], "", &forbidden()).await;
    check(&server, &["POST /heroku/resources/sso", FORM], "", &forbidden()).await;
}

#[tokio::test]
async fn cloudcontrol_responses() {
    let (server, _) = open().await;
    let (post, resource) = ("POST /cloudcontrol/resources", "/cloudcontrol/resources/4711");
    check(&server, &[post, BASIC], r#"{"plan":"basic"}"#, &json("201 Created", PROVISIONED)).await;
    check(&server, &[&format!("PUT {resource}"), BASIC], PREMIUM, &json("200 OK", PLAN_CHANGED)).await;
    check(&server, &[&format!("DELETE {resource}"), BASIC], "", &json("200 OK", DEPROVISIONED)).await;
    check(&server, &[&format!("DELETE {resource}")], "", &unauthorized(BASIC_CHALLENGE)).await;
    check(&server, &["POST /cloudcontrol/sso", FORM], &format!("id=4711&{QUERY}"), SIGNED_ON).await;
    check(&server, &[&format!("GET {resource}?{QUERY}")], "", SIGNED_ON).await;
    check(&server, &[&format!("GET /cloudcontrol/resources/4712?{QUERY}")], "", &forbidden()).await;
}

#[tokio::test]
async fn opperator_responses() {
    let (server, _) = open().await;
    let (post, plan_warning) = ("POST /opperator/instances", "PUT /opperator/plan_warning/4711");
    check(&server, &[post, SHARED], FEATURES, &json("201 Created", PROVISIONED)).await;
    check(&server, &["PUT /opperator/instances/4711", SHARED], FEATURES, &json("200 OK", PLAN_CHANGED)).await;
    check(&server, &["DELETE /opperator/instances/4711", SHARED], "", &json("200 OK", DEPROVISIONED)).await;
    check(&server, &[plan_warning, SHARED], "", &json("200 OK", "{}")).await;
    check(&server, &[plan_warning], "", &unauthorized(SHARED_CHALLENGE)).await;
    let refused = json("422 Unprocessable Entity", r#"{"message":"No plan offers these features."}"#);
    check(&server, &[post, SHARED], r#"{"features":{"seats":9}}"#, &refused).await;
    let message = r#"{"message":"The body is longer than the limit of 64 bytes."}"#;
    let too_large = json("413 Payload Too Large", message);
    check(&server, &[post, SHARED, "content-length: 65"], "", &too_large).await;
}

#[tokio::test]
async fn a_missing_request_id_is_generated_and_unique() {
    let (server, _) = open().await;
    let bytes = request(["POST /heroku/resources", BASIC], PROVISION);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let reply = Raw::exchange(&server, &bytes).await;
        let id = reply.header("x-request-id").expect("an id").to_owned();
        assert!(!seen.contains(&id) && !id.is_empty());
        seen.push(id);
    }
}
