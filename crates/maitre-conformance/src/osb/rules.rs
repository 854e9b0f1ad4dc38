//! Rules of the Open Service Broker API as functions of a response.

use serde_json::{Map, Value};

use crate::response::Response;
use crate::verdict::{Stop, Verdict};

/// Statuses of a successful `PUT`.
pub(super) const DONE: &[u16] = &[200, 201, 202];

/// Advice for a response without a JSON object.
const OBJECT: &str = "Answer with a JSON object, at least {}: platforms read a success without one as a failure.";

/// Requires a body that is a JSON object.
pub(super) fn object(response: &Response) -> Result<Map<String, Value>, Stop> {
    match serde_json::from_slice(response.body()) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(response.fault("The body is JSON but not an object.", OBJECT)),
        Err(error) => Err(response.fault(format!("The body is not valid JSON: {error}."), OBJECT)),
    }
}

/// Requires a client error with a body that is valid by the section "Service Broker Errors".
pub(super) fn error(response: &Response) -> Result<Map<String, Value>, Stop> {
    let advice =
        "Answer errors with {\"description\": \"…\"}, and with an error code only where the specification names one.";
    let Ok(Value::Object(fields)) = serde_json::from_slice(response.body()) else {
        return Err(response.fault("The body of the error is not a JSON object.", advice));
    };
    for name in ["error", "description"] {
        match fields.get(name) {
            None => {}
            Some(Value::String(text)) if !text.is_empty() => {}
            Some(_) => {
                return Err(response.fault(format!("The field {name} of the error is not a non-empty string."), advice));
            }
        }
    }
    Ok(fields)
}

/// Requires 422 with this error code.
pub(super) fn has_code(response: &Response, code: &str, when: &str) -> Verdict {
    let advice = format!("Answer 422 with {{\"error\": \"{code}\", \"description\": \"…\"}} {when}.");
    response.must_be(&[422], &advice)?;
    let found = response.json().map(|body| body["error"].clone()).unwrap_or_default();
    if found == code {
        return Ok(());
    }
    Err(response.fault(format!("The 422 is right, but its error is {found} and not {code:?}."), advice))
}

/// Requires one of the two replies to a request that may not be accepted asynchronously.
pub(super) fn is_synchronous(response: &Response, success: &[u16]) -> Verdict {
    if success.contains(&response.status()) {
        return Ok(());
    }
    has_code(response, "AsyncRequired", "if the operation is asynchronous and accepts_incomplete is not true")
}

/// Requires an operation of at most 10,000 characters, or none.
pub(super) fn has_valid_operation(response: &Response) -> Result<Option<String>, Stop> {
    let advice =
        "Send operation as a string of at most 10,000 characters, or omit it: the platform sends it with every poll.";
    match object(response)?.get("operation") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => {
            Err(response.fault("The operation is an empty string.", advice))
        }
        Some(Value::String(text)) if text.chars().count() > 10_000 => {
            Err(response.fault(format!("The operation has {} characters.", text.chars().count()), advice))
        }
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(response.fault("The operation is not a string.", advice)),
    }
}

/// Requires a `dashboard_url` that is a URL, null or absent.
pub(super) fn has_valid_dashboard_url(response: &Response) -> Verdict {
    let advice = "Send dashboard_url as an absolute URL, or omit it.";
    match object(response)?.get("dashboard_url") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(url)) if crate::url::has_scheme_and_host(url) => Ok(()),
        Some(Value::String(_)) => Err(response.fault("dashboard_url is not a URL with scheme and host.", advice)),
        Some(_) => Err(response.fault("dashboard_url is neither a string nor null.", advice)),
    }
}

/// Requires that a malformed request is refused with 400.
pub(super) fn is_bad_request(response: &Response, advice: &str) -> Verdict {
    response.must_be(&[400], advice).map(drop)
}

/// Requires anything but a server error.
pub(super) fn is_handled(response: &Response) -> Verdict {
    if response.is_server_error() {
        let advice =
            "Answer 400 with a description, or ignore the value if the field is not used: no input may cause a 5xx.";
        return Err(response.wrong_status("a success or a client error (4xx)", advice));
    }
    Ok(())
}
