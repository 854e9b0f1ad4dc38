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
            maitre::heroku(Addon::new(heroku, vendor.clone()).with_clock(clock.hand()).with_body_limit(1024)),
        )
        .nest("/cloudcontrol", maitre::cloudcontrol(Addon::new(cloudcontrol, vendor.clone()).with_clock(clock.hand())))
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
async fn answers(server: &Server, lines: &[&str], body: &str, expected: &str) {
    let lines = lines.iter().copied().chain(["x-request-id: r-1"]);
    let reply = Raw::exchange(server, request(lines, body)).await;
    assert_eq!(reply.undated(), expected);
}

fn provision() -> String {
    format!(r#"{{"uuid":"{UUID}","plan":"basic"}}"#)
}

#[tokio::test]
async fn successful_heroku_responses() {
    let (server, vendor) = open().await;
    answers(&server, &["POST /heroku/resources", BASIC], &provision(), r#"HTTP/1.1 200 OK
content-type: application/json
x-request-id: r-1
content-length: 174

{"id":"4711","config":{"LANTERN_URL":"https://u4:pw@eu1.lantern.example/t4","LANTERN_A":"ü\""},"message":"Lantern is ready.","log_drain_url":"https://drain.lantern.example"}"#).await;
    answers(
        &server,
        &["PUT /heroku/resources/4711", BASIC],
        r#"{"plan":"premium"}"#,
        r#"HTTP/1.1 200 OK
content-type: application/json
x-request-id: r-1
content-length: 56

{"config":{"LANTERN_A":"2"},"message":"Now on premium."}"#,
    )
    .await;
    answers(
        &server,
        &["DELETE /heroku/resources/4711", BASIC],
        "",
        "HTTP/1.1 204 No Content
x-request-id: r-1

",
    )
    .await;
    answers(
        &server,
        &["POST /heroku/resources/4711/events", BASIC],
        r#"{"event":"deploy"}"#,
        "HTTP/1.1 200 OK
content-type: application/json
x-request-id: r-1
content-length: 2

{}",
    )
    .await;

    vendor.on_provision(async |_| Ok(Provisioned::new(7)));
    answers(
        &server,
        &["POST /heroku/resources", BASIC],
        &provision(),
        r#"HTTP/1.1 200 OK
content-type: application/json
x-request-id: r-1
content-length: 22

{"id":"7","config":{}}"#,
    )
    .await;
    vendor.on_plan_change(async |_| Ok(PlanChanged::new()));
    answers(
        &server,
        &["PUT /heroku/resources/4711", BASIC],
        r#"{"plan":"premium"}"#,
        "HTTP/1.1 200 OK
content-type: application/json
x-request-id: r-1
content-length: 2

{}",
    )
    .await;
}

#[tokio::test]
async fn rejected_heroku_requests() {
    let (server, _) = open().await;
    answers(
        &server,
        &["POST /heroku/resources"],
        "{}",
        r#"HTTP/1.1 401 Unauthorized
content-type: application/json
www-authenticate: Basic realm="Add-on API", charset="UTF-8"
x-request-id: r-1
content-length: 70

{"message":"The credentials are missing or not those of this add-on."}"#,
    )
    .await;
    answers(
        &server,
        &["POST /heroku/resources", BASIC],
        r#"{"uuid":7}"#,
        r#"HTTP/1.1 400 Bad Request
content-type: application/json
x-request-id: r-1
content-length: 85

{"message":"The body cannot be read at uuid: expected a string, at line 1 column 9."}"#,
    )
    .await;
    answers(
        &server,
        &["POST /heroku/resources", BASIC, "content-length: 1025"],
        "",
        r#"HTTP/1.1 413 Payload Too Large
content-type: application/json
x-request-id: r-1
content-length: 67

{"message":"The body is longer than the 1024 bytes that are read."}"#,
    )
    .await;
    answers(
        &server,
        &["PATCH /heroku/resources", BASIC],
        "",
        "HTTP/1.1 405 Method Not Allowed
allow: POST
content-length: 0

",
    )
    .await;
    answers(
        &server,
        &["DELETE /heroku/resources/%FF", BASIC],
        "",
        r#"HTTP/1.1 404 Not Found
content-type: application/json
x-request-id: r-1
content-length: 40

{"message":"There is no such resource."}"#,
    )
    .await;
}

/// Asserts the response to each kind of failure. Marketplaces differ only in the status `gone`.
async fn failures(server: &Server, vendor: &Vendor, lines: &[&str], body: &str, gone: &str) {
    for (failure, status, sentence) in [
        ((|| Failure::refused("Sold out.")) as fn() -> Failure, "422 Unprocessable Entity", "Sold out."),
        (|| Failure::conflict("Ordered as basic."), "422 Unprocessable Entity", "Ordered as basic."),
        (Failure::unknown, "404 Not Found", "There is no such resource."),
        (Failure::gone, gone, "This resource was removed."),
        (
            || Failure::from_display("cause"),
            "503 Service Unavailable",
            "The add-on cannot answer at the moment. Please try again in a few minutes.",
        ),
    ] {
        vendor.on_provision(move |_| async move { Err(failure()) });
        let body_of_reply = format!(r#"{{"message":"{sentence}"}}"#);
        let length = body_of_reply.len();
        let head =
            format!("HTTP/1.1 {status}\ncontent-type: application/json\nx-request-id: r-1\ncontent-length: {length}");
        answers(server, lines, body, &format!("{head}\n\n{body_of_reply}")).await;
    }
}

#[tokio::test]
async fn listener_failures_on_every_marketplace() {
    let (server, vendor) = open().await;
    failures(&server, &vendor, &["POST /heroku/resources", BASIC], &provision(), "410 Gone").await;
    failures(&server, &vendor, &["POST /cloudcontrol/resources", BASIC], r#"{"plan":"basic"}"#, "404 Not Found").await;
    failures(&server, &vendor, &["POST /opperator/instances", SHARED], r#"{"features":{}}"#, "410 Gone").await;
}

const CLOSED_DOOR: &str = r#"HTTP/1.1 403 Forbidden
content-type: text/html; charset=utf-8
cache-control: no-store
content-security-policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'
x-request-id: r-1
content-length: 506

<!DOCTYPE html>
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
<p>Please go back and open the add-on once more.</p>
</main>
</body>
</html>
"#;

const OPEN_DOOR: &str = "HTTP/1.1 302 Found
location: /dashboard
cache-control: no-store
referrer-policy: no-referrer
set-cookie: heroku-nav-data=eyJhIjoxfQ; HttpOnly; SameSite=Lax; Secure; Path=/
x-request-id: r-1
content-length: 0

";

#[tokio::test]
async fn single_sign_on_responses_of_heroku() {
    let (server, _) = open().await;
    let token = "ac96a81ac9555ffb7077cce9dd00850ae85c267d";
    let form = format!("resource_id={UUID}&resource_token={token}&timestamp=1772000000&nav-data=eyJhIjoxfQ");
    answers(&server, &["POST /heroku/resources/sso", FORM], &form, OPEN_DOOR).await;
    let get = "GET /heroku/resources/4711?token=a8f6e6c591b80b8d12222f8823a613e65b4dfbf7&timestamp=1772000000&nav-data=eyJhIjoxfQ";
    answers(&server, &[get], "", OPEN_DOOR).await;
    answers(&server, &["POST /heroku/resources/sso", FORM], &form.replace("17720000", "17710000"), CLOSED_DOOR).await;
    answers(&server, &["GET /heroku/resources/4711"], "", CLOSED_DOOR).await;
    answers(&server, &["POST /heroku/resources/sso", FORM], "", CLOSED_DOOR).await;
}

#[tokio::test]
async fn cloudcontrol() {
    let (server, _) = open().await;
    answers(&server, &["POST /cloudcontrol/resources", BASIC], r#"{"plan":"basic"}"#, r#"HTTP/1.1 201 Created
content-type: application/json
x-request-id: r-1
content-length: 126

{"id":"4711","config":{"LANTERN_URL":"https://u4:pw@eu1.lantern.example/t4","LANTERN_A":"ü\""},"message":"Lantern is ready."}"#).await;
    answers(
        &server,
        &["PUT /cloudcontrol/resources/4711", BASIC],
        r#"{"plan":"premium"}"#,
        r#"HTTP/1.1 200 OK
content-type: application/json
x-request-id: r-1
content-length: 56

{"config":{"LANTERN_A":"2"},"message":"Now on premium."}"#,
    )
    .await;
    answers(
        &server,
        &["DELETE /cloudcontrol/resources/4711", BASIC],
        "",
        r#"HTTP/1.1 200 OK
content-type: application/json
x-request-id: r-1
content-length: 23

{"message":"Good-bye."}"#,
    )
    .await;
    answers(
        &server,
        &["DELETE /cloudcontrol/resources/4711"],
        "",
        r#"HTTP/1.1 401 Unauthorized
content-type: application/json
www-authenticate: Basic realm="Add-on API", charset="UTF-8"
x-request-id: r-1
content-length: 70

{"message":"The credentials are missing or not those of this add-on."}"#,
    )
    .await;
    let fields = "token=a8f6e6c591b80b8d12222f8823a613e65b4dfbf7&timestamp=1772000000&nav-data=eyJhIjoxfQ";
    answers(&server, &["POST /cloudcontrol/sso", FORM], &format!("id=4711&{fields}"), OPEN_DOOR).await;
    answers(&server, &[&format!("GET /cloudcontrol/resources/4711?{fields}")], "", OPEN_DOOR).await;
    answers(&server, &[&format!("GET /cloudcontrol/resources/4712?{fields}")], "", CLOSED_DOOR).await;
}

#[tokio::test]
async fn opperator() {
    let (server, _) = open().await;
    answers(&server, &["POST /opperator/instances", SHARED], r#"{"features":{}}"#, r#"HTTP/1.1 201 Created
content-type: application/json
x-request-id: r-1
content-length: 126

{"id":"4711","config":{"LANTERN_URL":"https://u4:pw@eu1.lantern.example/t4","LANTERN_A":"ü\""},"message":"Lantern is ready."}"#).await;
    answers(
        &server,
        &["PUT /opperator/instances/4711", SHARED],
        r#"{"features":{}}"#,
        r#"HTTP/1.1 200 OK
content-type: application/json
x-request-id: r-1
content-length: 56

{"config":{"LANTERN_A":"2"},"message":"Now on premium."}"#,
    )
    .await;
    answers(
        &server,
        &["DELETE /opperator/instances/4711", SHARED],
        "",
        r#"HTTP/1.1 200 OK
content-type: application/json
x-request-id: r-1
content-length: 23

{"message":"Good-bye."}"#,
    )
    .await;
    answers(
        &server,
        &["PUT /opperator/plan_warning/4711", SHARED],
        "",
        "HTTP/1.1 200 OK
content-type: application/json
x-request-id: r-1
content-length: 2

{}",
    )
    .await;
    answers(
        &server,
        &["PUT /opperator/plan_warning/4711"],
        "",
        r#"HTTP/1.1 401 Unauthorized
content-type: application/json
www-authenticate: X-Opperator-Shared-Secret realm="Add-on API"
x-request-id: r-1
content-length: 70

{"message":"The credentials are missing or not those of this add-on."}"#,
    )
    .await;
    answers(
        &server,
        &["POST /opperator/instances", SHARED],
        r#"{"features":{"seats":9}}"#,
        r#"HTTP/1.1 422 Unprocessable Entity
content-type: application/json
x-request-id: r-1
content-length: 56

{"message":"No plan of this add-on has these features."}"#,
    )
    .await;
    answers(
        &server,
        &["POST /opperator/instances", SHARED, "content-length: 65"],
        "",
        r#"HTTP/1.1 413 Payload Too Large
content-type: application/json
x-request-id: r-1
content-length: 65

{"message":"The body is longer than the 64 bytes that are read."}"#,
    )
    .await;
}

#[tokio::test]
async fn a_missing_request_id_is_generated_and_unique() {
    let (server, _) = open().await;
    let bytes = request(["POST /heroku/resources", BASIC], provision());
    let mut seen = Vec::new();
    for _ in 0..3 {
        let reply = Raw::exchange(&server, &bytes).await;
        let id = reply.header("x-request-id").expect("an id").to_owned();
        assert!(!seen.contains(&id) && !id.is_empty());
        seen.push(id);
    }
}
