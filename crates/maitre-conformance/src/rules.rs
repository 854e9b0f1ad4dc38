//! What the marketplaces demand alike of an answer.

use serde_json::{Map, Value};

use crate::seen::Seen;
use crate::verdict::{Stop, Verdict};

/// The config of an answer; empty if there is none.
pub(crate) fn config(seen: &Seen) -> Result<Map<String, Value>, Stop> {
    match seen.object()?.remove("config") {
        None => Ok(Map::new()),
        Some(Value::Object(config)) => Ok(config),
        Some(_) => Err(seen.fault(
            "config is no object.",
            "Answer config as {\"NAME\": \"value\", …}, or leave it out if there is none.",
        )),
    }
}

pub(crate) fn are_texts(seen: &Seen) -> Verdict {
    let config = config(seen)?;
    match config.iter().find(|(_, value)| !value.is_string()) {
        None => Ok(()),
        Some((name, _)) => Err(seen.fault(
            format!("The value of {name} is no text."),
            "Write every value as a JSON string, numbers and flags too, and leave out what has none.",
        )),
    }
}

pub(crate) fn are_listed(config_vars: &[String], seen: &Seen) -> Verdict {
    let config = config(seen)?;
    match config.keys().find(|name| !config_vars.contains(name)) {
        None => Ok(()),
        Some(name) => Err(seen.fault(
            format!("The answer sets {name}, and the manifest's api.config_vars does not list it."),
            format!(
                "Add {name} to api.config_vars and push the manifest, or do not send it: Heroku refuses the answer."
            ),
        )),
    }
}

/// Insists on a content type that is JSON.
pub(crate) fn must_be_called_json(seen: &Seen) -> Verdict {
    match seen.header("content-type") {
        Some(name) if is_json_type(name) => Ok(()),
        Some(name) => Err(seen.fault(
            format!("The content type of the answer is {name}."),
            "Send Content-Type: application/json; tools that go by it do not read the body otherwise.",
        )),
        None => Err(seen.fault("The answer has no content type.", "Send Content-Type: application/json.")),
    }
}

fn is_json_type(name: &str) -> bool {
    let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    name == "application/json" || (name.starts_with("application/") && name.ends_with("+json"))
}

/// Insists on an id that can stand in a path.
pub(crate) fn must_have_an_id(seen: &Seen) -> Verdict {
    let body = seen.object()?;
    let advice = "Answer an id that later calls can use.";
    match body.get("id") {
        Some(Value::String(id)) if !id.is_empty() => Ok(()),
        Some(Value::Number(id)) if id.is_i64() || id.is_u64() => Ok(()),
        Some(Value::String(_)) => Err(seen.fault("The id is empty.", advice)),
        Some(other) => {
            Err(seen.fault(format!("The id is {other}, which is neither a text nor a whole number."), advice))
        }
        None => Err(seen.fault("The answer holds no id.", advice)),
    }
}

/// Insists on a refusal that the customer can read.
pub(crate) fn must_be_told(seen: &Seen) -> Verdict {
    let advice =
        "Answer 422 with {\"message\": \"…\"}: of all refusals this is the one whose sentence the customer sees.";
    seen.must_be(&[422], advice)?;
    match seen.object()?.get("message") {
        Some(Value::String(message)) if !message.trim().is_empty() => Ok(()),
        _ => Err(seen.fault("The 422 holds no message, so the customer is told nothing.", advice)),
    }
}

#[cfg(test)]
mod tests {
    use super::is_json_type;

    #[test]
    fn json_has_many_names() {
        for name in
            ["application/json", "Application/JSON; charset=utf-8", "application/vnd.heroku-addons+json; version=3"]
        {
            assert!(is_json_type(name), "{name}");
        }
        for name in ["text/html", "text/json+x", "application/jsonp", ""] {
            assert!(!is_json_type(name), "{name}");
        }
    }
}
