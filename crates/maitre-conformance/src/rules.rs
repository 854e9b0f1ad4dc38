//! Rules as pure functions of a response.

use std::time::Duration;

use maitre_core::manifest::is_loopback;
use serde_json::{Map, Value};

use crate::url;

/// The parts of a response that the rules inspect.
#[derive(Debug, Clone, Copy)]
pub struct ResponseParts<'a> {
    pub(crate) status: u16,
    content_type: Option<&'a str>,
    body: &'a [u8],
    /// Description of the request, for the message about a wrong status.
    request: Option<&'a str>,
}

/// Violation of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) advice: String,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { message: message.into(), advice: advice.into() }
    }
}

type Rule = Result<(), Problem>;

/// Size of all names and values of an app's config vars: 32 kB, in bytes.
const MAX_CONFIG: usize = 32 * 1024;

/// Heroku asks for a response within this time, and gives up after 25 s.
const PROMPT: Duration = Duration::from_secs(3);

const REFUSAL: &str = "Answer 422 with {\"message\": \"…\"}: this is the only refusal whose message the customer sees.";

const REPLAY: &str = "Put a unique constraint on the uuid, and answer a repeated provision from the stored response: the \
                      same id, config and message as the first time.";

impl<'a> ResponseParts<'a> {
    /// Creates the parts from a status, a content type and a body.
    #[must_use]
    pub fn new(status: u16, content_type: Option<&'a str>, body: &'a [u8]) -> Self {
        Self { status, content_type, body, request: None }
    }

    pub(crate) fn to(self, request: Option<&'a str>) -> Self {
        Self { request, ..self }
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the body as JSON, if it is valid JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body).ok()
    }

    /// Returns the `id` of the body, if it is text or a number.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        self.json().and_then(|body| id_text(&body["id"]))
    }

    pub(crate) fn wrong_status(&self, expected: &str, advice: impl Into<String>) -> Problem {
        let status = self.status;
        let message = match self.request {
            Some(request) => format!("The add-on answers {status} to {request}; expected {expected}."),
            None => format!("The add-on answers {status}; expected {expected}."),
        };
        Problem::new(message, advice)
    }
}

/// Returns an id as text; ids are strings or integers.
pub(crate) fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Requires a body that is a JSON object.
pub(crate) fn object(response: &ResponseParts<'_>) -> Result<Map<String, Value>, Problem> {
    match serde_json::from_slice(response.body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Problem::new(
            "The body is JSON but not an object.",
            "Answer with a JSON object: {\"id\": …, \"config\": {…}, \"message\": …}.",
        )),
        Err(error) => Err(Problem::new(
            format!("The body is not valid JSON: {error}."),
            "Answer with a JSON object and nothing before or after it.",
        )),
    }
}

/// Requires a JSON content type.
pub(crate) fn has_json_type(response: &ResponseParts<'_>) -> Rule {
    match response.content_type {
        Some(name) if is_json_type(name) => Ok(()),
        Some(name) => Err(Problem::new(
            format!("The content type of the response is {name}."),
            "Send Content-Type: application/json; some tools do not parse the body otherwise.",
        )),
        None => Err(Problem::new("The response has no content type.", "Send Content-Type: application/json.")),
    }
}

fn is_json_type(name: &str) -> bool {
    let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    name == "application/json" || (name.starts_with("application/") && name.ends_with("+json"))
}

/// Requires 200, 201 or 202.
pub(crate) fn provision_succeeded(response: &ResponseParts<'_>) -> Rule {
    let advice = match response.status {
        200..=202 => return Ok(()),
        401 | 403 => "Compare the credentials with the manifest's: see heroku.auth.right-credentials.",
        404 | 405 => "Check the manifest's base_url and your routes: provisions are posted to exactly this URL.",
        300..=399 => "Answer at this URL: Heroku does not follow redirects of a POST.",
        400 | 406 | 415 | 422 => {
            "This is the request that Heroku sends, and all its fields are documented. Ignore the fields that you do not \
             need."
        }
        500.. => "Look in the add-on's log for the error behind this response.",
        _ => "Answer 200 with id, config and message, or 202 if your add-on is registered for it.",
    };
    Err(response.wrong_status("200 (or 202)", advice))
}

/// Requires an id that can be part of a path.
pub(crate) fn has_id(response: &ResponseParts<'_>) -> Rule {
    let body = object(response)?;
    let advice = "Send an id that later requests can use.";
    match body.get("id") {
        Some(Value::String(id)) if !id.is_empty() => Ok(()),
        Some(Value::Number(id)) if id.is_i64() || id.is_u64() => Ok(()),
        Some(Value::String(_)) => Err(Problem::new("The id is empty.", advice)),
        Some(other) => {
            Err(Problem::new(format!("The id is {other}, which is neither a string nor an integer."), advice))
        }
        None => Err(Problem::new("The response has no id.", advice)),
    }
}

