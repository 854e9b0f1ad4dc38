//! Plan changes and deprovisions.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{DELAY, Fault, Resource, SampleAddon, answer, internal_error, read, refusal};

pub(super) async fn plan_change(addon: SampleAddon, id: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if addon.is(Fault::ResourceBeforePassword) && resource(&addon, id).is_none() {
        return refusal(404, "Resource not found.");
    }
    if let Some(refusal) = addon.refuses_unless(&parts.headers, addon.is(Fault::AnyUserOnPlanChange))
        && !addon.is(Fault::PlanChangeIsOpen)
    {
        return refusal;
    }
    let Ok(bytes) = read(&addon, body).await else { return refusal(400, "Invalid body.") };
    let change: Value = match serde_json::from_slice(&bytes) {
        Ok(change) => change,
        Err(_) if addon.is(Fault::OddPlanChangeIs500) => return internal_error(),
        Err(error) => return refusal(400, &format!("The plan change is not JSON: {error}.")),
    };
    let Some(plan) = change["plan"].as_str() else { return refusal(400, "The plan is missing.") };
    let name = change["uuid"].as_str().filter(|_| addon.is(Fault::ByBody)).unwrap_or(id);
    let Some(resource) = resource(&addon, name) else { return unknown(&addon, id) };
    if resource.removed {
        return if addon.is(Fault::RemovedPlanChangeIsDone) {
            answer(200, &json!({}))
        } else {
            refusal(410, "The resource was deprovisioned.")
        };
    }
    if let Some(refusal) = validate(&addon, &resource, plan, &change) {
        return refusal;
    }
    change_plan(&addon, resource, plan).await
}

fn resource(addon: &SampleAddon, name: &str) -> Option<Resource> {
    if addon.is(Fault::OnlyDecimalIds) && !name.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    addon.store().find(name).cloned()
}

fn unknown(addon: &SampleAddon, id: &str) -> Response {
    match addon.fault {
        Fault::UnknownPlanChangeIsDone => answer(200, &json!({})),
        Fault::UnknownPlanChangeIs500 => internal_error(),
        Fault::UnknownPlanChangeIs422 => refusal(422, "Resource not found."),
        Fault::EarlyPlanChangeSticks => {
            addon.store().early.insert(id.to_owned());
            refusal(404, "Resource not found.")
        }
        _ => refusal(404, "Resource not found."),
    }
}

fn validate(addon: &SampleAddon, resource: &Resource, plan: &str, change: &Value) -> Option<Response> {
    let known = |name: &String| ["plan", "uuid", "heroku_id"].contains(&name.as_str());
    let known = change.as_object().is_some_and(|fields| fields.keys().all(known));
    let same = resource.plan == plan;
    match addon.fault {
        Fault::PlanChangeIs500 => Some(internal_error()),
        Fault::PlanChangeIs503 => Some(refusal(503, "Please try again later.")),
        Fault::PlanChangeIs400 if !same => Some(refusal(400, "The plan cannot be changed.")),
        Fault::KnownFieldsOfPlanChange if !known => Some(refusal(400, "Unknown field.")),
        Fault::SamePlanIsRefused if same => Some(refusal(422, "The resource already has this plan.")),
        Fault::SameChangeIsConflict if resource.last_change.as_deref() == Some(plan) => {
            Some(refusal(409, "The plan was already changed."))
        }
        Fault::NoWayBack if !same && resource.last_change.is_some() => Some(internal_error()),
        _ if matches!(plan, "basic" | "premium") => None,
        Fault::UnknownPlanIs500 => Some(internal_error()),
        Fault::RefusedChangeRemoves => {
            addon.store().remove(&resource.id);
            Some(refusal(422, "Unknown plan."))
        }
        _ => Some(refusal(422, "Unknown plan: choose basic or premium.")),
    }
}

