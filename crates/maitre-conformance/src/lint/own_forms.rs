//! Rules of the manifests of Clever Cloud and Scalingo.

use serde_json::{Map, Value};

use super::Lint;
use crate::url;

/// Number of characters that Clever Cloud advises for a secret.
const SECRET_LENGTH: usize = 35;

/// Type of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Url,
    /// A URL that must be https.
    Https,
    /// A list of strings that is not empty.
    Texts,
}

const CLEVERCLOUD: &[(&str, Kind)] = &[
    ("id", Kind::Text),
    ("api.config_vars", Kind::Texts),
    ("api.regions", Kind::Texts),
    ("api.password", Kind::Text),
    ("api.sso_salt", Kind::Text),
    ("api.production.base_url", Kind::Https),
    ("api.production.sso_url", Kind::Https),
    ("api.test.base_url", Kind::Url),
    ("api.test.sso_url", Kind::Url),
];

const SCALINGO: &[(&str, Kind)] = &[
    ("name", Kind::Text),
    ("username", Kind::Text),
    ("password", Kind::Text),
    ("sso_salt", Kind::Text),
    ("logo_url", Kind::Url),
    ("short_description", Kind::Text),
    ("description", Kind::Text),
    ("config_vars", Kind::Texts),
    ("production.base_url", Kind::Url),
    ("production.sso_url", Kind::Url),
];

/// Keys of a plan at Scalingo.
const PLAN: [&str; 4] = ["name", "display_name", "price", "description"];

pub(super) fn clevercloud(lint: &mut Lint, manifest: &Map<String, Value>) {
    keys(lint, manifest, CLEVERCLOUD);
    let id = manifest.get("id").and_then(Value::as_str).unwrap_or_default();
    if !id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte)) {
        lint.must("id", "slug", "Use lower-case letters, digits, _ and -.");
    }
    let prefix = id.to_uppercase().replace('-', "_");
    let vars = find(manifest, "api.config_vars").and_then(Value::as_array);
    for (index, name) in vars.into_iter().flatten().enumerate() {
        if name.as_str().is_some_and(|name| !name.starts_with(&prefix)) {
            let message = format!("It does not begin with {prefix}, so Clever Cloud ignores it.");
            lint.must(&format!("api.config_vars[{index}]"), "config-var-name", message);
        }
    }
    for path in ["api.password", "api.sso_salt"] {
        let length = find(manifest, path).and_then(Value::as_str).map(|secret| secret.chars().count());
        if length.is_some_and(|length| (1..SECRET_LENGTH).contains(&length)) {
            lint.should(path, "secret", format!("Use at least {SECRET_LENGTH} random characters."));
        }
    }
}

pub(super) fn scalingo(lint: &mut Lint, manifest: &Map<String, Value>) {
    keys(lint, manifest, SCALINGO);
    if manifest.get("test").is_some() {
        keys(lint, manifest, &[("test.base_url", Kind::Url), ("test.sso_url", Kind::Url)]);
    }
    if manifest.get("log_drain").is_some_and(|value| !value.is_boolean()) {
        lint.must("log_drain", "type", "Write true or false.");
    }
    match manifest.get("plans").and_then(Value::as_array).filter(|plans| !plans.is_empty()) {
        None => lint.must("plans", "missing", "Add the list of plans."),
        Some(plans) => {
            for (index, plan) in plans.iter().enumerate() {
                if let Some(name) = PLAN.into_iter().find(|name| plan.get(name).is_none()) {
                    lint.must(&format!("plans[{index}].{name}"), "missing", "Add it to the plan.");
                } else if !plan["price"].is_number() {
                    lint.must(&format!("plans[{index}].price"), "type", "Write a number: euros for 30 days.");
                }
            }
        }
    }
}

/// Returns the value at a path such as `api.test.base_url`.
fn find<'a>(manifest: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let first = manifest.get(parts.next()?)?;
    parts.try_fold(first, |value, name| value.get(name))
}

fn keys(lint: &mut Lint, manifest: &Map<String, Value>, keys: &[(&str, Kind)]) {
    for (path, kind) in keys {
        let Some(value) = find(manifest, path) else {
            lint.must(path, "missing", "The key is missing.");
            continue;
        };
        let text = value.as_str();
        let is_url = text.is_some_and(|text| url::split(text).is_some());
        let problem = match kind {
            Kind::Text if text.is_none_or(|text| text.trim().is_empty()) => "Write a string that is not empty.",
            Kind::Url | Kind::Https if !is_url => "Write a URL with scheme and host.",
            Kind::Https if !text.is_some_and(|text| text.starts_with("https://")) => {
                "Write a URL that begins with https://."
            }
            Kind::Texts if !is_texts(value) => "Write a list of strings that is not empty.",
            _ => continue,
        };
        lint.must(path, "type", problem);
    }
}

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_string))
}
