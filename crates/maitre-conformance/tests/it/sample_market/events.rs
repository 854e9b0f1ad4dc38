//! DigitalOcean's notifications and Scalingo's suspension, as the sample add-on answers them.

use axum::response::Response;
use serde_json::Value;

use super::fault::Fault;
use super::{Call, SampleMarket, status};

pub(super) fn notification(addon: &SampleMarket, call: &Call) -> Response {
    let malformed =
        || if addon.is(Fault::MalformedNotificationIs500) { status(500) } else { addon.refusal(400, "Malformed.") };
    let Ok(fields) = addon.object(call, false) else { return malformed() };
    let (Some(kind), Some(payload)) = (fields.get("type").and_then(Value::as_str), fields.get("payload")) else {
        return malformed();
    };
    let uuids =
        payload["resources_uuids"].as_array().map(|list| list.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    let uuids = match (kind, uuids) {
        ("resources.updated", _) => match payload["resource"]["uuid"].as_str() {
            Some(uuid) => vec![uuid],
            None => return malformed(),
        },
        ("resources.suspended" | "resources.reactivated" | "resources.deprovisioning.failed", Some(Some(uuids))) => {
            uuids
        }
        ("resources.suspended" | "resources.reactivated" | "resources.deprovisioning.failed", _) => return malformed(),
        _ => return if addon.is(Fault::UnknownTypeIs422) { addon.refusal(422, "Unknown type.") } else { status(204) },
    };
    match (kind, addon.fault) {
        ("resources.suspended", Fault::SuspendedIs500) | ("resources.updated", Fault::UpdatedIs500) => {
            return status(500);
        }
        ("resources.reactivated", Fault::ReactivatedIs422)
        | ("resources.deprovisioning.failed", Fault::FailedIs422) => {
            return addon.refusal(422, "Refused.");
        }
        (_, Fault::BatchIs500) if uuids.len() > 1 => return status(500),
        _ => {}
    }
    let mut is_unknown = false;
    for uuid in uuids {
        let mut store = addon.store();
        let Some(resource) = store.find(uuid) else {
            is_unknown = true;
            continue;
        };
        let is_suspension = kind == "resources.suspended";
        if addon.is(Fault::RepeatedNotificationIs409) && is_suspension && resource.is_suspended {
            return status(409);
        }
        if is_suspension || kind == "resources.reactivated" {
            resource.is_suspended = is_suspension;
        }
    }
    match is_unknown {
        true if addon.is(Fault::UnknownResourceIs500) => status(500),
        true => addon.refusal(422, "A resource is unknown."),
        false => status(204),
    }
}

pub(super) fn suspension(addon: &SampleMarket, name: &str, call: &Call, suspend: bool) -> Response {
    if addon.is(Fault::SuspendWithBodyIs400) && !call.body.is_empty() {
        return addon.refusal(400, "A body is not allowed.");
    }
    let mut store = addon.store();
    let Some(resource) = store.find(name) else {
        drop(store);
        return if addon.is(Fault::SuspendsUnknown) { status(204) } else { addon.refusal(404, "Unknown.") };
    };
    let is_repeated = resource.is_suspended == suspend;
    resource.is_suspended = suspend;
    drop(store);
    status(match addon.fault {
        Fault::SuspendIs200 if suspend => 200,
        Fault::ResumeIs200 if !suspend => 200,
        Fault::RepeatedSuspensionIs409 if suspend && is_repeated => 409,
        Fault::RepeatedResumptionIs409 if !suspend && is_repeated => 409,
        _ => 204,
    })
}