async fn change_plan(addon: &SampleAddon, mut resource: Resource, plan: &str) -> Response {
    match addon.fault {
        Fault::StuckPlanChange => {
            if !addon.store().busy.insert(resource.id.clone()) {
                return refusal(409, "A plan change is in progress.");
            }
            tokio::time::sleep(5 * DELAY).await;
            addon.store().busy.remove(&resource.id);
        }
        Fault::PlanChangeRevives => tokio::time::sleep(2 * DELAY).await,
        _ => {}
    }
    let mut store = addon.store();
    let Some(stored) = store.find(&resource.uuid) else { return unknown(addon, &resource.id) };
    if stored.removed && !addon.is(Fault::PlanChangeRevives) {
        return refusal(410, "The resource was deprovisioned.");
    }
    plan.clone_into(&mut resource.plan);
    resource.last_change = Some(plan.to_owned());
    *stored = resource.clone();
    drop(store);
    let mut body =
        json!({ "message": format!("The plan is now {plan}."), "config": super::provision::config(&resource) });
    match addon.fault {
        Fault::PlanChangeIsText => return "OK".into_response(),
        Fault::PlanChangeChangesId => body["id"] = addon.unique().into(),
        Fault::UnlistedAfterPlanChange => body["config"]["LANTERN_COLOR"] = "green".into(),
        _ => {}
    }
    answer(200, &body)
}

pub(super) async fn deprovision(addon: SampleAddon, id: &str, request: Request) -> Response {
    if addon.is(Fault::DeprovisionsBeforePassword) {
        addon.store().remove(id);
    }
    if let Some(refusal) = addon.refuses_unless(request.headers(), addon.is(Fault::AnyUserOnDeprovision))
        && !addon.is(Fault::DeprovisionIsOpen)
    {
        return refusal;
    }
    if addon.is(Fault::DeprovisionNeedsType) && !request.headers().contains_key("content-type") {
        return refusal(415, "The content type is not JSON.");
    }
    if addon.is(Fault::RemovalCollides) && addon.store().busy.contains(id) {
        return internal_error();
    }
    let Some(resource) = resource(&addon, id) else {
        if addon.is(Fault::DeprovisionFirstIs500) {
            addon.store().early.insert(id.to_owned());
        }
        let status = if addon.is(Fault::UnknownDeprovisionIs422) { 422 } else { 404 };
        return refusal(status, "Resource not found.");
    };
    let has_duplicates = matches!(addon.fault, Fault::SecondResource | Fault::OtherPlanIsAnother | Fault::Resurrects);
    if resource.removed && !has_duplicates {
        return if addon.is(Fault::SecondDeprovisionIs500) {
            internal_error()
        } else {
            refusal(410, "The resource was deprovisioned.")
        };
    }
    match addon.fault {
        Fault::RemovalWaits if !resource.done => return refusal(409, "The provision is in progress."),
        Fault::DeprovisionIs500 => return internal_error(),
        Fault::ChangedStays if resource.plan != resource.provisioned_plan => return internal_error(),
        Fault::PlanChangeRevives => tokio::time::sleep(DELAY).await,
        Fault::DeprovisionsCollide => {
            tokio::time::sleep(DELAY / 2).await;
            if addon.store().find(id).is_some_and(|resource| resource.removed) {
                return internal_error();
            }
        }
        Fault::StuckDeprovision => {
            if !addon.store().busy.insert(resource.id.clone()) {
                return internal_error();
            }
            tokio::time::sleep(5 * DELAY).await;
            addon.store().busy.remove(&resource.id);
        }
        Fault::RemovesAll => addon.store().resources.iter_mut().for_each(|resource| resource.removed = true),
        _ => {}
    }
    if addon.is(Fault::RowPerPost) && resource.rows > 1 {
        if let Some(stored) = addon.store().find(id) {
            stored.rows -= 1;
        }
        return StatusCode::NO_CONTENT.into_response();
    }
    addon.store().remove(id);
    if addon.is(Fault::ReusesIds) {
        addon.store().resources.retain(|resource| !resource.removed);
    }
    if addon.is(Fault::DeprovisionIs200) { answer(200, &json!({})) } else { StatusCode::NO_CONTENT.into_response() }
}
