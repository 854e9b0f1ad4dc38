//! What a marketplace, and good sense, would say to a manifest.

use std::fmt;

use serde_json::Value;

use super::read::kind;
use super::url;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// Good to know.
    Info,
    /// Works, and will cost somebody an evening.
    Should,
    /// The marketplace refuses it, or cannot call the add-on.
    Must,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Should => "should",
            Self::Must => "must",
        })
    }
}

/// One thing about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Where: `api.config_vars[1]`.
    pub path: String,
    /// The rule's stable name: `config-var-name`.
    pub rule: &'static str,
    /// How much it weighs.
    pub level: Level,
    /// What is wrong and what to write, without a secret in it.
    pub why: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:6} {} [{}] {}", self.level, self.path, self.rule, self.why)
    }
}

/// The region names of the manifest, which are not those of a provision request.
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

/// Judges a manifest by Heroku's rules; the worst first, else in the order of the file's documentation.
///
/// Any JSON is taken, so that a manifest that cannot be read gets findings, too.
///
/// ```
/// use maitre_core::manifest::{Level, lint};
/// use serde_json::json;
///
/// let findings = lint(&json!({ "id": "Lantern", "api": {
///     "version": "3", "password": "nobody-guesses-this-one", "sso_salt": "nor-would-they-guess-that",
///     "config_vars": ["LANTERN_URL"], "regions": ["us"],
///     "production": { "base_url": "https://api.lantern.example/heroku/resources",
///                     "sso_url": "https://api.lantern.example/heroku/resources/sso" } } }));
/// assert_eq!((findings[0].path.as_str(), findings[0].rule, findings[0].level), ("id", "slug", Level::Must));
/// ```
#[must_use]
pub fn lint(manifest: &Value) -> Vec<Finding> {
    let mut lint = Lint(Vec::new());
    if manifest.is_object() {
        lint.slug(&manifest["id"]);
        lint.top(manifest);
        lint.api(manifest);
    } else {
        lint.must("", "object", format!("The manifest is {}: write an object.", kind(manifest)));
    }
    lint.0.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    lint.0
}

struct Lint(Vec<Finding>);

impl Lint {
    fn add(&mut self, level: Level, path: &str, rule: &'static str, why: impl Into<String>) {
        self.0.push(Finding { path: path.to_owned(), rule, level, why: why.into() });
    }
    fn must(&mut self, path: &str, rule: &'static str, why: impl Into<String>) {
        self.add(Level::Must, path, rule, why);
    }
    fn should(&mut self, path: &str, rule: &'static str, why: impl Into<String>) {
        self.add(Level::Should, path, rule, why);
    }
    fn info(&mut self, path: &str, rule: &'static str, why: impl Into<String>) {
        self.add(Level::Info, path, rule, why);
    }

