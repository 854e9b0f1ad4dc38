//! Manifest lint.

use std::fmt;

use maitre_core::manifest::is_loopback;
use serde_json::Value;

use crate::level::Level;
use crate::url;

/// Problem with one key of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Path of the key: `api.config_vars[1]`.
    pub path: String,
    /// Stable name of the rule: `config-var-name`.
    pub rule: &'static str,
    /// Severity.
    pub level: Level,
    /// Problem and remedy, without secrets.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:6} {} [{}] {}", self.level, self.path, self.rule, self.message)
    }
}

/// Region names of the manifest. Provision requests use other names.
const REGIONS: [&str; 13] = [
    "us",
    "eu",
    "dublin",
    "frankfurt",
    "london",
    "montreal",
    "mumbai",
    "oregon",
    "singapore",
    "sydney",
    "tokyo",
    "virginia",
    "*",
];

const REQUIREMENTS: [&str; 5] = ["log_input", "syslog_drain", "attachable", "many_per_app", "deploy_notify"];

/// Checks a manifest against Heroku's rules. The most severe findings come first, otherwise in the order of the manifest's
/// documentation.
///
/// Accepts any JSON, so that a manifest that cannot be parsed gets findings, too.
///
/// ```
/// use maitre_conformance::{Level, lint};
/// use serde_json::json;
///
/// let findings = lint::manifest(&json!({ "id": "Lantern", "api": {
///     "version": "3", "password": "unguessable-example-password", "sso_salt": "unguessable-example-salt",
///     "config_vars": ["LANTERN_URL"], "regions": ["us"],
///     "production": { "base_url": "https://api.lantern.example/heroku/resources",
///                     "sso_url": "https://api.lantern.example/heroku/resources/sso" } } }));
/// assert_eq!((findings[0].path.as_str(), findings[0].rule, findings[0].level), ("id", "slug", Level::Must));
/// ```
#[must_use]
pub fn manifest(manifest: &Value) -> Vec<Finding> {
    let mut lint = Lint(Vec::new());
    if manifest.is_object() {
        lint.slug(&manifest["id"]);
        lint.top(manifest);
        lint.api(manifest);
    } else {
        lint.must("", "object", format!("The manifest is {}; it must be an object.", kind(manifest)));
    }
    lint.0.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    lint.0
}

struct Lint(Vec<Finding>);

impl Lint {
    fn add(&mut self, level: Level, path: &str, rule: &'static str, message: impl Into<String>) {
        self.0.push(Finding { path: path.to_owned(), rule, level, message: message.into() });
    }
    fn must(&mut self, path: &str, rule: &'static str, message: impl Into<String>) {
        self.add(Level::Must, path, rule, message);
    }
    fn should(&mut self, path: &str, rule: &'static str, message: impl Into<String>) {
        self.add(Level::Should, path, rule, message);
    }
    fn info(&mut self, path: &str, rule: &'static str, message: impl Into<String>) {
        self.add(Level::Info, path, rule, message);
    }

