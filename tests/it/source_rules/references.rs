//! Names of tests in the documentation, and links between its pages.

use std::path::Path;

use super::{root, tracked_files};

/// Returns the texts between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_threat_model_names_existing_tests() {
    let sources: String = tracked_files(&["rs"]).into_iter().map(|(_, text)| text).collect();
    let page = std::fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    let is_test = |name: &&str| {
        name.matches('_').count() >= 2 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let names: Vec<_> = quoted(&page).filter(is_test).collect();
    assert!(names.len() > 20, "{names:?}");
    let missing: Vec<_> = names.into_iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "not the name of a test: {missing:?}");
}

/// Returns the targets of links to files of the repository.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next()).filter(|target| {
        !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") && !target.contains("::")
    })
}

#[test]
fn links_between_pages_lead_to_files() {
    let pages = tracked_files(&["md"]).into_iter().filter(|(path, _)| path.starts_with("docs/") || !path.contains('/'));
    let mut dead = Vec::new();
    for (path, text) in pages {
        let folder = Path::new(&path).parent().unwrap_or(Path::new(""));
        let code = text.split("```").step_by(2).collect::<String>();
        dead.extend(
            links(&code)
                .filter(|target| !root().join(folder).join(target).exists())
                .map(|target| format!("{path}: {target}")),
        );
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn a_link_is_found_with_and_without_an_anchor() {
    let text = "[a](b.md), [c](../d.md#part) [e](https://example.org) [f](#g)";
    assert_eq!(links(text).collect::<Vec<_>>(), ["b.md", "../d.md"]);
}
