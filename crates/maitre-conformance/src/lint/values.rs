//! Rules about the values of a manifest. They skip values of the wrong type, which the reader refuses.

use maitre_core::manifest::is_loopback;
use serde_json::Value;

use super::{Lint, quoted};
use crate::url;

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

/// Hosts in the templates of Heroku's documentation and tools, and hosts that cannot be registered.
const PLACEHOLDER_HOSTS: [&str; 8] = [
    "myaddon.com",
    "yourapp.com",
    "yourapp.herokuapp.com",
    "your-app.herokuapp.com",
    "yourdomain.com",
    "example.com",
    "example.net",
    "example.org",
];

/// Placeholders of secrets, without separators.
const PLACEHOLDER_SECRETS: [&str; 5] = ["changeme", "replaceme", "yourpassword", "yoursecret", "yoursalt"];

const RESOURCES: &str = "/heroku/resources";

pub(super) fn check(lint: &mut Lint, manifest: &Value) {
    if !manifest.is_object() {
        return;
    }
    slug(lint, &manifest["id"]);
    if manifest.get("requires").is_some() {
        lint.info("requires", "requires-place", "Since 2014 this key belongs in api: use api.requires.");
    }
    let api = &manifest["api"];
    if !api.is_object() {
        return;
    }
    version(lint, &api["version"]);
    secrets(lint, api);
    config_vars(lint, manifest["id"].as_str(), api);
    regions(lint, &api["regions"]);
    requires(lint, &api["requires"]);
    production(lint, &api["production"]);
    test(lint, &api["test"], api["production"].get("sso_url").is_some());
}