/// Requires a message that is a string, if there is one.
pub(crate) fn message_is_string(response: &ResponseParts<'_>) -> Rule {
    match object(response)?.get("message") {
        None | Some(Value::String(_) | Value::Null) => Ok(()),
        Some(_) => Err(Problem::new("The message is not a string.", "Send one sentence as a JSON string.")),
    }
}

/// Requires the URL that logs are sent to.
pub(crate) fn has_log_drain_url(response: &ResponseParts<'_>) -> Rule {
    let body = object(response)?;
    let url = body.get("log_drain_url").or_else(|| body.get("syslog_drain_url")).and_then(Value::as_str);
    let advice = "Send log_drain_url with the URL that receives the app's logs, preferably https.";
    match url {
        Some(url) if url.starts_with("https://") || url.starts_with("syslog://") => Ok(()),
        Some(_) => Err(Problem::new("log_drain_url begins neither with https:// nor with syslog://.", advice)),
        None => Err(Problem::new("The manifest requires syslog_drain, but the response has no log_drain_url.", advice)),
    }
}

/// Requires a refusal with a message for the customer.
pub(crate) fn is_refused_with_message(response: &ResponseParts<'_>) -> Rule {
    if response.status != 422 {
        return Err(response.wrong_status("422", REFUSAL));
    }
    let to = response.request.map(|request| format!(" to {request}")).unwrap_or_default();
    let Ok(fields) = object(response) else {
        let body = if response.body.is_empty() { "no body" } else { "a body that is not a JSON object" };
        let message = format!("The 422{to} is right, but has {body}, so the customer does not see a reason.");
        return Err(Problem::new(message, REFUSAL));
    };
    let problem = match fields.get("message") {
        Some(Value::String(message)) if !message.trim().is_empty() => return Ok(()),
        Some(Value::String(_)) => "its message is empty".to_owned(),
        Some(Value::Null) => "its message is null".to_owned(),
        Some(_) => "its message is not a string".to_owned(),
        None => match ["error", "errors", "detail", "reason", "msg"].iter().find(|name| fields.contains_key(**name)) {
            Some(name) => format!("the reason is in the field {name}, which Heroku ignores, and not in message"),
            None => "it has no field message".to_owned(),
        },
    };
    let message = format!("The 422{to} is right, but {problem}, so the customer does not see a reason.");
    Err(Problem::new(message, REFUSAL))
}

/// Requires that an asynchronous provision sends its config vars later.
pub(crate) fn is_without_config(response: &ResponseParts<'_>) -> Rule {
    if !object(response)?.contains_key("config") {
        return Ok(());
    }
    Err(Problem::new(
        "The 202 has a config.",
        "Omit config, and set it by PATCH /addons/{uuid}/config when it is known: in a 202 it is deprecated.",
    ))
}

/// Requires a success, or a refusal with a message.
pub(crate) fn plan_change_answered(response: &ResponseParts<'_>) -> Rule {
    match response.status {
        200..=202 | 204 => Ok(()),
        422 => is_refused_with_message(response),
        404 | 410 => Err(response.wrong_status("200", "Find the resource by the id in the response to the provision.")),
        _ => Err(response.wrong_status(
            "200 (or 422 with a message)",
            "Answer 200 with the changed config and a message, both optional.",
        )),
    }
}

/// Requires a success.
pub(crate) fn deprovision_succeeded(response: &ResponseParts<'_>) -> Rule {
    let advice = match response.status {
        200..=299 => return Ok(()),
        404 | 405 | 410 => "Find the resource by the id in the response to the provision, and add a DELETE route.",
        400 | 411 | 415 | 422 => "A DELETE has neither a body nor a content type: require neither.",
        _ => "Look in the add-on's log. A deprovision must work in every state and without other services.",
    };
    Err(response.wrong_status("204", advice))
}

/// Requires 204.
pub(crate) fn deprovision_is_204(response: &ResponseParts<'_>) -> Rule {
    match response.status {
        202 => Err(Problem::new(
            "The add-on answers 202: the deprovision continues in the background.",
            "This is only correct for add-ons that Heroku has enabled for asynchronous deprovisioning.",
        )),
        200..=203 | 205..=299 => Err(Problem::new(
            format!("The add-on answers {}, as in version 1.", response.status),
            "No action is required; 204 without a body is the response of version 3.",
        )),
        _ => Ok(()),
    }
}