    fn slug(&mut self, id: &Value) {
        let plain = |slug: &str| {
            slug.starts_with(|c: char| c.is_ascii_lowercase())
                && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !id.as_str().is_some_and(plain) {
            let message = "The slug is also the Basic user and cannot be changed after the first push: use lowercase letters, \
                           digits and hyphens.";
            self.must("id", "slug", message);
        }
    }

    fn top(&mut self, manifest: &Value) {
        if manifest.get("requires").is_some() {
            self.info("requires", "requires-place", "Since 2014 this key belongs in api: use api.requires.");
        }
    }

    fn api(&mut self, manifest: &Value) {
        let api = &manifest["api"];
        if !api.is_object() {
            self.must("api", "object", format!("It is {}; it must be an object with password and URLs.", kind(api)));
            return;
        }
        self.version(&api["version"]);
        self.secrets(api);
        self.config_vars(manifest["id"].as_str().unwrap_or_default(), api);
        self.regions(&api["regions"]);
        self.requires(api.get("requires"));
        self.production(&api["production"]);
        self.test(api.get("test"), has_sso(api));
    }

    fn version(&mut self, version: &Value) {
        match version {
            Value::String(three) if three == "3" => {}
            Value::Number(_) => {
                self.must("api.version", "version-type", "It is a number; it must be the string \"3\".");
            }
            _ => self.should(
                "api.version",
                "legacy-version",
                "Without \"3\", the manifest uses the legacy contract, which Heroku ended on 3 July 2023: use \"3\".",
            ),
        }
    }

    fn secrets(&mut self, api: &Value) {
        for (key, path) in [("password", "api.password"), ("sso_salt", "api.sso_salt")] {
            match api[key].as_str() {
                None if key == "sso_salt" && !has_sso(api) => {}
                None | Some("") => self.must(
                    path,
                    "secret",
                    "Missing or empty, so that anyone could call the add-on or sign tokens: use 32 random characters.",
                ),
                Some(secret) if secret.len() < 16 => {
                    self.should(path, "secret-length", "Shorter than 16 characters: use 32 random characters.");
                }
                Some(_) => {}
            }
        }
        if api["password"].is_string() && api["password"] == api["sso_salt"] {
            let message = "Equal to the password, so that one leak exposes both: use a different value.";
            self.should("api.sso_salt", "secret-shared", message);
        }
        if api.get("username").is_some() {
            self.must("api.username", "username", "The Basic user is always the slug: remove this key.");
        }
    }

    fn config_vars(&mut self, id: &str, api: &Value) {
        let prefix = match &api["config_vars_prefix"] {
            Value::String(prefix) => prefix.clone(),
            _ => id.to_uppercase().replace('-', "_"),
        };
        let Some(names) = api["config_vars"].as_array() else {
            let message = "Without this list, no reply may set a config var: list the config vars.";
            return self.should("api.config_vars", "config-vars", message);
        };
        for (place, name) in names.iter().enumerate() {
            let path = format!("api.config_vars[{place}]");
            match name.as_str() {
                None => self.must(&path, "config-var-name", format!("It is {}; it must be a string.", kind(name))),
                Some(name) if !is_var_name(name) => self.must(
                    &path,
                    "config-var-name",
                    format!(
                        "{name:?} is not a valid config var name: use an uppercase letter, then uppercase letters, digits and underscores."
                    ),
                ),
                Some(name) if name.strip_prefix(&prefix).is_none_or(|rest| !rest.starts_with('_')) => {
                    self.must(&path, "config-var-prefix", format!("{name} must begin with {prefix}_."));
                }
                Some(_) => {}
            }
        }
    }

    fn regions(&mut self, regions: &Value) {
        let Some(names) = regions.as_array().filter(|names| !names.is_empty()) else {
            return self.must(
                "api.regions",
                "regions",
                "Missing or empty: list at least one region, such as \"us\", or \"*\" for all.",
            );
        };
        for (place, name) in names.iter().enumerate() {
            if !name.as_str().is_some_and(|name| REGIONS.contains(&name)) {
                let message = format!("{name} is not one of {}.", REGIONS.join(", "));
                self.should(&format!("api.regions[{place}]"), "region-name", message);
            }
        }
    }

    fn requires(&mut self, requires: Option<&Value>) {
        let names = match requires {
            None => return,
            Some(Value::Array(names)) => names,
            Some(other) => {
                return self.must("api.requires", "requires", format!("It is {}; it must be a list.", kind(other)));
            }
        };
        for (place, name) in names.iter().enumerate() {
            let path = format!("api.requires[{place}]");
            match name.as_str() {
                Some("deploy_notify") => self.info(&path, "deploy-notify", "Deploy events are deprecated."),
                Some(name) if REQUIREMENTS.contains(&name) => {}
                _ => {
                    self.should(
                        &path,
                        "requirement-name",
                        format!("{name} is not one of {}.", REQUIREMENTS.join(", ")),
                    );
                }
            }
        }
    }

    fn production(&mut self, production: &Value) {
        match production {
            Value::Object(urls) => {
                self.https("api.production.base_url", urls.get("base_url"));
                if urls.contains_key("sso_url") {
                    self.https("api.production.sso_url", urls.get("sso_url"));
                } else {
                    let message = "Without this URL, customers cannot open a dashboard: add the URL that single sign-on is posted to.";
                    self.info("api.production.sso_url", "no-sso", message);
                }
                let base = urls.get("base_url").and_then(Value::as_str).unwrap_or_default();
                if !base.is_empty() && !base.trim_end_matches('/').ends_with("/heroku/resources") {
                    let message =
                        "Heroku appends /heroku/resources if the URL does not end with it: use the complete URL.";
                    self.info("api.production.base_url", "base-url-end", message);
                }
            }
            Value::String(_) => {
                self.https("api.production", Some(production));
                let message =
                    "A plain string is the legacy form, in which single sign-on is a GET: use base_url and sso_url.";
                self.should("api.production", "legacy-url", message);
            }
            other => {
                let message = format!("It is {}; it must be an object with base_url and sso_url.", kind(other));
                self.must("api.production", "production", message);
            }
        }
    }

    fn https(&mut self, path: &str, value: Option<&Value>) {
        let parts = value.and_then(Value::as_str).and_then(url::split);
        match parts {
            None => self.must(path, "url", "Missing or not a URL: use https:// and a host."),
            Some(parts) if parts.scheme != "https" => {
                self.must(path, "https", "Heroku only calls https URLs, with a valid certificate.");
            }
            Some(parts) if is_loopback(parts.host()) => {
                self.must(path, "production-loopback", "Heroku cannot reach a loopback address: use the public host.");
            }
            Some(_) => {}
        }
    }

    fn test(&mut self, test: Option<&Value>, sso: bool) {
        let urls = match test {
            None | Some(Value::Null) => {
                let message = "Local tools need the add-on's address: add base_url and sso_url on this machine.";
                return self.info("api.test", "test-url", message);
            }
            Some(Value::Object(urls)) => {
                let mut found = vec![("api.test.base_url", urls.get("base_url"))];
                found.extend(sso.then(|| ("api.test.sso_url", urls.get("sso_url"))));
                found
            }
            Some(plain) => vec![("api.test", Some(plain))],
        };
        for (path, value) in urls {
            if value.and_then(Value::as_str).and_then(url::split).is_none() {
                self.must(path, "url", "Missing or not a URL: use http://localhost:8300 and the path.");
            }
        }
    }
}

/// Returns whether the add-on has single sign-on, which requires a salt and URLs.
fn has_sso(api: &Value) -> bool {
    ["production", "test"].iter().any(|key| api[key].is_string() || api[key].get("sso_url").is_some())
}

/// Returns the JSON type of a value, with an article.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn is_var_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.len() > 1
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn valid() -> Value {
        json!({ "id": "fast-db", "name": "Fast DB", "api": {
            "version": "3", "password": "unguessable-example-password", "sso_salt": "unguessable-example-salt",
            "config_vars": ["FAST_DB_URL"], "regions": ["us", "*"], "requires": ["log_input"],
            "production": { "base_url": "https://db.example/heroku/resources", "sso_url": "https://db.example/sso" },
            "test": { "base_url": "http://localhost:8300/heroku/resources", "sso_url": "http://localhost:8300/sso" } } })
    }

