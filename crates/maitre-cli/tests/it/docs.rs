use std::path::Path;

use serde_json::Value;

use crate::run::Folder;

#[test]
fn the_conformance_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md");
    let (code, current, _) = Folder::new().run(&["check", "--list", "--format", "markdown"]);
    assert_eq!(code, 0);
    let page = std::fs::read_to_string(path).unwrap_or_default();
    let command = "cargo run -p maitre-cli -- check --list --format markdown > docs/conformance.md";
    assert!(page == current, "docs/conformance.md is outdated: run `{command}`");
}

#[test]
fn the_checks_are_listed_as_text_and_json() {
    let folder = Folder::new();
    let (code, list, _) = folder.run(&["check", "--list", "--format", "json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let checks = list.as_array().unwrap();
    assert_eq!(code, 0);
    assert!(checks.len() >= 70);
    assert!(checks.iter().all(|check| check["id"].as_str().unwrap().starts_with("heroku.")));
    assert!(checks.iter().all(|check| check["source"].is_string() && check["citation"].is_string()));
    let (_, human, _) = folder.run(&["check", "--list"]);
    assert!(human.contains("heroku.idempotency.same-uuid-again"), "{human}");
}

#[test]
fn a_format_of_the_other_mode_is_refused() {
    let folder = Folder::new();
    let rows: [(&[&str], &str); 2] = [
        (&["check", "--format", "markdown"], "error: --format markdown needs --list"),
        (&["check", "--list", "--format", "junit"], "error: --format junit is for reports"),
    ];
    for (arguments, message) in rows {
        let (code, stdout, stderr) = folder.run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""));
        assert!(stderr.contains(message), "{stderr}");
    }
}
