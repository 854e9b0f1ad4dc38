//! `maitre check` on the example `saas`.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::maitre;
use crate::saas::Saas;
use crate::support::Folder;

fn example_manifest() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../addon-manifest.json").display().to_string()
}

/// Writes the example's manifest with one changed field of `api` and returns its path.
fn changed_manifest(folder: &Folder, name: &str, value: &str) -> String {
    let mut manifest: Value = serde_json::from_str(&std::fs::read_to_string(example_manifest()).unwrap()).unwrap();
    manifest["api"][name] = json!(value);
    let file = folder.0.join("changed.json").display().to_string();
    std::fs::write(&file, manifest.to_string()).unwrap();
    file
}

fn check(saas: &Saas, more: &[&str]) -> Command {
    let manifest = example_manifest();
    let arguments = ["check", "--manifest", &manifest, "--url", &saas.origin, "--plan", "basic,premium"];
    maitre(arguments.into_iter().chain(more.iter().copied()))
}

fn output_of(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Returns the rows of the vendor's table: all, and those with a token, which deprovisioned ones do not have.
async fn installs(folder: &Folder) -> (i64, i64) {
    let url = format!("sqlite://{}", folder.0.join("saas.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let count = "SELECT count(*), count(token) FROM resources";
    sqlx::query_as(count).fetch_one(&pool).await.unwrap()
}

#[test]
fn the_example_sells_the_plan_that_the_command_uses_by_default() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let manifest = example_manifest();
    for arguments in [&["send", "provision"][..], &["check", "--only", "provision,plan-change"]] {
        let arguments = arguments.iter().copied().chain(["--manifest", &manifest, "--url", &saas.origin]);
        let (code, stdout, stderr) = output_of(&maitre(arguments).output().unwrap());
        assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    }
}

#[tokio::test]
async fn the_example_passes_twice_and_is_left_empty() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    for _ in 0..2 {
        let (code, stdout, stderr) = output_of(&check(&saas, &[]).output().unwrap());
        assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
        assert!(stdout.contains("heroku.idempotency        12 passed\n"), "{stdout}");
        assert!(stdout.contains("This add-on conforms to Heroku partner API 3"), "{stdout}");
        assert!(!stdout.contains('\u{1b}'), "colors in a pipe: {stdout}");
        assert!(!stdout.contains("development-only"), "{stdout}");
    }
    let (made, alive) = installs(&folder).await;
    assert!(made > 200);
    assert_eq!(alive, 0);
}

#[tokio::test]
async fn ctrl_c_and_sigterm_stop_the_run_and_clean_up() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    for (lines, signal) in [(1, "-INT"), (3, "-TERM"), (5, "-INT"), (12, "-TERM")] {
        let mut process = check(&saas, &["--jobs", "1"]).spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap()).lines();
        (0..lines).for_each(|_| drop(stdout.next().expect("a line of a check group").unwrap()));
        let interrupt = Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap();
        assert!(interrupt.success());
        let rest: Vec<_> = stdout.map(Result::unwrap).collect();
        let mut stderr = String::new();
        process.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(process.wait().unwrap().code(), Some(2), "{rest:#?}\n{stderr}");
        assert!(stderr.contains("deleting the created resources"), "{stderr}");
        assert!(stderr.contains("error: interrupted; all created resources were deleted"), "{stderr}");
        assert!(!rest.iter().any(|line| line.contains("conforms to")), "{rest:#?}");
    }
    let (made, alive) = installs(&folder).await;
    assert!(made > 0);
    assert_eq!(alive, 0);
}

#[tokio::test]
async fn a_wrong_password_fails_with_instructions() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let file = changed_manifest(&folder, "password", "another-password-altogether");
    let arguments = ["check", "--manifest", &file, "--url", &saas.origin, "--plan", "basic", "--only", "auth"];
    let (code, stdout, _) = output_of(&maitre(arguments).output().unwrap());
    assert_eq!(code, 1, "{stdout}");
    assert!(stdout.contains("FAILED   heroku.auth.right-credentials (must)"), "{stdout}");
    assert!(stdout.contains("Either the manifest belongs to another add-on"), "{stdout}");
    assert!(!stdout.contains("another-password"), "{stdout}");
}

#[tokio::test]
async fn strict_also_fails_on_should() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let file = changed_manifest(&folder, "sso_salt", "short");
    let check_one = |more: &[&'static str]| {
        let arguments = ["check", "--manifest", &file, "--url", &saas.origin, "--plan", "basic"];
        let only = ["--only", "manifest.secret-strength"];
        output_of(&maitre(arguments.into_iter().chain(only).chain(more.iter().copied())).output().unwrap())
    };
    assert_eq!(check_one(&[]).0, 0);
    assert_eq!(check_one(&["--strict"]).0, 1);

    let (code, json, _) = check_one(&["--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["summary"]["failed"]["should"]), (0, &1.into()));
    assert_eq!(json["checks"][0]["id"], "heroku.manifest.secret-strength");

    let (code, junit, _) = check_one(&["--strict", "--format", "junit"]);
    assert_eq!(code, 1);
    for part in ["<?xml", "failures=\"1\"", "<failure ", "type=\"should\""] {
        assert!(junit.contains(part), "{junit}");
    }
}
