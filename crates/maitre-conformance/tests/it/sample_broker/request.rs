//! The body and the query of a request to the sample broker.

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::catalog::{BASIC, PREMIUM, SERVICE, VERSION};
use super::reply::{code, error, status};
use super::{Call, Fault, SampleBroker};

/// Parses the body of a `PUT` or `PATCH`, and checks the types of its fields.
pub(super) fn body_of(broker: &SampleBroker, call: &Call) -> Result<Map<String, Value>, Response> {
    let kind = call.header("content-type").unwrap_or("application/json");
    if broker.is(Fault::CharsetIs415) && kind.contains(';') {
        return Err(error(415, "Send JSON."));
    }
    if broker.is(Fault::OtherTypeIs500) && !kind.starts_with("application/json") {
        return Err(status(500));
    }
    let body: Value = match serde_json::from_slice(&call.body) {
        Ok(body) => body,
        Err(_) if broker.is(Fault::EmptyBodyIs500) && call.body.is_empty() => return Err(status(500)),
        Err(_) if broker.is(Fault::NoJsonIs500) && call.body.len() < 10 && !call.body.is_empty() => {
            return Err(status(500));
        }
        Err(_) if broker.is(Fault::DeepNestingIs500) && call.body.len() > 1_000 => return Err(status(500)),
        Err(_) => return Err(error(400, "The body is not JSON.")),
    };
    let Value::Object(body) = body else {
        return Err(if broker.is(Fault::ListIs500) { status(500) } else { error(400, "The body is not an object.") });
    };
    if broker.is(Fault::ContextMustBeAnObject) && body.get("context").is_some_and(|it| !it.is_object()) {
        return Err(status(500));
    }
    if body.get("previous_values").is_some_and(|it| !it.is_object()) && broker.is(Fault::PreviousValuesMustBeAnObject) {
        return Err(status(500));
    }
    let is_unknown = |name: &String| name.starts_with("x_");
    let denies = match broker.fault {
        Fault::UnknownFieldIs400 => call.method == "PUT" && !body.contains_key("bind_resource"),
        Fault::UnknownFieldOfUpdateIs400 => call.method == "PATCH",
        Fault::UnknownFieldOfBindIs400 => body.contains_key("bind_resource"),
        _ => false,
    };
    if denies && body.keys().any(is_unknown) {
        return Err(error(400, "The body has an unknown field."));
    }
    if body.get("parameters").is_some_and(|it| !it.is_object() && !it.is_null()) && !broker.is(Fault::AnyParameters) {
        return Err(error(400, "parameters is not an object."));
    }
    let version = match body.get("maintenance_info") {
        Some(info) if broker.is(Fault::EmptyMaintenanceInfoIs400) && info == &json!({}) => {
            return Err(error(400, "maintenance_info has no version."));
        }
        Some(info) => info["version"].as_str(),
        None => None,
    };
    let declared = broker.style.maintenance.then_some(VERSION);
    let is_checked = match broker.fault {
        Fault::AnyMaintenanceVersion => false,
        Fault::AnyMaintenanceVersionOfUpdates => call.method != "PATCH",
        Fault::UndeclaredVersionIsAccepted => declared.is_some(),
        _ => true,
    };
    match version {
        Some(_) if broker.is(Fault::MaintenanceAlwaysConflicts) && call.method == "PUT" => {
            Err(code("MaintenanceInfoConflict"))
        }
        Some(version) if is_checked && declared != Some(version) => match broker.fault {
            Fault::MaintenanceConflictIs409 => Err(error(409, "The version has changed.")),
            _ => Err(code("MaintenanceInfoConflict")),
        },
        _ => Ok(body),
    }
}

/// Requires ids of the catalog.
pub(super) fn ids_of(
    broker: &SampleBroker,
    body: &Map<String, Value>,
    of_bind: bool,
) -> Result<(String, String), Response> {
    let required = |name: &str, known: &[&str]| {
        let is_lax = |fault: Fault, bind_fault: Fault| broker.is(if of_bind { bind_fault } else { fault });
        let lax = match name {
            "service_id" => is_lax(Fault::NoServiceNeeded, Fault::NoServiceNeededToBind),
            _ => is_lax(Fault::NoPlanNeeded, Fault::NoPlanNeededToBind),
        };
        match body.get(name) {
            None if lax => Ok(known[0].to_owned()),
            None => Err(error(400, &format!("{name} is missing."))),
            Some(Value::String(id)) if id.is_empty() && broker.is(Fault::EmptyIdIs500) => Err(status(500)),
            Some(Value::String(id)) if known.contains(&id.as_str()) => Ok(id.clone()),
            Some(Value::String(id)) if !id.is_empty() && broker.is(Fault::AnyService) && name == "service_id" => {
                Ok(id.clone())
            }
            Some(Value::String(id)) if !id.is_empty() && broker.is(Fault::AnyPlan) && name == "plan_id" => {
                Ok(id.clone())
            }
            Some(Value::Object(_)) if broker.is(Fault::PlanTypeIs500) => Err(status(500)),
            Some(_) => Err(error(400, &format!("{name} is not in the catalog."))),
        }
    };
    Ok((required("service_id", &[SERVICE])?, required("plan_id", &[BASIC, PREMIUM])?))
}

/// Requires `service_id` and `plan_id` in the query of a DELETE.
pub(super) fn has_hints(broker: &SampleBroker, call: &Call, lax: [Fault; 2]) -> Result<(), Response> {
    for (name, fault) in ["service_id", "plan_id"].into_iter().zip(lax) {
        if call.query(name).is_none_or(str::is_empty) && !broker.is(fault) {
            return Err(error(400, &format!("{name} is missing.")));
        }
    }
    Ok(())
}