    #[test]
    fn a_valid_manifest_has_no_findings() {
        assert_eq!(manifest(&valid()), []);
    }

    #[test]
    fn each_problem_is_found_at_its_path_by_its_rule() {
        let rows = [
            ("/id", json!("Fast_DB"), "id", "slug", Level::Must),
            ("/api", json!(7), "api", "object", Level::Must),
            ("/api/version", json!(3), "api.version", "version-type", Level::Must),
            ("/api/version", json!("1"), "api.version", "legacy-version", Level::Should),
            ("/api/password", json!(""), "api.password", "secret", Level::Must),
            ("/api/password", json!("short"), "api.password", "secret-length", Level::Should),
            ("/api/sso_salt", json!("unguessable-example-password"), "api.sso_salt", "secret-shared", Level::Should),
            ("/api/config_vars", json!(null), "api.config_vars", "config-vars", Level::Should),
            ("/api/config_vars/0", json!(1), "api.config_vars[0]", "config-var-name", Level::Must),
            ("/api/config_vars/0", json!("fast_db_url"), "api.config_vars[0]", "config-var-name", Level::Must),
            ("/api/config_vars/0", json!("FAST_DBURL"), "api.config_vars[0]", "config-var-prefix", Level::Must),
            ("/api/regions", json!([]), "api.regions", "regions", Level::Must),
            ("/api/regions/0", json!("moon"), "api.regions[0]", "region-name", Level::Should),
            ("/api/requires", json!("log_input"), "api.requires", "requires", Level::Must),
            ("/api/requires/0", json!("tea"), "api.requires[0]", "requirement-name", Level::Should),
            ("/api/requires/0", json!("deploy_notify"), "api.requires[0]", "deploy-notify", Level::Info),
            ("/api/production", json!(null), "api.production", "production", Level::Must),
            ("/api/production", json!("https://db.example"), "api.production", "legacy-url", Level::Should),
            (
                "/api/production/base_url",
                json!("http://db.example/heroku/resources"),
                "api.production.base_url",
                "https",
                Level::Must,
            ),
            (
                "/api/production/base_url",
                json!("https://db.example/"),
                "api.production.base_url",
                "base-url-end",
                Level::Info,
            ),
            (
                "/api/production/sso_url",
                json!("https://localhost/sso"),
                "api.production.sso_url",
                "production-loopback",
                Level::Must,
            ),
            ("/api/production/sso_url", json!("db.example"), "api.production.sso_url", "url", Level::Must),
            ("/api/test", json!(null), "api.test", "test-url", Level::Info),
            ("/api/test/sso_url", json!(5), "api.test.sso_url", "url", Level::Must),
        ];
        for (pointer, value, path, rule, level) in rows {
            let mut json = valid();
            *json.pointer_mut(pointer).unwrap() = value;
            let found: Vec<_> = manifest(&json).into_iter().map(|f| (f.path, f.rule, f.level)).collect();
            assert_eq!(found, [(path.to_owned(), rule, level)], "{pointer}");
        }
    }