/// Requires 401.
pub(crate) fn is_unauthorized(response: &ResponseParts<'_>) -> Rule {
    if response.status == 401 {
        return Ok(());
    }
    let advice = "Compare user and password with the manifest's id and api.password before anything else, on every route \
                  except single sign-on, and answer 401 if they differ.";
    Err(response.wrong_status("401", advice))
}

/// Requires a response within the time that Heroku asks for.
pub(crate) fn is_prompt(duration: Duration) -> Rule {
    if duration <= PROMPT {
        return Ok(());
    }
    Err(Problem::new(
        format!("The response took {:.1} s.", duration.as_secs_f32()),
        "Answer 202 and complete later, if your add-on is registered for it; otherwise move slow work out of the request.",
    ))
}

/// Returns the response's config vars; empty if there are none.
pub(crate) fn config(response: &ResponseParts<'_>) -> Result<Map<String, Value>, Problem> {
    match object(response)?.remove("config") {
        None => Ok(Map::new()),
        Some(Value::Object(config)) => Ok(config),
        Some(_) => Err(Problem::new(
            "config is not an object.",
            "Send config as {\"NAME\": \"value\", …}, or omit it if there are no config vars.",
        )),
    }
}

/// Requires that all config vars are strings.
pub(crate) fn config_is_strings(response: &ResponseParts<'_>) -> Rule {
    let config = config(response)?;
    match config.iter().find(|(_, value)| !value.is_string()) {
        None => Ok(()),
        Some((name, _)) => Err(Problem::new(
            format!("The value of {name} is not a string."),
            "Send every value as a JSON string, including numbers and flags, and omit config vars without a value.",
        )),
    }
}

/// Requires that names and values fit into the config of an app.
pub(crate) fn config_fits(response: &ResponseParts<'_>) -> Rule {
    let config = config(response)?;
    let length = |(name, value): (&String, &Value)| name.len() + value.as_str().map_or(0, str::len);
    let total: usize = config.iter().map(length).sum();
    if total <= MAX_CONFIG {
        return Ok(());
    }
    Err(Problem::new(
        format!("The config vars have {total} bytes; all config vars of an app may have {MAX_CONFIG}."),
        "Send an address and credentials, and let the app fetch the rest: the app's own config vars count, too.",
    ))
}

/// Requires that all config vars can be environment variables.
pub(crate) fn config_is_without_nul(response: &ResponseParts<'_>) -> Rule {
    let config = config(response)?;
    let has_nul = |(name, value): &(&String, &Value)| {
        name.contains('\0') || value.as_str().is_some_and(|value| value.contains('\0'))
    };
    match config.iter().find(has_nul) {
        None => Ok(()),
        Some((name, _)) => Err(Problem::new(
            format!("{name:?} or its value contains U+0000, which no environment variable can hold."),
            "Encode binary values, such as in base64.",
        )),
    }
}

/// Requires that no config var whose name ends with `_URL` points at the add-on's own machine.
pub(crate) fn config_has_public_urls(response: &ResponseParts<'_>) -> Rule {
    let config = config(response)?;
    let is_local = |value: &str| {
        url::split(value).is_some_and(|parts| {
            let host = parts.host().to_ascii_lowercase();
            is_loopback(&host) || host.ends_with(".localhost") || host == "0.0.0.0"
        })
    };
    let mut texts = config.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    match texts.find(|(name, value)| name.ends_with("_URL") && is_local(value)) {
        None => Ok(()),
        Some((name, _)) => Err(Problem::new(
            format!("The value of {name} points at localhost, which is the customer's own dyno there."),
            "Send the public host of the service: set it in the add-on's configuration for this environment.",
        )),
    }
}

/// Requires that the manifest lists all config vars.
pub(crate) fn config_is_listed(config_vars: &[String], response: &ResponseParts<'_>) -> Rule {
    let config = config(response)?;
    match config.keys().find(|name| !config_vars.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Problem::new(
            format!("The response sets {name}, which is not listed in the manifest's api.config_vars."),
            format!(
                "Add {name} to api.config_vars and push the manifest, or do not send it: Heroku rejects the response."
            ),
        )),
    }
}

/// Requires a valid URL in each config var whose name ends with `_URL`.
pub(crate) fn config_has_valid_urls(response: &ResponseParts<'_>) -> Rule {
    let config = config(response)?;
    let mut texts = config.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    match texts.find(|(name, value)| name.ends_with("_URL") && !url::has_scheme_and_host(value)) {
        None => Ok(()),
        Some((name, _)) => Err(Problem::new(
            format!("The value of {name} is not a URL with scheme and host."),
            "Send the complete URL, or choose a name that does not end with _URL.",
        )),
    }
}

