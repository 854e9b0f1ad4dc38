use std::net::TcpListener;

use serde_json::Value;

use crate::run::{Folder, answering};

#[test]
fn an_add_on_that_accepts_every_request_fails() {
    let (origin, _requests) = answering("200 OK", r#"{"id":"7"}"#);
    let folder = Folder::with_manifest(&origin);
    let (code, stdout, stderr) = folder.run(&["check", "--only", "auth,provision.ids-differ"]);
    assert_eq!((code, stderr.as_str()), (1, ""), "{stdout}");
    for part in [
        "heroku.auth                1 passed, 17 skipped, 1 failed: wrong-password-provision",
        "FAILED   heroku.auth.wrong-password-provision (must)",
        "  actual The add-on answers 200; expected 401.",
        "  fix    Compare user and password with the manifest's id and api.password",
        "    > authorization: [masked]",
        "    < {\"id\":\"7\"}",
        "This add-on does not conform to",
    ] {
        assert!(stdout.contains(part), "no {part} in\n{stdout}");
    }
    assert!(!stdout.contains("s3cr3t-example"), "{stdout}");
}

#[test]
fn a_run_that_cannot_start_exits_with_status_2_and_a_message() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = Folder::with_manifest(&format!("http://{unused}"));
    let rows: &[(&[&str], &str)] = &[
        (&["check"], "error: cannot connect to http://127.0.0.1:"),
        (&["check", "--only", "ssso"], "error: unknown check `ssso` for heroku: did you mean sso?"),
        (&["check", "--url", "https://lantern.example"], "error: lantern.example is not this machine"),
        (&["check", "--url", "lantern.example"], "error: \"lantern.example\" is not a URL"),
        (&["check", "--manifest", "nothing.json"], "error: manifest nothing.json not found: use --manifest"),
        (&["check", "--marketplace", "heruko"], "a similar value exists: 'heroku'"),
        (
            &["check", "--marketplace", "opperator", "--url", "http://127.0.0.1:1"],
            "error: maitre has no checks for opperator",
        ),
        (
            &["check", "--marketplace", "osb", "--url", "http://127.0.0.1:1"],
            "error: the add-on has Basic credentials: pass --user and --password",
        ),
        (
            &["check", "--marketplace", "quicknode", "--user", "a", "--password", "b", "--url", "http://127.0.0.1:1"],
            "error: sign-on links have a JWT: pass --jwt-secret",
        ),
        (
            &["check", "--marketplace", "vercel", "--integration", "oac_1", "--url", "http://127.0.0.1:1"],
            "error: Vercel names an integration and its product: pass --integration oac_… and --product",
        ),
        (
            &[
                "check",
                "--marketplace",
                "vercel",
                "--integration",
                "oac_1",
                "--product",
                "a",
                "--url",
                "http://127.0.0.1:1",
            ],
            "error: Vercel's calls have tokens that are verified with keys that the suite serves: pass their address",
        ),
        (
            &["check", "--marketplace", "osb", "--user", "a", "--password", "b"],
            "error: a service broker has no manifest: pass its address with --url",
        ),
        (
            &["check", "--marketplace", "osb", "--user", "a", "--password", "b", "--url", "http://127.0.0.1:1"],
            "error: cannot connect to http://127.0.0.1:1/v2/catalog",
        ),
        (&["check", "--platform", "0.0.0.0:0", "--client-secret", "s"], "error: 0.0.0.0:0 is not a loopback address"),
    ];
    for (arguments, message) in rows {
        let (code, stdout, stderr) = folder.run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
    }
    let (code, stdout, _) = folder.run(&["check", "--format", "json"]);
    let stdout: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(code, 2);
    assert!(stdout["error"].as_str().unwrap().starts_with("cannot connect to"), "{stdout}");
}

#[test]
fn reports_are_written_to_files_beside_the_text() {
    let (origin, _requests) = answering("200 OK", r#"{"id":"7"}"#);
    let folder = Folder::with_manifest(&origin);
    let only = ["check", "--only", "provision.json"];
    let files = ["--json", "report.json", "--junit", "report.xml"];
    let read = |name: &str| std::fs::read_to_string(folder.0.join(name)).unwrap();
    let (code, stdout, stderr) = folder.run(&[&only[..], &files].concat());
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.contains("heroku.provision           1 passed"), "{stdout}");
    let report: Value = serde_json::from_str(&read("report.json")).unwrap();
    assert_eq!(
        (&report["summary"]["passed"], &report["checks"][0]["id"]),
        (&1.into(), &"heroku.provision.json".into())
    );
    assert!(read("report.xml").contains("tests=\"1\""), "{}", read("report.xml"));

    // a run that cannot start
    let (code, _, _) = folder.run(&[&only[..], &["--url", "http://127.0.0.1:1"], &files].concat());
    assert_eq!(code, 2);
    assert!(
        read("report.json").starts_with("{\"error\":\"cannot connect to http://127.0.0.1:1"),
        "{}",
        read("report.json")
    );
    assert!(read("report.xml").contains("errors=\"1\""), "{}", read("report.xml"));

    let (code, stdout, stderr) = folder.run(&[&only[..], &["--junit", "no/such/folder/report.xml"]].concat());
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.starts_with("error: cannot create no/such/folder/report.xml"), "{stderr}");
}

#[test]
fn a_run_that_tests_nothing_exits_with_status_2() {
    let (origin, _requests) = answering("401 Unauthorized", "{}");
    let folder = Folder::with_manifest(&origin);
    let (code, stdout, _) = folder.run(&["check", "--only", "idempotency.same-uuid-again"]);
    assert_eq!(code, 2, "{stdout}");
    let verdict = "Nothing was tested: 1 of 1 selected checks were skipped because of heroku.auth.right-credentials, which was \
                   not selected";
    assert!(stdout.contains(verdict) && !stdout.contains("conforms"), "{stdout}");
    let (code, stdout, _) = folder.run(&["check", "--only", "async", "--format", "junit"]);
    assert_eq!(code, 2, "{stdout}");
    assert!(stdout.contains("errors=\"1\""), "{stdout}");
}

#[test]
fn an_add_on_at_another_path_is_diagnosed() {
    let (origin, _requests) = answering("404 Not Found", "{}");
    let folder = Folder::with_manifest(&origin);
    let (code, stdout, stderr) = folder.run(&["check"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.starts_with("error: nothing is mounted at http://127.0.0.1:"), "{stderr}");
}

#[test]
fn settings_are_read_from_the_environment() {
    let (origin, requests) = answering("401 Unauthorized", "{}");
    let folder = Folder::with_manifest("http://127.0.0.1:1");
    let env = [("MAITRE_URL", origin.as_str()), ("MAITRE_PLANS", "gold"), ("NO_COLOR", "1")];
    let (code, _, _) = folder.run_with(&["check", "--only", "provision.succeeds"], &env, "");
    assert_eq!(code, 1);
    let (line, _, body) = requests.recv().unwrap();
    assert_eq!(line, "POST /heroku/resources HTTP/1.1");
    assert!(body.contains("\"plan\":\"gold\""), "{body}");
}

#[test]
fn colors_are_off_in_a_pipe_unless_requested() {
    let (origin, _requests) = answering("401 Unauthorized", "{}");
    let folder = Folder::with_manifest(&origin);
    let (_, plain, _) = folder.run(&["check", "--only", "provision.succeeds"]);
    assert!(!plain.contains('\u{1b}'), "{plain}");
    let (_, colored, _) = folder.run(&["check", "--only", "provision.succeeds", "--color", "always"]);
    assert!(colored.contains("\u{1b}["), "{colored}");
}
