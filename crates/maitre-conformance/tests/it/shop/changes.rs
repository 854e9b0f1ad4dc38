//! Plan changes and deprovisions.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{A_WHILE, Fault, Lamp, Shop, answer, oops, read, told};

pub(super) async fn plan_change(shop: Shop, id: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if shop.is(Fault::ResourceBeforePassword) && lamp(&shop, id).is_none() {
        return told(404, "There is no such lamp.");
    }
    if let Some(refusal) = shop.refuses(&parts.headers)
        && !shop.is(Fault::PlanChangeIsOpen)
    {
        return refusal;
    }
    let Ok(bytes) = read(&shop, body).await else { return told(400, "The body cannot be read.") };
    let change: Value = match serde_json::from_slice(&bytes) {
        Ok(change) => change,
        Err(_) if shop.is(Fault::OddPlanChangeIs500) => return oops(),
        Err(error) => return told(400, &format!("The plan change is no JSON: {error}.")),
    };
    let Some(plan) = change["plan"].as_str() else { return told(400, "There is no plan.") };
    let name = change["uuid"].as_str().filter(|_| shop.is(Fault::ByBody)).unwrap_or(id);
    let Some(lamp) = lamp(&shop, name) else { return unknown(&shop, id) };
    if lamp.removed {
        return if shop.is(Fault::RemovedPlanChangeIsDone) {
            answer(200, &json!({}))
        } else {
            told(410, "It was removed.")
        };
    }
    if let Some(refusal) = wrong_with(&shop, &lamp, plan, &change) {
        return refusal;
    }
    change_plan(&shop, lamp, plan).await
}

fn lamp(shop: &Shop, name: &str) -> Option<Lamp> {
    if shop.is(Fault::DigitsAlone) && !name.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    shop.stock().find(name).cloned()
}

fn unknown(shop: &Shop, id: &str) -> Response {
    match shop.fault {
        Fault::UnknownPlanChangeIsDone => answer(200, &json!({})),
        Fault::UnknownPlanChangeIs500 => oops(),
        Fault::UnknownPlanChangeIs422 => told(422, "There is no such lamp."),
        Fault::EarlyPlanChangeSticks => {
            shop.stock().early.insert(id.to_owned());
            told(404, "There is no such lamp.")
        }
        _ => told(404, "There is no such lamp."),
    }
}

fn wrong_with(shop: &Shop, lamp: &Lamp, plan: &str, change: &Value) -> Option<Response> {
    let known = |name: &String| ["plan", "uuid", "heroku_id"].contains(&name.as_str());
    let known = change.as_object().is_some_and(|fields| fields.keys().all(known));
    let same = lamp.plan == plan;
    match shop.fault {
        Fault::PlanChangeIs500 => Some(oops()),
        Fault::PlanChangeIs400 if !same => Some(told(400, "This cannot be changed.")),
        Fault::KnownFieldsOfPlanChange if !known => Some(told(400, "What is this?")),
        Fault::SamePlanIsRefused if same => Some(told(422, "It has this plan.")),
        Fault::SameChangeIsConflict if lamp.last_change.as_deref() == Some(plan) => Some(told(409, "It was changed.")),
        Fault::NoWayBack if !same && lamp.last_change.is_some() => Some(oops()),
        _ if matches!(plan, "basic" | "premium") => None,
        Fault::UnknownPlanIs500 => Some(oops()),
        Fault::RefusedChangeRemoves => {
            shop.stock().remove(&lamp.id);
            Some(told(422, "There is no such plan."))
        }
        _ => Some(told(422, "There is no such plan: choose basic or premium.")),
    }
}

async fn change_plan(shop: &Shop, mut lamp: Lamp, plan: &str) -> Response {
    match shop.fault {
        Fault::StuckPlanChange => {
            if !shop.stock().busy.insert(lamp.id.clone()) {
                return told(409, "It is being changed.");
            }
            tokio::time::sleep(5 * A_WHILE).await;
            shop.stock().busy.remove(&lamp.id);
        }
        Fault::PlanChangeRevives => tokio::time::sleep(2 * A_WHILE).await,
        _ => {}
    }
    let mut stock = shop.stock();
    let Some(there) = stock.find(&lamp.uuid) else { return unknown(shop, &lamp.id) };
    if there.removed && !shop.is(Fault::PlanChangeRevives) {
        return told(410, "It was removed.");
    }
    plan.clone_into(&mut lamp.plan);
    lamp.last_change = Some(plan.to_owned());
    *there = lamp.clone();
    drop(stock);
    let mut body = json!({ "message": format!("It burns {plan} now."), "config": super::orders::config(&lamp) });
    match shop.fault {
        Fault::PlanChangeIsText => return "OK".into_response(),
        Fault::PlanChangeChangesId => body["id"] = shop.draw().into(),
        Fault::UnlistedAfterPlanChange => body["config"]["LANTERN_COLOUR"] = "green".into(),
        _ => {}
    }
    answer(200, &body)
}

pub(super) async fn deprovision(shop: Shop, id: &str, request: Request) -> Response {
    if shop.is(Fault::RemovesBeforePassword) {
        shop.stock().remove(id);
    }
    if let Some(refusal) = shop.refuses(request.headers())
        && !shop.is(Fault::DeprovisionIsOpen)
    {
        return refusal;
    }
    if shop.is(Fault::DeprovisionNeedsType) && !request.headers().contains_key("content-type") {
        return told(415, "This is no JSON.");
    }
    if shop.is(Fault::RemovalCollides) && shop.stock().busy.contains(id) {
        return oops();
    }
    let Some(lamp) = lamp(&shop, id) else {
        if shop.is(Fault::DeprovisionFirstIs500) {
            shop.stock().early.insert(id.to_owned());
        }
        let status = if shop.is(Fault::UnknownDeprovisionIs422) { 422 } else { 404 };
        return told(status, "There is no such lamp.");
    };
    let several = matches!(shop.fault, Fault::SecondResource | Fault::OtherPlanIsAnother | Fault::Resurrects);
    if lamp.removed && !several {
        return if shop.is(Fault::SecondDeprovisionIs500) { oops() } else { told(410, "It was removed.") };
    }
    match shop.fault {
        Fault::RemovalWaits if !lamp.done => return told(409, "It is being made."),
        Fault::DeprovisionIs500 => return oops(),
        Fault::ChangedStays if lamp.plan != lamp.ordered_plan => return oops(),
        Fault::PlanChangeRevives => tokio::time::sleep(A_WHILE).await,
        Fault::DeprovisionsCollide => {
            tokio::time::sleep(A_WHILE / 2).await;
            if shop.stock().find(id).is_some_and(|lamp| lamp.removed) {
                return oops();
            }
        }
        Fault::StuckDeprovision => {
            if !shop.stock().busy.insert(lamp.id.clone()) {
                return oops();
            }
            tokio::time::sleep(5 * A_WHILE).await;
            shop.stock().busy.remove(&lamp.id);
        }
        Fault::RemovesAll => shop.stock().lamps.iter_mut().for_each(|lamp| lamp.removed = true),
        _ => {}
    }
    shop.stock().remove(id);
    if shop.is(Fault::DeprovisionIs200) { answer(200, &json!({})) } else { StatusCode::NO_CONTENT.into_response() }
}
