//! IBM Cloud's routes of the sample broker.

use axum::response::Response;
use serde_json::{Value, json};

use super::reply::{answer, error};
use super::{Call, Fault, SampleBroker};

pub(super) fn state(broker: &SampleBroker, id: &str) -> Response {
    let mut store = broker.store();
    store.settle();
    match store.instances.get(id) {
        Some(instance) => {
            let enabled = instance.enabled || broker.is(Fault::AlwaysEnabled);
            match broker.fault {
                Fault::StateWithoutActive => answer(200, &json!({ "enabled": enabled })),
                _ => answer(200, &json!({ "active": true, "enabled": enabled })),
            }
        }
        None if broker.is(Fault::StateOfUnknownIs200) => answer(200, &json!({ "active": false, "enabled": false })),
        None => error(404, "The instance does not exist."),
    }
}

pub(super) fn set_enabled(broker: &SampleBroker, call: &Call, id: &str) -> Response {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let mut store = broker.store();
    store.settle();
    let Some(instance) = store.instances.get_mut(id) else { return error(404, "The instance does not exist.") };
    let Some(enabled) = body["enabled"].as_bool() else { return error(400, "enabled is missing.") };
    if !enabled && !instance.enabled && broker.is(Fault::RepeatedDisableIs422) {
        return error(422, "The instance is disabled.");
    }
    instance.enabled = enabled && !broker.is(Fault::NeverEnabledAgain);
    answer(200, &json!({ "active": true, "enabled": enabled }))
}
