//! The commands for DigitalOcean, Clever Cloud, Scalingo and QuickNode.

use serde_json::{Value, json};

use crate::run::{Folder, answering};

/// Writes the credentials of the golden vectors in the form of a marketplace.
fn folder(marketplace: &str) -> Folder {
    let folder = Folder::new();
    let manifest = match marketplace {
        "digitalocean" => json!({ "app_slug": "tamarind", "password": "s3cr3t-example", "salt": "kelp-salt" }),
        "clevercloud" => json!({ "id": "quince", "api": { "password": "s3cr3t-example", "sso_salt": "plum-salt" } }),
        _ => json!({ "username": "lychee", "password": "s3cr3t-example", "sso_salt": "orange-salt" }),
    };
    std::fs::write(folder.0.join("addon-manifest.json"), manifest.to_string()).unwrap();
    folder
}

#[test]
fn the_published_tokens_are_signed() {
    for (marketplace, id, timestamp, field, token) in [
        (
            "digitalocean",
            "0f6a2c3e-5d41-4b7a-9c11-2f3e4d5c6b7a",
            "1700000000",
            "token",
            "0a5d00d652afcb4a327e61f05ccb04404d637af83fcb92eb011e423f9996f278",
        ),
        (
            "clevercloud",
            "res_42",
            "1700000000000",
            "signature",
            "9314c44dd5ea9305aecce39c7cbdb699778512e520e992e30426226f82ef01dbad3a75928900eacd82d8be696c9c66dc07a4efd71817df2\
             cebe6bf70cfeacc11",
        ),
        ("scalingo", "ad-7d0c2b8e", "1700000000", "token", "3a751389dfbbb8db220922b22026a2cf27aa814f"),
    ] {
        let folder = folder(marketplace);
        let sign = |format: &str| {
            let arguments =
                ["sign", "sso", id, "--marketplace", marketplace, "--url", "http://127.0.0.1:8300", "--at", timestamp];
            folder.run(&[&arguments[..], &["--email", "ada@example.test", "--format", format]].concat()).1
        };
        let signed: Value = serde_json::from_str(&sign("json")).unwrap();
        assert_eq!(signed["params"][field], token, "{signed}");
        assert_eq!(signed["action"], format!("http://127.0.0.1:8300/{marketplace}/sso"));
        let is_link = marketplace == "scalingo";
        assert_eq!(signed["method"], if is_link { "get" } else { "post" });
        assert_eq!(sign("curl").contains("--data"), !is_link);
    }
}

#[test]
fn requests_are_those_of_the_marketplace() {
    let arguments: [(&str, &[&str], &str, &str); 4] = [
        ("digitalocean", &["provision", "--plan", "duo"], "POST /digitalocean/resources", "plan_slug"),
        ("digitalocean", &["suspend", "0f6a2c3e"], "POST /digitalocean/notifications", "resources.suspended"),
        ("clevercloud", &["plan-change", "q-81", "--plan", "prod"], "PUT /clevercloud/resources/q-81", "plan"),
        ("scalingo", &["resume", "ad-7"], "POST /scalingo/resources/ad-7/resume", ""),
    ];
    for (marketplace, command, line, part) in arguments {
        let (origin, requests) = answering("200 OK", "{}");
        let more = ["--marketplace", marketplace, "--url", &origin];
        let (code, stdout, stderr) = folder(marketplace).run(&[&["send"][..], command, &more].concat());
        assert_eq!(code, 0, "{stdout}{stderr}");
        let (sent, headers, body) = requests.recv().unwrap();
        assert_eq!(sent, format!("{line} HTTP/1.1"));
        assert!(body.contains(part) && headers.contains("authorization: Basic "), "{headers}{body}");
    }
    let (code, _, stderr) = folder("clevercloud").run(&[
        "send",
        "suspend",
        "q-81",
        "--marketplace",
        "clevercloud",
        "--url",
        "http://127.0.0.1:1",
    ]);
    assert!(code == 2 && stderr.contains("Clever Cloud does not suspend resources"), "{stderr}");
}

const POMELO: [&str; 8] = [
    "--marketplace",
    "quicknode",
    "--user",
    "pomelo",
    "--password",
    "pomelo-pass",
    "--jwt-secret",
    "pomelo-jwt-secret",
];

