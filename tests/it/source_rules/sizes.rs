use std::collections::BTreeMap;

use super::{root, tracked_files};

/// Counts the lines that are neither blank nor comments.
fn code_lines(text: &str) -> usize {
    text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[test]
fn comments_and_blank_lines_are_not_counted() {
    assert_eq!(code_lines("//! Doc.\n\nfn main() {\n    // why\n    run(); // now\n}\n"), 3);
}

#[test]
fn marketplace_crates_are_as_large_as_documented() {
    let mut sizes = BTreeMap::<String, usize>::new();
    for (path, text) in tracked_files(&["rs"]) {
        if let Some((name, _)) = path.strip_prefix("crates/").and_then(|path| path.split_once('/')) {
            *sizes.entry(name.to_owned()).or_default() += code_lines(&text);
        }
    }
    let page = std::fs::read_to_string(root().join("docs/writing-a-marketplace-crate.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `maitre-axum-")).collect::<Vec<_>>();
    assert_eq!(rows.len(), 8, "{rows:?}");
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let name = format!("maitre-axum-{}", cells[0].trim_end_matches('`'));
        let (size, documented) = (sizes[&name], cells[1].parse::<usize>().unwrap());
        assert!(size.abs_diff(documented) * 20 <= documented, "{name} has {size} lines: update the table");
        if let Ok(limit) = cells[3].parse::<usize>() {
            assert!(size <= limit, "{name} has {size} lines, more than {limit}");
        }
    }
}
