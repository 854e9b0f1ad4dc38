use serde_json::Value;

use crate::run::{Folder, answering};

#[test]
fn a_call_is_what_the_marketplace_sends_but_for_the_overrides() {
    let (origin, asked) =
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
    let (line, headers, body) = asked.recv().unwrap();
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
fn secrets_are_shown_to_who_asks_for_them() {
    let (origin, _asked) = answering("200 OK", r#"{"id":"7","config":{"LANTERN_URL":"https://u:pw@x"}}"#);
    let folder = Folder::with_manifest(&origin);
    let (_, stdout, _) = folder.run(&["send", "provision", "--show-secrets", "--format", "json"]);
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&answer["id"], &answer["status"]), (&"7".into(), &200.into()));
    assert_eq!(answer["body"]["config"]["LANTERN_URL"], "https://u:pw@x");
    assert!(answer["exchange"].as_str().unwrap().contains("> authorization: Basic bGFudGVybjpz"));
}

#[test]
fn the_status_says_what_came_of_it() {
    let (origin, asked) = answering("422 Unprocessable Entity", r#"{"message":"There is no such plan."}"#);
    let folder = Folder::with_manifest(&origin);
    assert_eq!(folder.run(&["send", "plan-change", "a/b", "--plan", "gold"]).0, 1);
    assert_eq!(asked.recv().unwrap().0, "PUT /heroku/resources/a%2Fb HTTP/1.1");
    assert_eq!(folder.run(&["send", "deprovision", "7"]).0, 1);
    let (line, headers, body) = asked.recv().unwrap();
    assert_eq!((line.as_str(), body.as_str()), ("DELETE /heroku/resources/7 HTTP/1.1", ""));
    assert!(!headers.contains("content-type"), "{headers}");

    let (code, stdout, stderr) = folder.run(&["send", "provision", "--url", "http://127.0.0.1:1"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.contains("error: it was not answered: no answer to POST http://127.0.0.1:1/heroku/resources"),
        "{stderr}"
    );
}

#[test]
fn an_override_that_hits_nothing_sends_nothing() {
    let (origin, asked) = answering("200 OK", "{}");
    let folder = Folder::with_manifest(&origin);
    let (code, _, stderr) = folder.run(&["send", "provision", "--set", "paln=basic"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("the request has no paln: it has callback_url, name"), "{stderr}");
    assert!(asked.try_recv().is_err());
}

#[test]
fn a_form_is_signed_and_then_forged() {
    let (origin, asked) = answering("403 Forbidden", "{}");
    let folder = Folder::with_manifest(&origin);
    let forged = ["send", "sso", "7", "--at", "1772000000", "--set", "email=mallory@example.org", "--unset", "token"];
    assert_eq!(folder.run(&forged).0, 1);
    let (line, headers, body) = asked.recv().unwrap();
    assert_eq!(line, "POST /heroku/sso HTTP/1.1");
    assert!(!headers.contains("authorization"), "{headers}");
    assert!(body.contains("email=mallory%40example.org") && body.contains("timestamp=1772000000"), "{body}");
    assert!(body.contains("user_scoped_resource_token=") && !body.contains("&token="), "{body}");
}

#[test]
fn the_same_call_goes_out_as_often_as_is_said() {
    let (origin, asked) = answering("200 OK", r#"{"id":"7"}"#);
    let folder = Folder::with_manifest(&origin);
    let (code, stdout, _) = folder.run(&["send", "provision", "--repeat", "6", "--parallel", "3"]);
    assert_eq!(code, 0);
    assert!(stdout.lines().last().unwrap().starts_with("200 ×6 in "), "{stdout}");
    let bodies: Vec<_> = asked.try_iter().map(|(_, _, body)| body).collect();
    assert_eq!(bodies.len(), 6);
    assert!(bodies.iter().all(|body| *body == bodies[0]), "the same uuid each time");
}

#[test]
fn the_other_marketplaces_have_calls_too() {
    let (origin, asked) = answering("201 Created", r#"{"id":"7"}"#);
    let folder = Folder::with_manifest(&origin);
    let cloudcontrol = ["send", "provision", "--marketplace", "cloudcontrol", "--url", &origin];
    assert_eq!(folder.run(&cloudcontrol).0, 0);
    let (line, _, body) = asked.recv().unwrap();
    assert_eq!(line, "POST /cloudcontrol/resources HTTP/1.1");
    assert!(body.contains("cloudcontrol_id"), "{body}");

    let opperator = ["send", "provision", "--marketplace", "opperator", "--url", &origin, "--add", "features.seats=5"];
    assert_eq!(folder.run_with(&opperator, &[("MAITRE_SHARED_SECRET", "melon-9")], "").0, 0);
    let (line, headers, body) = asked.recv().unwrap();
    assert_eq!(
        (line.as_str(), body.as_str()),
        ("POST /opperator/instances HTTP/1.1", r#"{"features":{"plan":"test","seats":5}}"#)
    );
    assert!(headers.contains("x-opperator-shared-secret: melon-9"), "{headers}");
}
