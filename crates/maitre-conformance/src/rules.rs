//! Requirements on a response that several checks share.

use serde_json::{Map, Value};

use crate::response::Response;
use crate::verdict::{Stop, Verdict};

/// Returns the response's config vars; empty if there are none.
pub(crate) fn config(response: &Response) -> Result<Map<String, Value>, Stop> {
    match response.object()?.remove("config") {
        None => Ok(Map::new()),
        Some(Value::Object(config)) => Ok(config),
        Some(_) => Err(response.fault(
            "config is not an object.",
            "Send config as {\"NAME\": \"value\", …}, or omit it if there are no config vars.",
        )),
    }
}

/// Requires that all config vars are strings.
pub(crate) fn config_must_be_strings(response: &Response) -> Verdict {
    let config = config(response)?;
    match config.iter().find(|(_, value)| !value.is_string()) {
        None => Ok(()),
        Some((name, _)) => Err(response.fault(
            format!("The value of {name} is not a string."),
            "Send every value as a JSON string, including numbers and flags, and omit config vars without a value.",
        )),
    }
}

/// Requires that the manifest lists all config vars.
pub(crate) fn config_must_be_listed(config_vars: &[String], response: &Response) -> Verdict {
    let config = config(response)?;
    match config.keys().find(|name| !config_vars.contains(name)) {
        None => Ok(()),
        Some(name) => Err(response.fault(
            format!("The response sets {name}, which is not listed in the manifest's api.config_vars."),
            format!(
                "Add {name} to api.config_vars and push the manifest, or do not send it: Heroku rejects the response."
            ),
        )),
    }
}

/// Requires a JSON content type.
pub(crate) fn must_have_json_type(response: &Response) -> Verdict {
    match response.header("content-type") {
        Some(name) if is_json_type(name) => Ok(()),
        Some(name) => Err(response.fault(
            format!("The content type of the response is {name}."),
            "Send Content-Type: application/json; some tools do not parse the body otherwise.",
        )),
        None => Err(response.fault("The response has no content type.", "Send Content-Type: application/json.")),
    }
}

pub(crate) fn is_json_type(name: &str) -> bool {
    let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    name == "application/json" || (name.starts_with("application/") && name.ends_with("+json"))
}

/// Requires an id that can be part of a path.
pub(crate) fn must_have_an_id(response: &Response) -> Verdict {
    let body = response.object()?;
    let advice = "Send an id that later requests can use.";
    match body.get("id") {
        Some(Value::String(id)) if !id.is_empty() => Ok(()),
        Some(Value::Number(id)) if id.is_i64() || id.is_u64() => Ok(()),
        Some(Value::String(_)) => Err(response.fault("The id is empty.", advice)),
        Some(other) => {
            Err(response.fault(format!("The id is {other}, which is neither a string nor an integer."), advice))
        }
        None => Err(response.fault("The response has no id.", advice)),
    }
}

/// Requires a refusal with a message for the customer.
pub(crate) fn must_be_refused_with_message(response: &Response) -> Verdict {
    let advice = "Answer 422 with {\"message\": \"…\"}: this is the only refusal whose message the customer sees.";
    response.must_be(&[422], advice)?;
    match response.object()?.get("message") {
        Some(Value::String(message)) if !message.trim().is_empty() => Ok(()),
        _ => Err(response.fault("The 422 has no message, so the customer does not see a reason.", advice)),
    }
}

#[cfg(test)]
mod tests {
    use super::is_json_type;

    #[test]
    fn json_content_types_are_recognized() {
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
