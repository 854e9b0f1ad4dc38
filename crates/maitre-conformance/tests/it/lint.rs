//! Lint of manifests in `tests/manifests`, and its agreement with the reader.

use std::path::Path;

use maitre_conformance::{Level, lint};
use maitre_core::Manifest;
use serde_json::{Value, json};

fn read(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests").join(name);
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn each_file_has_one_finding_at_the_key_to_change() {
    let rows = [
        ("bom.json", "", "json", Level::Must, "save it as UTF-8 without BOM"),
        ("configvars-map.json", "api.config_vars", "type", Level::Must, "an object: write a list of strings"),
        ("configvars-string.json", "api.config_vars", "type", Level::Must, "a string: write a list of strings"),
        (
            "legacy-url-with-path.json",
            "api.production",
            "legacy-url",
            Level::Should,
            "is appended again: write {\"base_url\": \"https://db.example/heroku/resources\"",
        ),
        (
            "line-comment.json",
            "",
            "json",
            Level::Must,
            "a comment at line 3 column 3: JSON has no comments, so remove it",
        ),
        ("name-int.json", "name", "type", Level::Must, "a number: write a string"),
        (
            "no-production.json",
            "api.production",
            "production",
            Level::Must,
            "Missing: add an object with base_url and sso_url",
        ),
        ("no-single-sign-on.json", "api.production.sso_url", "no-sso", Level::Info, "add the URL"),
        (
            "placeholder-hosts.json",
            "api.production.base_url",
            "placeholder-host",
            Level::Should,
            "myaddon.com is a placeholder",
        ),
        (
            "placeholder-hosts.json",
            "api.production.sso_url",
            "placeholder-host",
            Level::Should,
            "write the host of your add-on",
        ),
        ("password-changeme.json", "api.password", "secret-placeholder", Level::Should, "use 32 random characters"),
        ("password-changeme.json", "api.sso_salt", "secret-placeholder", Level::Should, "use 32 random characters"),
        (
            "prefix-empty.json",
            "api.config_vars_prefix",
            "config-var-prefix",
            Level::Must,
            "remove this key (then it is FAST_DB)",
        ),
        ("prefix-number.json", "api.config_vars_prefix", "type", Level::Must, "a number: write a string"),
        ("requires-null-item.json", "api.requires[0]", "type", Level::Must, "null: write a string"),
        ("requires-top-string.json", "requires", "type", Level::Must, "a string: write a list of strings"),
        ("requires-top-string.json", "requires", "requires-place", Level::Info, "use api.requires"),
        ("user-in-url.json", "api.production.base_url", "user-in-url", Level::Info, "remove everything up to @"),
        ("version-at-the-top.json", "version", "misplaced-key", Level::Should, "move it to api.version"),
        ("version-bool.json", "api.version", "type", Level::Must, "a boolean: write a string"),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let findings = lint::text(&read(&name));
        let expected: Vec<_> = rows.iter().filter(|row| row.0 == name).collect();
        assert_eq!(findings.len(), expected.len(), "{name}: {findings:?}");
        for (finding, (_, path, rule, level, message)) in findings.iter().zip(expected) {
            assert_eq!((finding.path.as_str(), finding.rule, finding.level), (*path, *rule, *level), "{name}");
            assert!(finding.message.contains(message), "{name}: {}", finding.message);
        }
    }
    assert_eq!(lint::text(&read("https-in-capitals.json")), [], "schemes are case-insensitive");
}

fn valid() -> Value {
    serde_json::from_str(&read("https-in-capitals.json")).unwrap()
}

/// Returns the pointers to all values.
fn pointers(value: &Value, at: &str) -> Vec<String> {
    let children: Vec<_> = match value {
        Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let below = children.into_iter().flat_map(|(key, value)| pointers(value, &format!("{at}/{key}")));
    std::iter::once(at.to_owned()).chain(below).collect()
}

#[test]
fn whatever_the_reader_refuses_is_a_must() {
    let types = [
        json!(null),
        json!(true),
        json!(5),
        json!(""),
        json!("text"),
        json!([]),
        json!([null]),
        json!({}),
        json!({"A_URL": "x"}),
    ];
    let mut refused = 0;
    for pointer in pointers(&valid(), "") {
        for replacement in &types {
            let mut changed = valid();
            *changed.pointer_mut(&pointer).unwrap() = replacement.clone();
            let text = changed.to_string();
            let findings = lint::text(&text);
            let is_must =
                |path: &str| findings.iter().any(|finding| finding.path == path && finding.level == Level::Must);
            for problem in Manifest::problems(&text) {
                assert!(is_must(problem.path()), "{pointer} = {replacement}: {problem}, but {findings:?}");
                refused += 1;
            }
            let is_readable = Manifest::parse(&text).is_ok_and(|manifest| manifest.credentials().is_ok());
            assert_eq!(is_readable, Manifest::problems(&text).is_empty(), "{pointer} = {replacement}");
        }
    }
    assert!(refused > 100, "{refused}");
}

fn findings(change: impl FnOnce(&mut Value)) -> Vec<(String, &'static str, Level, String)> {
    let mut manifest = valid();
    change(&mut manifest);
    let findings = lint::manifest(&manifest);
    findings.into_iter().map(|it| (it.path, it.rule, it.level, it.message)).collect()
}

fn only(change: impl FnOnce(&mut Value)) -> (String, &'static str, Level, String) {
    let mut found = findings(change);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn rename(manifest: &mut Value, parent: &str, from: &str, to: &str) {
    let object = manifest.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    let value = object.remove(from).unwrap();
    object.insert(to.to_owned(), value);
}

#[test]
fn a_misspelt_key_is_found_in_place_of_the_missing_one() {
    for (parent, from, to, path, level) in [
        ("/api", "password", "passwort", "api.passwort", Level::Must),
        ("/api", "sso_salt", "ssoSalt", "api.ssoSalt", Level::Must),
        ("/api", "config_vars", "config-vars", "api.config-vars", Level::Should),
        ("/api", "regions", "region", "api.region", Level::Must),
        ("/api", "version", "Version", "api.Version", Level::Should),
        ("/api/production", "base_url", "baseurl", "api.production.baseurl", Level::Must),
        ("/api/test", "sso_url", "sso_uri", "api.test.sso_uri", Level::Should),
        ("", "id", "Id", "Id", Level::Must),
    ] {
        let (found, rule, found_level, message) = only(|manifest| rename(manifest, parent, from, to));
        assert_eq!((found.as_str(), rule, found_level), (path, "misspelt-key", level));
        assert_eq!(message, format!("Unknown key: did you mean {from}?"));
    }
    assert_eq!(findings(|manifest| manifest["$base"] = json!(7)), []);
    assert_eq!(findings(|manifest| manifest["api"]["cli_plugin_name"] = json!("x")), []);
}

#[test]
fn a_misplaced_key_is_found_in_place_of_the_missing_one() {
    for (key, level) in [("password", Level::Must), ("sso_salt", Level::Must), ("version", Level::Should)] {
        let (path, rule, found, message) = only(|manifest| {
            let value = manifest["api"].as_object_mut().unwrap().remove(key).unwrap();
            manifest[key] = value;
        });
        assert_eq!((path.as_str(), rule, found), (key, "misplaced-key", level));
        assert_eq!(message, format!("This key belongs in api: move it to api.{key}."));
    }
    let (path, rule, level, message) = only(|manifest| manifest["regions"] = json!(["us"]));
    assert_eq!((path.as_str(), rule, level), ("regions", "misplaced-key", Level::Should));
    assert_eq!(message, "This key belongs in api, where api.regions is set, too: remove this one.");
}

#[test]
fn a_duplicate_key_is_found() {
    let text = valid().to_string().replacen("\"version\":", "\"version\":\"2\",\"version\":", 1);
    let found: Vec<_> = lint::text(&text).into_iter().map(|finding| (finding.path, finding.rule)).collect();
    assert_eq!(found, [("api.version".to_owned(), "duplicate-key")]);
}

#[test]
fn the_prefix_of_the_config_vars_is_the_key_to_change() {
    let with = |prefix: Value, names: Value| {
        only(|manifest| {
            manifest["api"]["config_vars_prefix"] = prefix;
            manifest["api"]["config_vars"] = names;
        })
    };
    let (path, _, level, message) = with(json!(null), json!(["DB_URL", "DB_TOKEN"]));
    assert_eq!((path.as_str(), level), ("api.config_vars_prefix", Level::Must));
    assert!(message.contains("add \"config_vars_prefix\": \"DB\", or rename them"), "{message}");
    let (path, _, _, message) = with(json!("FAST_DB_"), json!(["FAST_DB_URL"]));
    assert_eq!(
        (path.as_str(), message.as_str()),
        ("api.config_vars_prefix", "An underscore is added to the prefix: write \"FAST_DB\".")
    );
    let (path, ..) = with(json!(null), json!(["FAST_DB_URL", "DB_TOKEN"]));
    assert_eq!(path, "api.config_vars[1]");
    let (path, ..) = with(json!("fast"), json!(["FAST_DB_URL"]));
    assert_eq!(path, "api.config_vars_prefix");
}

#[test]
fn no_secret_is_shown() {
    let secret = "hunter2hunter2";
    let url = format!("https://u:{secret}@myaddon.com/heroku/resources");
    for pointer in pointers(&valid(), "").into_iter().filter(|pointer| pointer.contains("/api/")) {
        for value in [json!(url), json!([url]), json!({ "base_url": url, "sso_url": url.replace("https", "http") })] {
            let mut manifest = valid();
            *manifest.pointer_mut(&pointer).unwrap() = value;
            let shown = format!(
                "{:?} {:?}",
                lint::manifest(&manifest),
                Manifest::parse(&manifest.to_string()).map(|it| it.api.production)
            );
            assert!(!shown.contains(secret), "{pointer}: {shown}");
        }
    }
}