    fn slug(&mut self, id: &Value) {
        let plain = |slug: &str| {
            slug.starts_with(|c: char| c.is_ascii_lowercase())
                && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !id.as_str().is_some_and(plain) {
            let why = "It is the slug and the Basic user, and can never be changed after the first push: write lower-case \
                       letters, digits and hyphens.";
            self.must("id", "slug", why);
        }
    }

    fn top(&mut self, manifest: &Value) {
        if manifest.get("requires").is_some() {
            self.info("requires", "requires-place", "Since 2014 this stands in api: write it as api.requires.");
        }
    }

    fn api(&mut self, manifest: &Value) {
        let api = &manifest["api"];
        if !api.is_object() {
            self.must("api", "object", format!("It is {}: write an object with password and URLs.", kind(api)));
            return;
        }
        self.version(&api["version"]);
        self.secrets(api);
        self.config_vars(manifest["id"].as_str().unwrap_or_default(), api);
        self.regions(&api["regions"]);
        self.requires(api.get("requires"));
        self.production(&api["production"]);
        self.test(api.get("test"), signs_on(api));
    }

    fn version(&mut self, version: &Value) {
        match version {
            Value::String(three) if three == "3" => {}
            Value::Number(_) => self.must("api.version", "version-type", "It is a number: write the string \"3\"."),
            _ => self.should(
                "api.version",
                "legacy-version",
                "Without \"3\" this is the legacy contract, which Heroku ended on 3 July 2023: write \"3\".",
            ),
        }
    }

    fn secrets(&mut self, api: &Value) {
        for (key, path) in [("password", "api.password"), ("sso_salt", "api.sso_salt")] {
            match api[key].as_str() {
                None if key == "sso_salt" && !signs_on(api) => {}
                None | Some("") => self.must(
                    path,
                    "secret",
                    "It is missing or empty, so anyone could call or sign: draw 32 random characters.",
                ),
                Some(secret) if secret.len() < 16 => {
                    self.should(path, "secret-length", "It is shorter than 16 characters: draw 32 random ones.");
                }
                Some(_) => {}
            }
        }
        if api["password"].is_string() && api["password"] == api["sso_salt"] {
            let why = "It is the same as the password, so one leak opens both doors: draw another.";
            self.should("api.sso_salt", "secret-shared", why);
        }
        if api.get("username").is_some() {
            self.must("api.username", "username", "The Basic user is always the slug: take this key out.");
        }
    }

    fn config_vars(&mut self, id: &str, api: &Value) {
        let prefix = match &api["config_vars_prefix"] {
            Value::String(prefix) => prefix.clone(),
            _ => id.to_uppercase().replace('-', "_"),
        };
        let Some(names) = api["config_vars"].as_array() else {
            let why = "Without a list here no reply may set a config var: name them.";
            return self.should("api.config_vars", "config-vars", why);
        };
        for (place, name) in names.iter().enumerate() {
            let path = format!("api.config_vars[{place}]");
            match name.as_str() {
                None => self.must(&path, "config-var-name", format!("It is {}: write a string.", kind(name))),
                Some(name) if !is_var_name(name) => self.must(
                    &path,
                    "config-var-name",
                    format!(
                        "{name:?} is no config var: write a capital letter, then capitals, digits and underscores."
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
            return self.must("api.regions", "regions", "Name at least one region, such as \"us\", or \"*\" for all.");
        };
        for (place, name) in names.iter().enumerate() {
            if !name.as_str().is_some_and(|name| REGIONS.contains(&name)) {
                let why = format!("{name} is none of {}.", REGIONS.join(", "));
                self.should(&format!("api.regions[{place}]"), "region-name", why);
            }
        }
    }

    fn requires(&mut self, requires: Option<&Value>) {
        let names = match requires {
            None => return,
            Some(Value::Array(names)) => names,
            Some(other) => {
                return self.must("api.requires", "requires", format!("It is {}: write a list.", kind(other)));
            }
        };
        for (place, name) in names.iter().enumerate() {
            let path = format!("api.requires[{place}]");
            match name.as_str() {
                Some("deploy_notify") => self.info(&path, "deploy-notify", "Deploy events are deprecated."),
                Some(name) if REQUIREMENTS.contains(&name) => {}
                _ => self.should(&path, "requirement-name", format!("{name} is none of {}.", REQUIREMENTS.join(", "))),
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
                    let why = "Without it nobody can open a dashboard: write where single sign-on is posted to.";
                    self.info("api.production.sso_url", "no-sso", why);
                }
                let base = urls.get("base_url").and_then(Value::as_str).unwrap_or_default();
                if !base.is_empty() && !base.trim_end_matches('/').ends_with("/heroku/resources") {
                    let why = "Heroku appends /heroku/resources where it is not the end: write the whole URL.";
                    self.info("api.production.base_url", "base-url-end", why);
                }
            }
            Value::String(_) => {
                self.https("api.production", Some(production));
                let why =
                    "A plain string is the legacy form, whose single sign-on is a GET: write base_url and sso_url.";
                self.should("api.production", "legacy-url", why);
            }
            other => {
                let why = format!("It is {}: write base_url and sso_url.", kind(other));
                self.must("api.production", "production", why);
            }
        }
    }

    fn https(&mut self, path: &str, value: Option<&Value>) {
        let parts = value.and_then(Value::as_str).and_then(url::split);
        match parts {
            None => self.must(path, "url", "It is missing or no URL: write https:// and a host."),
            Some(parts) if parts.scheme != "https" => {
                self.must(path, "https", "Heroku calls https alone, with a valid certificate.");
            }
            Some(parts) if url::is_loopback(parts.host()) => {
                self.must(path, "production-loopback", "Heroku cannot reach this machine: write the public host.");
            }
            Some(_) => {}
        }
    }

    fn test(&mut self, test: Option<&Value>, sso: bool) {
        let urls = match test {
            None | Some(Value::Null) => {
                let why = "Local tools want to know where the add-on runs: write base_url and sso_url of this machine.";
                return self.info("api.test", "test-url", why);
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
                self.must(path, "url", "It is missing or no URL: write http://localhost:5000 and the path.");
            }
        }
    }
}

/// Whether the add-on has single sign-on, which needs a salt and URLs.
fn signs_on(api: &Value) -> bool {
    ["production", "test"].iter().any(|key| api[key].is_string() || api[key].get("sso_url").is_some())
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

    fn good() -> Value {
        json!({ "id": "fast-db", "name": "Fast DB", "api": {
            "version": "3", "password": "nobody-guesses-this-one", "sso_salt": "nor-would-they-guess-that",
            "config_vars": ["FAST_DB_URL"], "regions": ["us", "*"], "requires": ["log_input"],
            "production": { "base_url": "https://db.example/heroku/resources", "sso_url": "https://db.example/sso" },
            "test": { "base_url": "http://localhost:5000/heroku/resources", "sso_url": "http://localhost:5000/sso" } } })
    }

    #[test]
    fn a_good_manifest_has_no_findings() {
        assert_eq!(lint(&good()), []);
    }

    #[test]
    fn each_fault_is_found_at_its_path_by_its_rule() {
        let rows = [
            ("/id", json!("Fast_DB"), "id", "slug", Level::Must),
            ("/api", json!(7), "api", "object", Level::Must),
            ("/api/version", json!(3), "api.version", "version-type", Level::Must),
            ("/api/version", json!("1"), "api.version", "legacy-version", Level::Should),
            ("/api/password", json!(""), "api.password", "secret", Level::Must),
            ("/api/password", json!("short"), "api.password", "secret-length", Level::Should),
            ("/api/sso_salt", json!("nobody-guesses-this-one"), "api.sso_salt", "secret-shared", Level::Should),
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
            let mut manifest = good();
            *manifest.pointer_mut(pointer).unwrap() = value;
            let found: Vec<_> = lint(&manifest).into_iter().map(|f| (f.path, f.rule, f.level)).collect();
            assert_eq!(found, [(path.to_owned(), rule, level)], "{pointer}");
        }
    }

    #[test]
    fn an_add_on_may_do_without_single_sign_on() {
        let mut manifest = good();
        let api = manifest["api"].as_object_mut().unwrap();
        api.remove("sso_salt");
        api["production"].as_object_mut().unwrap().remove("sso_url");
        let missing: Vec<_> = lint(&manifest).into_iter().map(|f| (f.path, f.rule)).collect();
        let salt = ("api.sso_salt".to_owned(), "secret");
        let url = ("api.production.sso_url".to_owned(), "no-sso");
        assert_eq!(missing, [salt, url.clone()], "the test URL asks for a salt");

        manifest["api"]["test"].as_object_mut().unwrap().remove("sso_url");
        let found: Vec<_> = lint(&manifest).into_iter().map(|f| (f.path, f.rule)).collect();
        assert_eq!(found, [url]);
    }

    #[test]
    fn keys_that_must_not_be_there_are_found() {
        let mut manifest = good();
        manifest["api"]["username"] = json!("me");
        manifest["requires"] = json!([]);
        let rules: Vec<_> = lint(&manifest).into_iter().map(|f| f.rule).collect();
        assert_eq!(rules, ["username", "requires-place"]);
    }

    #[test]
    fn no_finding_holds_a_secret() {
        let mut manifest = good();
        manifest["api"]["password"] = json!("hunter2");
        manifest["api"]["sso_salt"] = json!("hunter2");
        let shown = format!("{:?}", lint(&manifest));
        assert!(shown.contains("secret-shared") && !shown.contains("hunter2"), "{shown}");
    }
}
