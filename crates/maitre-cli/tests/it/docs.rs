use std::path::Path;

use serde_json::Value;

use crate::run::Folder;

#[test]
fn the_page_of_the_checks_is_as_they_are() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md");
    let (code, written, _) = Folder::new().run(&["checks", "--format", "markdown"]);
    assert_eq!(code, 0);
    let there = std::fs::read_to_string(page).unwrap_or_default();
    assert!(
        there == written,
        "write it anew: cargo run -p maitre-cli -- checks --format markdown > docs/conformance.md"
    );
}

#[test]
fn the_checks_are_listed_for_machines() {
    let (code, list, _) = Folder::new().run(&["checks", "--format", "json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(code, 0);
    let of_heroku =
        list.as_array().unwrap().iter().filter(|check| check["id"].as_str().unwrap().starts_with("heroku."));
    assert!(of_heroku.clone().count() >= 70);
    assert!(of_heroku.clone().all(|check| check["source"].is_string() && check["clause"].is_string()));
    let (_, human, _) = Folder::new().run(&["checks", "--marketplace", "opperator"]);
    assert!(human.contains("opperator.auth.right-secret") && !human.contains("heroku."), "{human}");
}