/// Requires that a repeated provision succeeds with the id of the first one.
pub(crate) fn is_same_resource(first_id: &str, response: &ResponseParts<'_>) -> Rule {
    if !response.is_success() {
        return Err(response.wrong_status("the success of the first time", REPLAY));
    }
    has_same_id(first_id, response)
}

/// Requires the id of the first provision.
pub(crate) fn has_same_id(first_id: &str, response: &ResponseParts<'_>) -> Rule {
    match response.id() {
        Some(id) if id == first_id => Ok(()),
        Some(id) => Err(Problem::new(
            format!("The first response had the id {first_id} and this one has {id}: there are two resources now."),
            REPLAY,
        )),
        None => Err(Problem::new("The repeated response has no id.", REPLAY)),
    }
}

/// Requires the config vars of the first provision.
pub(crate) fn has_same_config(first: &ResponseParts<'_>, response: &ResponseParts<'_>) -> Rule {
    let (before, after) = (config(first)?, config(response)?);
    let changed = before.keys().chain(after.keys()).find(|name| before.get(*name) != after.get(*name));
    match changed {
        None => Ok(()),
        Some(name) => Err(Problem::new(
            format!("{name} differs from the first response: the add-on created something a second time."),
            REPLAY,
        )),
    }
}

/// Requires the message of the first provision.
pub(crate) fn has_same_message(first: &ResponseParts<'_>, response: &ResponseParts<'_>) -> Rule {
    if object(first)?.get("message") == object(response)?.get("message") {
        return Ok(());
    }
    Err(Problem::new("The message differs from the first response.", REPLAY))
}

/// Requires that a repeated provision succeeds.
pub(crate) fn repeated_succeeds(response: &ResponseParts<'_>) -> Rule {
    if response.is_success() { Ok(()) } else { Err(response.wrong_status("a success", REPLAY)) }
}

/// Requires that a provision is refused after the deprovision of its resource.
pub(crate) fn stays_deprovisioned(response: &ResponseParts<'_>) -> Rule {
    let advice = "Keep the uuids of deprovisioned resources, and answer 410: a resource created by a late retry would \
                  never be deprovisioned.";
    match response.status {
        400..=499 => Ok(()),
        200..=299 => Err(response.wrong_status("410", advice)),
        _ => Err(response.wrong_status("a client error (4xx)", advice)),
    }
}

/// Requires that a used sign-on form is refused.
pub(crate) fn form_is_used_once(response: &ResponseParts<'_>) -> Rule {
    if (400..500).contains(&response.status) {
        return Ok(());
    }
    let advice = "Store used tokens until they expire, and answer 403 when one is used again.";
    Err(response.wrong_status("403", advice))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_422_without_a_reason_names_what_is_missing() {
        for (body, problem) in [
            ("", "The 422 to an unknown plan is right, but has no body,"),
            ("Unknown plan", "has a body that is not a JSON object,"),
            ("[]", "has a body that is not a JSON object,"),
            ("{}", "it has no field message,"),
            (
                r#"{"error":"Unknown plan"}"#,
                "the reason is in the field error, which Heroku ignores, and not in message,",
            ),
            (r#"{"message":" "}"#, "its message is empty,"),
            (r#"{"message":null}"#, "its message is null,"),
            (r#"{"message":["Unknown plan"]}"#, "its message is not a string,"),
        ] {
            let response = ResponseParts::new(422, None, body.as_bytes()).to(Some("an unknown plan"));
            let found = is_refused_with_message(&response).unwrap_err();
            assert!(found.message.contains(problem), "{body}: {}", found.message);
            assert!(found.advice.contains("{\"message\": \"…\"}"), "{}", found.advice);
        }
    }

    #[test]
    fn the_size_of_config_vars_is_the_sum_of_names_and_values() {
        let body = |length: usize| format!(r#"{{"config":{{"A_URL":"","A_B":"{}"}}}}"#, "x".repeat(length));
        let fits = |length| config_fits(&ResponseParts::new(200, None, body(length).as_bytes())).is_ok();
        assert!(fits(MAX_CONFIG - 8) && !fits(MAX_CONFIG - 7));
    }

    #[test]
    fn local_urls_are_recognized() {
        let is_public = |url: &str| {
            let body = format!(r#"{{"config":{{"A_URL":"{url}"}}}}"#);
            config_has_public_urls(&ResponseParts::new(200, None, body.as_bytes())).is_ok()
        };
        for url in [
            "http://localhost:1/a",
            "postgres://u:p@127.0.0.1/x",
            "redis://[::1]:6379",
            "https://a.LOCALHOST",
            "amqp://0.0.0.0",
        ] {
            assert!(!is_public(url), "{url}");
        }
        for url in ["https://localhost.example", "postgres://localhost:pw@db.example/localhost", "text"] {
            assert!(is_public(url), "{url}");
        }
    }
}
