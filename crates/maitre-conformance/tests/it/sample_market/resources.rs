//! Provision, plan change and deprovision of the sample add-on.

use axum::http::HeaderValue;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::fault::Fault;
use super::store::Resource;
use super::{Call, DELAY, SampleMarket, answer, status};

const PLANS: [&str; 3] = ["test", "basic", "premium"];

/// A provision whose fields are valid.
struct Order {
    key: String,
    app: String,
    plan: String,
}

/// Releases a reserved name, also if the caller hangs up.
struct Busy<'a>(&'a SampleMarket, String);

impl<'a> Busy<'a> {
    /// Reserves a name. Returns `None` if it is reserved.
    fn reserve(addon: &'a SampleMarket, name: &str) -> Option<Self> {
        addon.store().busy.insert(name.to_owned()).then(|| Self(addon, name.to_owned()))
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.store().busy.remove(&self.1);
    }
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name).and_then(Value::as_str).map(ToOwned::to_owned)
}

fn validate(addon: &SampleMarket, fields: &Map<String, Value>) -> Result<Order, Box<Response>> {
    let names = addon.names();
    let refuse = |code, reason: &str| Box::new(addon.refusal(code, reason));
    let is_wrong = |name: &str, is_right: fn(&Value) -> bool| fields.get(name).is_some_and(|value| !is_right(value));
    for (name, is_right, fault) in [
        (names.plan, Value::is_string as fn(&Value) -> bool, Fault::PlanTypeIs500),
        (names.key, Value::is_string, Fault::KeyTypeIs500),
        (names.parameters, |value| value.is_object() || value.is_null(), Fault::ParametersTypeIs500),
    ] {
        if is_wrong(name, is_right) {
            return Err(if addon.is(fault) {
                Box::new(status(500))
            } else {
                refuse(400, "A field has the wrong type.")
            });
        }
    }
    if addon.is(Fault::RefusesDocumentedField) && fields.contains_key(names.documented) {
        return Err(refuse(422, "A field is not supported."));
    }
    if addon.is(Fault::RequiresOptionalField) && !fields.contains_key(names.optional) {
        return Err(refuse(422, "A field is missing."));
    }
    if addon.is(Fault::DeniesUnknownFields) && fields.contains_key("zone") {
        return Err(refuse(400, "A field is unknown."));
    }
    let is_complete = text(fields, names.required).is_some_and(|value| !value.is_empty());
    if !is_complete && !addon.is(Fault::KeyOptional) {
        return Err(refuse(400, "A required field is missing."));
    }
    let plan = match text(fields, names.plan) {
        Some(plan) => plan,
        None if addon.is(Fault::PlanOptional) => "basic".to_owned(),
        None => return Err(refuse(422, "The plan is missing.")),
    };
    if !PLANS.contains(&plan.as_str()) {
        return Err(if addon.is(Fault::RefusalWithoutReason) {
            Box::new(status(422))
        } else {
            refuse(422, "No such plan.")
        });
    }
    let app = text(fields, "app_id").unwrap_or_default();
    let key = text(fields, names.key).unwrap_or_default();
    let key = if key.is_empty() && addon.is(Fault::AppIsKey) { format!("{app}-{plan}") } else { key };
    Ok(Order { key, app, plan })
}

pub(super) async fn provision(addon: &SampleMarket, call: &Call) -> Response {
    if addon.is(Fault::ExactContentType)
        && call.headers.get("content-type").is_some_and(|value| value != "application/json")
    {
        return addon.refusal(415, "The content type is not application/json.");
    }
    let order = match addon.object(call, true).and_then(|fields| validate(addon, &fields)) {
        Ok(order) => order,
        Err(refusal) => return *refusal,
    };
    if addon.is(Fault::ProvisionIs500) {
        return status(500);
    }
    if addon.is(Fault::SuspensionStopsProvisions) && addon.store().resources.iter().any(|it| it.is_suspended) {
        return addon.refusal(422, "The account is suspended.");
    }
    let mut reserved = None;
    if addon.is(Fault::OneProvisionAtATime) {
        reserved = Busy::reserve(addon, "provision");
        if reserved.is_none() {
            return status(500);
        }
        sleep(DELAY).await;
    }
    if addon.is(Fault::LostResponseIsStuck) {
        if !addon.store().busy.insert(order.key.clone()) {
            return status(500);
        }
        sleep(5 * DELAY).await;
        addon.store().busy.remove(&order.key);
    }
    let known = addon.store().find(&order.key).cloned().filter(|_| !order.key.is_empty());
    let is_new = |known: &Resource| {
        addon.is(Fault::SecondResource) || (addon.is(Fault::OtherPlanIsNew) && known.plan != order.plan)
    };
    let resource = match known {
        Some(known) if !is_new(&known) => known,
        _ => {
            if addon.is(Fault::CheckThenInsert) {
                sleep(DELAY).await;
            }
            insert(addon, &order)
        }
    };
    drop(reserved);
    provisioned(addon, &resource)
}

