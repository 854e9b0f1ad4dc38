//! Recordings of the sandbox: a file is either read completely or rejected.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maitre_sandbox::Recording;
use serde_json::Value;

const KINDS: [&str; 13] = [
    "Provision",
    "PlanChange",
    "Deprovision",
    "SignOn",
    "Webhook",
    "Custom",
    "Token",
    "Config",
    "MarkProvisioned",
    "MarkDeprovisioned",
    "Platform",
    "Customer",
    "Note",
];

/// Compares the number of calls with the file.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let found = Recording::parse(text);
    let Ok(json) = serde_json::from_str::<Value>(text) else {
        assert!(found.is_err());
        return;
    };
    let har = &json["log"]["_maitre_sandbox"];
    let expected = if har.is_object() {
        calls(&json["log"]["entries"], "_direction", is_har_call).filter(|_| har["masked"] != true)
    } else if json["maitre_sandbox"].is_number() {
        calls(&json["entries"], "direction", is_call).filter(|_| json["masked"] != true)
    } else {
        None
    };
    assert_eq!(found.as_ref().ok().map(Recording::call_count), expected, "{found:?}");
    let again = Recording::parse(&format!(" {json:#}\n"));
    assert_eq!(again.ok().map(|recording| recording.call_count()), expected, "the layout of the JSON matters");
}

/// Counts the calls to the add-on. Returns `None` if one of them is incomplete.
fn calls(entries: &Value, direction: &str, is_complete: fn(&Value) -> bool) -> Option<usize> {
    let mut calls = entries.as_array()?.iter().filter(|entry| name(&entry[direction]) == Some("ToAddon"));
    let count = calls.clone().count();
    calls.all(is_complete).then_some(count)
}

/// Returns the name of a variant, which serde reads from a string or from an object with null.
fn name(value: &Value) -> Option<&str> {
    let single = |object: &serde_json::Map<String, Value>| object.len() == 1 && object.values().all(Value::is_null);
    match value {
        Value::Object(object) if single(object) => object.keys().next().map(String::as_str),
        other => other.as_str(),
    }
}

fn is_kind(value: &Value) -> bool {
    name(value).is_some_and(|name| KINDS.contains(&name))
}

fn is_har_call(entry: &Value) -> bool {
    let request = &entry["request"];
    let header = |header: &Value| header["name"].is_string() && header["value"].is_string();
    let body = &request["postData"];
    is_kind(&entry["_kind"])
        && entry["_title"].is_string()
        && request["method"].is_string()
        && request["url"].is_string()
        && request["headers"].as_array().is_some_and(|headers| headers.iter().all(header))
        && (body["encoding"] != "base64" || body["text"].as_str().is_none_or(is_base64))
}

fn is_call(entry: &Value) -> bool {
    let request = &entry["request"];
    let header = |header: &Value| header[0].is_string() && header[1].is_string();
    is_kind(&entry["kind"])
        && entry["title"].is_string()
        && request["method"].is_string()
        && request["url"].is_string()
        && request["headers"].as_array().is_some_and(|headers| headers.iter().all(header))
        && (request["body"].is_string() || request["body_base64"].as_str().is_none_or(is_base64))
}

fn is_base64(text: &str) -> bool {
    BASE64_STANDARD.decode(text).is_ok()
}
