use serde_json::Value;

use crate::run::{Folder, answering};

#[test]
fn a_request_is_the_marketplaces_with_the_overrides_applied() {
    let (origin, requests) =
        answering("200 OK", r#"{"id":"7","config":{"LANTERN_URL":"https://u:pw@x"},"message":"Lit."}"#);
    let folder = Folder::with_manifest(&origin);
    let (code, stdout, _) = folder.run(&[
        "send",
        "provision",
        "--plan",
        "basic",
        "--set",
        "oauth_grant.code=x",
        "--add",
        "zone=b",
        "--unset",
        "region",
        "--header",
        "Accept: text/plain",
    ]);
    assert_eq!(code, 0, "{stdout}");
    let (line, headers, body) = requests.recv().unwrap();
    assert_eq!(line, "POST /heroku/resources HTTP/1.1");
    assert!(headers.contains("accept: text/plain\n"), "{headers}");
    assert!(headers.contains("authorization: Basic bGFudGVybjpzM2NyM3QtZXhhbXBsZQ=="), "{headers}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&body["plan"], &body["zone"], &body["oauth_grant"]["code"]),
        (&"basic".into(), &"b".into(), &"x".into())
    );
    assert!(body.get("region").is_none() && body.get("log_drain_token").is_none(), "{body}");
    assert!(stdout.contains("> authorization: [masked]") && stdout.contains("\n< 200\n"), "{stdout}");
    assert!(!stdout.contains("u:pw@x"), "{stdout}");
}

#[test]
fn secrets_are_shown_on_request() {
    let (origin, _requests) = answering("200 OK", r#"{"id":"7","config":{"LANTERN_URL":"https://u:pw@x"}}"#);
    let folder = Folder::with_manifest(&origin);
    let (_, stdout, _) = folder.run(&["send", "provision", "--show-secrets", "--format", "json"]);
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&answer["id"], &answer["status"]), (&"7".into(), &200.into()));
    assert_eq!(answer["body"]["config"]["LANTERN_URL"], "https://u:pw@x");
    assert!(answer["exchange"].as_str().unwrap().contains("> authorization: Basic bGFudGVybjpz"));
}

#[test]
fn the_exit_status_depends_on_the_responses() {
    let (origin, requests) = answering("422 Unprocessable Entity", r#"{"message":"This plan does not exist."}"#);
    let folder = Folder::with_manifest(&origin);
    assert_eq!(folder.run(&["send", "plan-change", "a/b", "--plan", "gold"]).0, 1);
    assert_eq!(requests.recv().unwrap().0, "PUT /heroku/resources/a%2Fb HTTP/1.1");
    assert_eq!(folder.run(&["send", "deprovision", "7"]).0, 1);
    let (line, headers, body) = requests.recv().unwrap();
    assert_eq!((line.as_str(), body.as_str()), ("DELETE /heroku/resources/7 HTTP/1.1", ""));
    assert!(!headers.contains("content-type"), "{headers}");

    let (code, stdout, stderr) = folder.run(&["send", "provision", "--url", "http://127.0.0.1:1"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("POST http://127.0.0.1:1/heroku/resources"), "{stderr}");
}

#[test]
fn an_override_that_does_not_match_sends_no_request() {
    let (origin, requests) = answering("200 OK", "{}");
    let folder = Folder::with_manifest(&origin);
    let (code, _, stderr) = folder.run(&["send", "provision", "--set", "paln=basic"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("the request has no paln (fields: callback_url, name"), "{stderr}");
    assert!(requests.try_recv().is_err());
}

#[test]
fn overrides_apply_after_the_form_is_signed() {
    let (origin, requests) = answering("403 Forbidden", "{}");
    let folder = Folder::with_manifest(&origin);
    let forged = ["send", "sso", "7", "--at", "1772000000", "--set", "email=mallory@example.org", "--unset", "token"];
    assert_eq!(folder.run(&forged).0, 1);
    let (line, headers, body) = requests.recv().unwrap();
    assert_eq!(line, "POST /heroku/sso HTTP/1.1");
    assert!(!headers.contains("authorization"), "{headers}");
    assert!(body.contains("email=mallory%40example.org") && body.contains("timestamp=1772000000"), "{body}");
    assert!(body.contains("user_scoped_resource_token=") && !body.contains("&token="), "{body}");
}

#[test]
fn a_request_is_sent_repeatedly_and_concurrently() {
    let (origin, requests) = answering("200 OK", r#"{"id":"7"}"#);
    let folder = Folder::with_manifest(&origin);
    let (code, stdout, _) = folder.run(&["send", "provision", "--repeat", "6", "--parallel", "3"]);
    assert_eq!(code, 0);
    assert!(stdout.lines().last().unwrap().starts_with("200 ×6 in "), "{stdout}");
    let bodies: Vec<_> = requests.try_iter().map(|(_, _, body)| body).collect();
    assert_eq!(bodies.len(), 6);
    assert!(bodies.iter().all(|body| *body == bodies[0]), "every request has the same uuid");
}

#[test]
fn requests_of_the_other_marketplaces_are_supported() {
    let (origin, requests) = answering("201 Created", r#"{"id":"7"}"#);
    let folder = Folder::with_manifest(&origin);
    let cloudcontrol = ["send", "provision", "--marketplace", "cloudcontrol", "--url", &origin];
    assert_eq!(folder.run(&cloudcontrol).0, 0);
    let (line, _, body) = requests.recv().unwrap();
    assert_eq!(line, "POST /cloudcontrol/resources HTTP/1.1");
    assert!(body.contains("cloudcontrol_id"), "{body}");

    let opperator = ["send", "provision", "--marketplace", "opperator", "--url", &origin, "--add", "features.seats=5"];
    assert_eq!(folder.run_with(&opperator, &[("MAITRE_SHARED_SECRET", "melon-9")], "").0, 0);
    let (line, headers, body) = requests.recv().unwrap();
    assert_eq!(
        (line.as_str(), body.as_str()),
        ("POST /opperator/instances HTTP/1.1", r#"{"features":{"plan":"test","seats":5}}"#)
    );
    assert!(headers.contains("x-opperator-shared-secret: melon-9"), "{headers}");
}