fn slug(lint: &mut Lint, id: &Value) {
    let plain = |slug: &str| {
        slug.starts_with(|c: char| c.is_ascii_lowercase())
            && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if id.as_str().is_some_and(|id| !plain(id)) && !lint.has("id") {
        let message = "The slug is also the Basic user and cannot be changed after the first push: use lowercase letters, \
                       digits and hyphens.";
        lint.must("id", "slug", message);
    }
}

fn version(lint: &mut Lint, version: &Value) {
    match version {
        Value::String(three) if three == "3" => {}
        Value::Number(_) => {
            lint.must("api.version", "version-type", "It is a number; write the string \"3\", with quotes.");
        }
        Value::String(_) | Value::Null => lint.should(
            "api.version",
            "legacy-version",
            "Without \"3\", the manifest uses the legacy contract, which Heroku ended on 3 July 2023: write \
             \"version\": \"3\".",
        ),
        _ => {}
    }
}

fn secrets(lint: &mut Lint, api: &Value) {
    for (key, path) in [("password", "api.password"), ("sso_salt", "api.sso_salt")] {
        let Some(secret) = api[key].as_str() else { continue };
        let plain: String = secret.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        if secret.is_empty() && !lint.has(path) {
            let message = "Empty, so that anyone could call the add-on or sign tokens: use 32 random characters.";
            lint.must(path, "secret", message);
        } else if PLACEHOLDER_SECRETS.iter().any(|placeholder| plain.contains(placeholder)) {
            let message = "A placeholder that anyone can guess: use 32 random characters.";
            lint.should(path, "secret-placeholder", message);
        } else if !secret.is_empty() && secret.len() < 16 {
            lint.should(path, "secret-length", "Shorter than 16 characters: use 32 random characters.");
        }
    }
    if api["password"].is_string() && api["password"] == api["sso_salt"] {
        let message = "Equal to the password, so that one leak exposes both: use a different value.";
        lint.should("api.sso_salt", "secret-shared", message);
    }
    if api.get("username").is_some() {
        lint.must("api.username", "username", "The Basic user is always the slug: remove this key.");
    }
}

fn config_vars(lint: &mut Lint, id: Option<&str>, api: &Value) {
    let by_id = id.map(|id| id.to_uppercase().replace('-', "_"));
    let prefix = match &api["config_vars_prefix"] {
        Value::String(prefix) => config_vars_prefix(lint, prefix, by_id.as_deref()),
        Value::Null => by_id.clone(),
        _ => None,
    };
    let names = match &api["config_vars"] {
        Value::Array(names) => names,
        Value::Null => {
            let message = "Without this list, no reply may set a config var: list the config vars.";
            return lint.should("api.config_vars", "config-vars", message);
        }
        _ => return,
    };
    let mut foreign = Vec::new();
    let mut texts = 0;
    for (place, name) in names.iter().enumerate() {
        let Some(name) = name.as_str() else { continue };
        texts += 1;
        let path = format!("api.config_vars[{place}]");
        if !is_var_name(name) {
            let message = format!(
                "{} is not a valid config var name: use an uppercase letter, then uppercase letters, digits and underscores.",
                quoted(name)
            );
            lint.must(&path, "config-var-name", message);
        } else if prefix.as_ref().is_some_and(|prefix| !has_prefix(name, prefix)) {
            foreign.push((path, name));
        }
    }
    let Some(prefix) = prefix.filter(|_| !foreign.is_empty()) else { return };
    let common = common_prefix(&foreign).filter(|_| foreign.len() == texts);
    match common.filter(|common| api["config_vars_prefix"].is_null() && !prefix.starts_with(common)) {
        Some(common) => {
            let message = format!(
                "The config vars begin with {common}_, but without this key they must begin with {prefix}_, after the id: \
                 add \"config_vars_prefix\": {common:?}, or rename them."
            );
            lint.must("api.config_vars_prefix", "config-var-prefix", message);
        }
        None => {
            for (path, name) in foreign {
                let message = format!("{name} must begin with {prefix}_: rename it, or change api.config_vars_prefix.");
                lint.must(&path, "config-var-prefix", message);
            }
        }
    }
}

/// Checks the prefix. Returns the prefix to check the names with.
fn config_vars_prefix(lint: &mut Lint, prefix: &str, by_id: Option<&str>) -> Option<String> {
    const PATH: &str = "api.config_vars_prefix";
    let plain = prefix.trim_end_matches('_');
    if plain.is_empty() {
        let default = by_id.map(|prefix| format!(" (then it is {prefix})")).unwrap_or_default();
        lint.must(PATH, "config-var-prefix", format!("Empty: remove this key{default}, or write a prefix."));
        return by_id.map(ToOwned::to_owned);
    }
    if !is_var_name(plain) {
        let message = "Not the beginning of a config var name: use uppercase letters, digits and underscores.";
        lint.must(PATH, "config-var-prefix", message);
        return None;
    }
    if plain != prefix {
        let message = format!("An underscore is added to the prefix: write {plain:?}.");
        lint.must(PATH, "config-var-prefix", message);
    }
    Some(plain.to_owned())
}

fn has_prefix(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('_'))
}

/// Returns the longest prefix that all names have, without the underscore that follows.
fn common_prefix<'a>(names: &[(String, &'a str)]) -> Option<&'a str> {
    let (_, first) = names.first()?;
    let mut ends = first.match_indices('_').map(|(end, _)| &first[..end]).filter(|prefix| !prefix.is_empty()).rev();
    ends.find(|prefix| names.iter().all(|(_, name)| has_prefix(name, prefix)))
}

fn regions(lint: &mut Lint, regions: &Value) {
    let names = match regions {
        Value::Array(names) if !names.is_empty() => names,
        Value::Array(_) | Value::Null => {
            let message = "Missing or empty: list at least one region, such as \"us\", or \"*\" for all.";
            return lint.must("api.regions", "regions", message);
        }
        _ => return,
    };
    for (place, name) in names.iter().enumerate() {
        if let Some(name) = name.as_str().filter(|name| !REGIONS.contains(name)) {
            let message = format!("{} is not one of {}.", quoted(name), REGIONS.join(", "));
            lint.should(&format!("api.regions[{place}]"), "region-name", message);
        }
    }
}

fn requires(lint: &mut Lint, requires: &Value) {
    for (place, name) in requires.as_array().into_iter().flatten().enumerate() {
        let path = format!("api.requires[{place}]");
        match name.as_str() {
            Some("deploy_notify") => lint.info(&path, "deploy-notify", "Deploy events are deprecated."),
            Some(name) if !REQUIREMENTS.contains(&name) => {
                let message = format!("{} is not one of {}.", quoted(name), REQUIREMENTS.join(", "));
                lint.should(&path, "requirement-name", message);
            }
            _ => {}
        }
    }
}