    #[test]
    fn single_sign_on_is_optional() {
        let mut json = valid();
        let api = json["api"].as_object_mut().unwrap();
        api.remove("sso_salt");
        api["production"].as_object_mut().unwrap().remove("sso_url");
        let missing: Vec<_> = manifest(&json).into_iter().map(|f| (f.path, f.rule)).collect();
        let salt = ("api.sso_salt".to_owned(), "secret");
        let url = ("api.production.sso_url".to_owned(), "no-sso");
        assert_eq!(missing, [salt, url.clone()], "the test URL requires a salt");

        json["api"]["test"].as_object_mut().unwrap().remove("sso_url");
        let found: Vec<_> = manifest(&json).into_iter().map(|f| (f.path, f.rule)).collect();
        assert_eq!(found, [url]);
    }

    #[test]
    fn forbidden_keys_are_found() {
        let mut json = valid();
        json["api"]["username"] = json!("me");
        json["requires"] = json!([]);
        let rules: Vec<_> = manifest(&json).into_iter().map(|f| f.rule).collect();
        assert_eq!(rules, ["username", "requires-place"]);
    }

    #[test]
    fn findings_contain_no_secrets() {
        let mut json = valid();
        json["api"]["password"] = json!("hunter2");
        json["api"]["sso_salt"] = json!("hunter2");
        let output = format!("{:?}", manifest(&json));
        assert!(output.contains("secret-shared") && !output.contains("hunter2"), "{output}");
    }
}
