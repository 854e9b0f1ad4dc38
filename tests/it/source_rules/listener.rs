//! The listener of the example does not depend on a marketplace.

use super::{root, tracked_files};

#[test]
fn the_listener_of_the_example_names_no_marketplace() {
    let folder = "examples/saas/src/marketplaces/";
    let names: Vec<_> = tracked_files(&["rs"])
        .into_iter()
        .filter_map(|(path, _)| path.strip_prefix(folder)?.strip_suffix(".rs").map(str::to_owned))
        .filter(|name| !["mod", "connections"].contains(&name.as_str()))
        .collect();
    assert!(names.len() >= 8, "{names:?}");
    let listener = std::fs::read_to_string(root().join("examples/saas/src/listener.rs")).unwrap().to_lowercase();
    let found: Vec<_> = names.iter().filter(|name| listener.contains(name.as_str())).collect();
    assert!(found.is_empty(), "{found:?}");
}
