//! Differences between two manifests.

use std::collections::BTreeMap;
use std::fmt;

use maitre_core::mask_urls;
use serde_json::Value;

/// Value that differs, `None` if the manifest does not have it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    path: String,
    theirs: Option<String>,
    ours: Option<String>,
}

/// Prints the values as `diff` does: `-` for the other manifest, `+` for this one.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, theirs, ours } = self;
        let lines = [("-", theirs), ("+", ours)];
        let lines: Vec<_> =
            lines.iter().filter_map(|(sign, value)| Some(format!("{sign} {path}: {}", value.as_deref()?))).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// Compares two manifests, value by value. Secrets are masked.
pub(super) fn compare(theirs: &Value, ours: &Value) -> Vec<Difference> {
    let (theirs, ours) = (values(theirs), values(ours));
    let mut paths: Vec<_> = theirs.keys().chain(ours.keys()).collect();
    paths.sort();
    paths.dedup();
    let differing = paths.into_iter().filter(|path| theirs.get(*path) != ours.get(*path));
    differing
        .map(|path| {
            let shown = |values: &BTreeMap<String, &Value>| values.get(path).map(|value| show(path, value));
            Difference { path: path.clone(), theirs: shown(&theirs), ours: shown(&ours) }
        })
        .collect()
}

fn show(path: &str, value: &Value) -> String {
    match value {
        Value::String(_) if is_secret(path) => "(secret)".to_owned(),
        value => mask_urls(&value.to_string()),
    }
}

fn is_secret(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or_default();
    ["password", "sso_salt", "client_secret"].contains(&name)
}

/// Returns the values of a manifest that are not objects or lists, and empty ones, by path.
fn values(manifest: &Value) -> BTreeMap<String, &Value> {
    fn add<'a>(path: String, value: &'a Value, values: &mut BTreeMap<String, &'a Value>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                let separator = if path.is_empty() { "" } else { "." };
                fields.iter().for_each(|(name, value)| add(format!("{path}{separator}{name}"), value, values));
            }
            Value::Array(items) if !items.is_empty() => {
                items.iter().enumerate().for_each(|(index, value)| add(format!("{path}[{index}]"), value, values));
            }
            value => drop(values.insert(path, value)),
        }
    }
    let mut values = BTreeMap::new();
    add(String::new(), manifest, &mut values);
    values
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_listed_by_path_without_secrets() {
        let theirs = json!({ "id": "lantern", "api": { "password": "old", "regions": ["us"], "requires": [] } });
        let ours = json!({ "id": "lantern", "api": { "password": "new", "regions": ["us", "eu"], "requires": [] } });
        let lines: Vec<_> = compare(&theirs, &ours).iter().map(Difference::to_string).collect();
        assert_eq!(
            lines,
            ["- api.password: (secret)\n+ api.password: (secret)", "+ api.regions[1]: \"eu\""],
            "the order of fields does not matter"
        );
        assert_eq!(compare(&theirs, &theirs), []);
    }

    #[test]
    fn an_empty_value_differs_from_a_missing_one() {
        let lines = compare(&json!({ "api": { "requires": [] } }), &json!({ "api": {} }));
        let lines: Vec<_> = lines.iter().map(Difference::to_string).collect();
        assert_eq!(lines, ["+ api: {}", "- api.requires: []"]);
    }
}