fn production(lint: &mut Lint, production: &Value) {
    match production {
        Value::Object(urls) => {
            let base = urls.get("base_url").and_then(Value::as_str);
            if let Some(base) = base {
                https(lint, "api.production.base_url", base);
                if url::split(base).is_some() && !base.trim_end_matches('/').ends_with(RESOURCES) {
                    let message =
                        "Heroku appends /heroku/resources if the URL does not end with it: use the complete URL.";
                    lint.info("api.production.base_url", "base-url-end", message);
                }
            }
            match urls.get("sso_url") {
                Some(Value::String(sso)) => https(lint, "api.production.sso_url", sso),
                None | Some(Value::Null) => {
                    let message = "Without this URL, customers cannot open a dashboard: add the URL that single sign-on is posted to.";
                    lint.info("api.production.sso_url", "no-sso", message);
                }
                Some(_) => {}
            }
        }
        Value::String(root) => {
            https(lint, "api.production", root);
            legacy_url(lint, root);
        }
        Value::Null => {
            let message = "Missing: add an object with base_url and sso_url, the https URLs that Heroku calls.";
            lint.must("api.production", "production", message);
        }
        _ => {}
    }
}

fn legacy_url(lint: &mut Lint, root: &str) {
    let root = root.trim_end_matches('/');
    let origin = root.strip_suffix(RESOURCES).unwrap_or(root);
    let mut message = String::from("A plain string is the legacy form, in which single sign-on is a GET");
    if origin.len() < root.len() {
        message.push_str(", and the path /heroku/resources is appended again");
    }
    // the host is only quoted if it is one
    let origin = if url::split(origin).is_some() { origin } else { "https://…" };
    let object = format!("{{\"base_url\": \"{origin}{RESOURCES}\", \"sso_url\": \"{origin}/heroku/sso\"}}");
    lint.should("api.production", "legacy-url", format!("{message}: write {object}, with the path of your sign-on."));
}

fn https(lint: &mut Lint, path: &str, address: &str) {
    let Some(parts) = url::split(address) else {
        return lint.must(path, "url", "Not a URL: write https:// and a host.");
    };
    let host = parts.host().to_ascii_lowercase();
    if !parts.scheme.eq_ignore_ascii_case("https") {
        lint.must(path, "https", "Heroku only calls https URLs, with a valid certificate: write https://.");
    } else if is_loopback(&host) {
        lint.must(path, "production-loopback", "Heroku cannot reach a loopback address: use the public host.");
    } else if PLACEHOLDER_HOSTS.contains(&host.strip_prefix("www.").unwrap_or(&host)) {
        lint.should(path, "placeholder-host", format!("{host} is a placeholder: write the host of your add-on."));
    }
    user_in_url(lint, path, parts);
}

fn user_in_url(lint: &mut Lint, path: &str, parts: url::Parts<'_>) {
    if parts.host_and_port() != parts.authority {
        let message =
            "The URL contains a user, but calls carry the manifest's id and password: remove everything up to @.";
        lint.info(path, "user-in-url", message);
    }
}

fn test(lint: &mut Lint, test: &Value, sso: bool) {
    let mut address = |path: &str, address: &str| match url::split(address) {
        None => lint.must(path, "url", "Not a URL: write http://localhost:8300 and the path."),
        Some(parts) => user_in_url(lint, path, parts),
    };
    match test {
        Value::String(root) => address("api.test", root),
        Value::Object(urls) => {
            for key in ["base_url", "sso_url"] {
                if let Some(url) = urls.get(key).and_then(Value::as_str) {
                    address(&format!("api.test.{key}"), url);
                }
            }
            if sso && urls.get("sso_url").is_none_or(Value::is_null) {
                let message = "Local tools cannot sign on without this URL: add it, as in api.production.";
                lint.info("api.test.sso_url", "test-url", message);
            }
        }
        Value::Null => {
            let message = "Local tools need the add-on's address: add base_url and sso_url on this machine.";
            lint.info("api.test", "test-url", message);
        }
        _ => {}
    }
}

fn is_var_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.len() > 1
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}
