//! Rules about the keys of a manifest: duplicate, misspelt and misplaced ones.

use serde_json::{Map, Value};

use super::Lint;
use super::document::Document;

const TOP: &[&str] = &["id", "name", "api"];
const API: &[&str] = &[
    "version",
    "password",
    "sso_salt",
    "config_vars",
    "config_vars_prefix",
    "regions",
    "requires",
    "production",
    "test",
];
const ENDPOINTS: &[&str] = &["base_url", "sso_url"];

pub(super) fn check(lint: &mut Lint, document: &Document) {
    for path in &document.duplicates {
        lint.should(
            path,
            "duplicate-key",
            "The key occurs more than once, and parsers use the last one: keep only one.",
        );
    }
    let Value::Object(root) = &document.root else { return };
    let empty = Map::new();
    let api = root.get("api").and_then(Value::as_object).unwrap_or(&empty);
    misplaced(lint, root, "", api, "api", API);
    misplaced(lint, api, "api", root, "", TOP);
    match api.get("production") {
        None | Some(Value::Null) => misplaced(lint, api, "api", &empty, "api.production", ENDPOINTS),
        Some(Value::Object(production)) => misplaced(lint, api, "api", production, "api.production", ENDPOINTS),
        Some(_) => {}
    }
    misspelt(lint, root, "", TOP);
    misspelt(lint, api, "api", API);
    for key in ["production", "test"] {
        if let Some(endpoints) = api.get(key).and_then(Value::as_object) {
            misspelt(lint, endpoints, &format!("api.{key}"), ENDPOINTS);
        }
    }
    for (object, parent) in [(root, ""), (api, "api")] {
        if object.contains_key("plans") {
            let message = "Heroku does not read plans from the manifest, but from its partner portal: remove this key.";
            lint.info(&join(parent, "plans"), "plans", message);
        }
    }
}

fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

/// Finds keys in `object` that belong in `home`.
fn misplaced(
    lint: &mut Lint,
    object: &Map<String, Value>,
    at: &str,
    home: &Map<String, Value>,
    to: &str,
    keys: &[&str],
) {
    for key in keys.iter().filter(|key| object.contains_key(**key)) {
        if *key == "requires" && to == "api" {
            continue; // accepted there, see requires-place
        }
        let (path, right) = (join(at, key), join(to, key));
        let home_name = if to.is_empty() { "the top level" } else { to };
        if home.contains_key(*key) {
            let message = format!("This key belongs in {home_name}, where {right} is set, too: remove this one.");
            lint.should(&path, "misplaced-key", message);
        } else {
            let message = format!("This key belongs in {home_name}: move it to {right}.");
            lint.instead(right, &path, "misplaced-key", message);
        }
    }
}

/// Finds unknown keys that are similar to a known key that is missing.
fn misspelt(lint: &mut Lint, object: &Map<String, Value>, at: &str, known: &[&str]) {
    let is_known = |key: &str| [TOP, API, ENDPOINTS].iter().any(|keys| keys.contains(&key)) || key == "username";
    for key in object.keys().filter(|key| !is_known(key)) {
        let missing = known.iter().filter(|known| !object.contains_key(**known));
        let best = missing.map(|known| (distance(key, known), known)).min();
        if let Some((distance, known)) = best
            && distance <= if known.len() > 4 { 2 } else { 1 }
        {
            lint.instead(
                join(at, known),
                &join(at, key),
                "misspelt-key",
                format!("Unknown key: did you mean {known}?"),
            );
        }
    }
}

/// Returns the number of different letters. Case and separators do not count.
fn distance(key: &str, known: &str) -> usize {
    let plain = |key: &str| key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    strsim::damerau_levenshtein(&plain(key), &plain(known))
}
