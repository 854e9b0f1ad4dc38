//! Manifests: the parser accepts the documented types, the lint is at least as strict, and neither shows a secret.

use maitre_conformance::{Level, lint};
use maitre_core::manifest::Endpoints;
use maitre_core::{Manifest, Secret};
use serde_json::Value;

const SECRET: &str = "f3Zr8-canary-9kQw";

/// Checks one text. In JSON, the two secrets are replaced, so that they are known.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    assert!(Manifest::parse(text).is_ok() || !passes(&lint::text(text)), "the lint accepts an unreadable manifest");
    let Ok(mut json) = serde_json::from_str::<Value>(text) else {
        assert!(Manifest::parse(text).is_err());
        return;
    };
    for key in ["password", "sso_salt"] {
        if let Some(Value::String(secret)) = json.get_mut("api").and_then(|api| api.get_mut(key))
            && !secret.is_empty()
        {
            SECRET.clone_into(secret);
        }
    }
    let text = json.to_string();
    // a float may change when it is written and read again
    let json: Value = serde_json::from_str(&text).expect("it was written as JSON");
    let parsed = Manifest::parse(&text);
    assert_eq!(parsed.is_ok(), is_readable(&json), "{parsed:?}");
    match &parsed {
        Ok(manifest) => check_content(manifest, &json),
        Err(error) => assert!(!error.to_string().contains(SECRET)),
    }
    check_lint(&json);
}

/// Returns whether the documented keys have the documented types; null is the same as a missing key.
fn is_readable(json: &Value) -> bool {
    let api = &json["api"];
    let text = |value: &Value| value.is_null() || value.is_string();
    let list = |value: &Value| value.is_null() || value.as_array().is_some_and(|all| all.iter().all(Value::is_string));
    let urls =
        |value: &Value| text(value) || value.is_object() && value["base_url"].is_string() && text(&value["sso_url"]);
    json["id"].is_string()
        && text(&json["name"])
        && list(&json["requires"])
        && api.is_object()
        && (text(&api["version"]) || api["version"].is_number())
        && ["password", "sso_salt", "config_vars_prefix"].iter().all(|key| text(&api[key]))
        && ["config_vars", "regions", "requires"].iter().all(|key| list(&api[key]))
        && urls(&api["production"])
        && urls(&api["test"])
}

fn check_content(manifest: &Manifest, json: &Value) {
    let api = &json["api"];
    assert_eq!(json["id"], manifest.id);
    assert_eq!(manifest.password().ok().map(Secret::expose), api["password"].as_str());
    assert_eq!(manifest.sso_salt().ok().map(Secret::expose), api["sso_salt"].as_str());
    for (urls, json) in [(&manifest.api.production, &api["production"]), (&manifest.api.test, &api["test"])] {
        assert_eq!(urls.is_some(), !json.is_null());
        if let Some(Endpoints { base_url, legacy, .. }) = urls {
            assert_eq!(*legacy, json.is_string());
            assert!(if *legacy { base_url.ends_with("/heroku/resources") } else { json["base_url"] == **base_url });
        }
    }
    let known = ["id", "name", "requires", "api"];
    let others = json.as_object().expect("it was parsed").iter().filter(|(key, _)| !known.contains(&key.as_str()));
    assert!(others.eq(manifest.extra.iter()), "an unknown key is lost");
    assert!(!format!("{manifest:?}").contains(SECRET));
}

fn check_lint(json: &Value) {
    let findings = lint::manifest(json);
    assert!(findings.is_sorted_by(|one, next| one.level >= next.level));
    for finding in &findings {
        assert!(!finding.to_string().contains(SECRET));
        let end = finding.message.ends_with('.') || finding.message.ends_with('?');
        assert!(end, "not a sentence: {}", finding.message);
    }
}

fn passes(findings: &[lint::Finding]) -> bool {
    findings.iter().all(|finding| finding.level < Level::Must)
}