fn insert(addon: &SampleMarket, order: &Order) -> Resource {
    let mut store = addon.store();
    store.created += 1;
    let number = store.created;
    let is_repeated = store.find(&order.key).is_some();
    let has_own_ids = addon.is(Fault::CheckThenInsert) || (is_repeated && !order.key.is_empty());
    let id = match addon.fault {
        Fault::OneIdForAll => "the-one".to_owned(),
        Fault::NumericId => number.to_string(),
        Fault::LongId => format!("{}-{number}", "a".repeat(300)),
        _ if has_own_ids || order.key.is_empty() => format!("own-{number}"),
        _ => order.key.clone(),
    };
    let resource = Resource {
        key: order.key.clone(),
        id,
        app: order.app.clone(),
        plan: order.plan.clone(),
        secret: number,
        is_changed: false,
        is_suspended: false,
    };
    store.resources.push(resource.clone());
    resource
}

fn provisioned(addon: &SampleMarket, resource: &Resource) -> Response {
    if addon.is(Fault::TextBody) {
        return "OK".into_response();
    }
    let secret = if addon.is(Fault::NewConfig) {
        let mut store = addon.store();
        store.created += 1;
        store.created
    } else {
        resource.secret
    };
    let mut body = json!({
        "id": resource.id,
        "config": { "TALLY_URL": "https://tally.example", "TALLY_TOKEN": format!("{}-{secret}", resource.app) },
        "message": "Tally counts.",
    });
    match addon.fault {
        Fault::NumericId => body["id"] = resource.id.parse::<u64>().unwrap_or_default().into(),
        Fault::NumericConfig => body["config"]["TALLY_URL"] = 7.into(),
        Fault::UnlistedConfig => body["config"]["OTHER_URL"] = "https://other.example".into(),
        Fault::MessageIsAnObject => body["message"] = json!({ "en": "Tally counts." }),
        _ => {}
    }
    let mut response = answer(if addon.is(Fault::StatusIs201) { 201 } else { 200 }, &body);
    if addon.is(Fault::TextType) {
        response.headers_mut().insert("content-type", HeaderValue::from_static("text/plain"));
    }
    response
}

pub(super) async fn plan_change(addon: &SampleMarket, name: &str, call: &Call) -> Response {
    let fields = match addon.object(call, false) {
        Ok(fields) => fields,
        Err(refusal) => return *refusal,
    };
    if addon.is(Fault::PlanChangeIs500) {
        return status(500);
    }
    if addon.is(Fault::ChangeDeniesUnknownFields) && fields.len() > 1 {
        return addon.refusal(400, "A field is unknown.");
    }
    if addon.is(Fault::NotFoundLater) {
        return status(404);
    }
    if addon.store().find(name).is_none() {
        let is_removed = addon.store().removed.contains(name);
        return match addon.fault {
            Fault::ChangeOfUnknownIs422 => addon.refusal(422, "Unknown."),
            Fault::ChangeOfRemovedSucceeds if is_removed => changed(addon),
            Fault::SendsThePassword => addon.refusal(404, "Unknown"),
            _ => status(404),
        };
    }
    let plan = match text(&fields, addon.names().plan) {
        Some(plan) => plan,
        None if addon.is(Fault::ChangeWithoutPlan) => return changed(addon),
        None => return addon.refusal(422, "The plan is missing."),
    };
    if !PLANS.contains(&plan.as_str()) {
        return if addon.is(Fault::ChangeRefusalWithoutReason) {
            status(422)
        } else {
            addon.refusal(422, "No such plan.")
        };
    }
    let reserved = Busy::reserve(addon, name);
    if addon.is(Fault::ConcurrentChangesAre500) {
        if reserved.is_none() {
            return status(500);
        }
        sleep(DELAY).await;
    }
    let mut store = addon.store();
    let Some(resource) = store.find(name) else { return status(404) };
    if addon.is(Fault::SamePlanIs422) && resource.plan == plan {
        return addon.refusal(422, "The resource has this plan.");
    }
    resource.plan = plan;
    resource.is_changed = true;
    drop(store);
    drop(reserved);
    changed(addon)
}

fn changed(addon: &SampleMarket) -> Response {
    let message = if addon.is(Fault::ChangeMessageIsANumber) { json!(7) } else { json!("The plan is changed.") };
    answer(200, &json!({ "message": message }))
}

pub(super) async fn deprovision(addon: &SampleMarket, name: &str, call: &Call) -> Response {
    if addon.is(Fault::DeprovisionIs500) {
        return status(500);
    }
    if addon.is(Fault::DeprovisionWithBodyIs400) && !call.body.is_empty() {
        return status(400);
    }
    let found = addon.store().find(name).cloned();
    let Some(resource) = found else {
        let is_removed = addon.store().removed.contains(name);
        return status(match addon.fault {
            Fault::RepeatedDeprovisionIs500 if is_removed => 500,
            Fault::UnknownDeprovisionIs500 if !is_removed => 500,
            _ if is_removed && addon.is_scalingo() => 204,
            _ => 404,
        });
    };
    if (addon.is(Fault::ChangedStays) && resource.is_changed)
        || (addon.is(Fault::SuspendedStays) && resource.is_suspended)
    {
        return status(500);
    }
    if addon.is(Fault::ConcurrentDeletesAre500) {
        let reserved = Busy::reserve(addon, name);
        if reserved.is_none() {
            return status(500);
        }
        sleep(DELAY).await;
    }
    let mut store = addon.store();
    store.remove(name);
    if addon.is(Fault::DeletesAll) {
        let all: Vec<_> = store.resources.iter().map(|resource| resource.id.clone()).collect();
        for id in &all {
            store.remove(id);
        }
    }
    status(204)
}
