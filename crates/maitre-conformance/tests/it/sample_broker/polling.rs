//! State of the operations of the sample broker.

use axum::response::Response;
use serde_json::{Value, json};

use super::reply::{answer, error, status};
use super::{Call, Fault, SampleBroker};

fn state(broker: &SampleBroker, is_running: bool) -> Response {
    let mut body = json!({ "state": if is_running { "in progress" } else { "succeeded" }, "description": "Counting." });
    match broker.fault {
        Fault::StateInCapitals if is_running => body["state"] = "In Progress".into(),
        Fault::StateIsMissing if is_running => body["state"] = Value::Null,
        _ => {}
    }
    let mut response = answer(200, &body);
    if is_running && broker.style.extra_fields {
        response.headers_mut().insert("retry-after", "1".parse().unwrap());
    }
    if is_running && broker.is(Fault::RetryAfterIsADate) {
        response.headers_mut().insert("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT".parse().unwrap());
    }
    response
}

/// Returns the end of a DELETE.
fn gone(broker: &SampleBroker) -> Response {
    match broker.fault {
        Fault::DeleteEndsWith404 => error(404, "The instance does not exist."),
        _ if broker.style.ends_with_200 => answer(200, &json!({ "state": "succeeded" })),
        _ => answer(410, &json!({})),
    }
}

pub(super) fn instance(broker: &SampleBroker, call: &Call, id: &str) -> Response {
    if broker.is(Fault::PollNeedsHints) && call.query("service_id").is_none() {
        return error(400, "service_id is missing.");
    }
    let mut store = broker.store();
    store.settle();
    let Some(instance) = store.instances.get_mut(id) else {
        return match broker.fault {
            _ if store.gone.contains(&(id.to_owned(), String::new())) => gone(broker),
            Fault::PollOfUnknownIs200 => answer(200, &json!({ "state": "succeeded" })),
            _ => error(404, "The instance does not exist."),
        };
    };
    instance.polled();
    if !broker.style.asynchronous && broker.is(Fault::PollOfSynchronousIs500) {
        return status(500);
    }
    if broker.is(Fault::NeverSucceeds) && !instance.creation.is_running() && instance.deletion.is_none() {
        return answer(200, &json!({ "state": "failed" }));
    }
    let is_running = instance.creation.is_running() || instance.update.is_some() || instance.deletion.is_some();
    state(broker, is_running)
}

pub(super) fn binding(broker: &SampleBroker, id: &str, binding: &str) -> Response {
    let key = (id.to_owned(), binding.to_owned());
    let mut store = broker.store();
    store.settle();
    let is_gone = store.gone.contains(&key);
    match store.bindings.get_mut(&key) {
        Some(found) => {
            found.polled();
            let is_running = found.creation.is_running() || found.deletion.is_some();
            if broker.is(Fault::BindFails) && !is_running {
                return answer(200, &json!({ "state": "failed" }));
            }
            state(broker, is_running)
        }
        None if is_gone => gone(broker),
        None => error(404, "The binding does not exist."),
    }
}