#[test]
fn quicknodes_calls_have_the_ids_in_the_body() {
    for (command, line, part) in [
        (&["provision", "--plan", "discover"][..], "POST /quicknode/provision", r#""plan":"discover""#),
        (&["plan-change", "qn-1/ep-1", "--plan", "build"], "PUT /quicknode/update", r#""endpoint-id":"ep-1""#),
        (&["deprovision", "qn-1/ep-1"], "DELETE /quicknode/deactivate_endpoint", r#""endpoint-id":"ep-1""#),
        (&["deprovision", "qn-1"], "DELETE /quicknode/deprovision", r#""quicknode-id":"qn-1""#),
        (&["sso", "qn-1"], "GET /quicknode/sso?jwt=eyJhbGciOiJIUzI1NiJ9.", ""),
    ] {
        let (origin, requests) = answering("200 OK", "{}");
        let (code, stdout, stderr) =
            Folder::new().run(&[&["send"][..], command, &POMELO, &["--url", &format!("{origin}/quicknode")]].concat());
        assert_eq!(code, 0, "{stdout}{stderr}");
        let (sent, headers, body) = requests.recv().unwrap();
        assert!(sent.starts_with(line) && body.contains(part), "{sent} {body}");
        let is_link = command[0] == "sso";
        assert_eq!(headers.contains("authorization: Basic cG9tZWxvOnBvbWVsby1wYXNz"), !is_link, "{headers}");
    }
    let (code, _, stderr) =
        Folder::new().run(&[&["send", "plan-change", "qn-1"][..], &POMELO, &["--url", "http://127.0.0.1:1"]].concat());
    assert!(code == 2 && stderr.contains("--plan"), "{stderr}");
}

#[test]
fn quicknodes_credentials_are_signed() {
    let (_, basic, _) = Folder::new().run(&[&["sign", "basic"][..], &POMELO].concat());
    assert_eq!(basic, "Authorization: Basic cG9tZWxvOnBvbWVsby1wYXNz\n");
    let sign = |arguments: &[&str]| {
        let url = ["--url", "http://127.0.0.1:8300/quicknode"];
        Folder::new().run(&[&["sign", "sso", "qn-acc-1"][..], &POMELO, &url, arguments].concat())
    };
    let (_, json, _) = sign(&["--at", "1700000000", "--email", "ada@example.test", "--format", "json"]);
    let signed: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&signed["method"], &signed["action"]), (&json!("get"), &json!("http://127.0.0.1:8300/quicknode/sso")));
    let jwt = signed["params"]["jwt"].as_str().unwrap();
    let parts: Vec<_> = jwt.split('.').collect();
    assert_eq!((parts[0], parts.len()), ("eyJhbGciOiJIUzI1NiJ9", 3));
    let (_, other, _) = sign(&["--at", "soon"]);
    assert_eq!(other, "", "the time is a number");
    let (_, curl, _) = sign(&["--sso-url", "http://127.0.0.1:8300/dashboard", "--format", "curl"]);
    assert!(curl.starts_with("curl -i ") && curl.contains("http://127.0.0.1:8300/dashboard?jwt=eyJ"), "{curl}");
}

#[test]
fn a_new_manifest_is_without_findings() {
    let with_config_vars = &["--config-var", "QUINCE_DB_URL"][..];
    for (marketplace, options) in [("clevercloud", &[][..]), ("scalingo", &[]), ("scalingo", with_config_vars)] {
        let folder = Folder::new();
        let new = ["manifest", "new", "quince-db", "--plan", "basic=900,test", "--marketplace", marketplace];
        let (code, stdout, stderr) = folder.run(&[&new[..], options].concat());
        assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
        assert!(stdout.contains(&format!("http://localhost:8300/{marketplace}/resources")), "{stdout}");
        let lint = ["manifest", "lint", "--strict", "--marketplace", marketplace];
        let (code, stdout, _) = folder.run(&lint);
        assert_eq!(code, 0, "{stdout}");
        let file = folder.0.join("addon-manifest.json");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("QUINCE_DB_URL"), "{text}");
        let mut manifest: Value = serde_json::from_str(&text).unwrap();
        manifest["production"]["base_url"] = json!("nowhere");
        manifest["api"]["production"]["base_url"] = json!("http://quince.example");
        std::fs::write(&file, manifest.to_string()).unwrap();
        let (code, stdout, _) = folder.run(&lint);
        assert!(code == 1 && stdout.contains("production.base_url"), "{stdout}");
    }
    let (code, _, stderr) = Folder::new().run(&["manifest", "new", "tamarind", "--marketplace", "digitalocean"]);
    assert!(code == 2 && stderr.contains("DigitalOcean has no manifest"), "{stderr}");
}

#[test]
fn the_checks_are_listed() {
    for marketplace in ["digitalocean", "clevercloud", "scalingo"] {
        let (code, stdout, _) =
            Folder::new().run(&["check", "--list", "--marketplace", marketplace, "--format", "json"]);
        let checks: Vec<Value> = serde_json::from_str(&stdout).unwrap();
        assert!(code == 0 && checks.len() >= 80, "{}", checks.len());
        assert!(checks.iter().all(|check| check["id"].as_str().unwrap().starts_with(marketplace)));
    }
    let (code, _, stderr) = folder("digitalocean").run(&["check", "--marketplace", "digitalocean"]);
    assert!(code == 2 && stderr.contains("--url http://localhost:8300"), "{stderr}");
}
