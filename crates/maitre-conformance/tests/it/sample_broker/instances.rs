//! Instances of the sample broker.

use axum::response::Response;
use serde_json::{Value, json};

use super::catalog::{BASIC, PREMIUM, SERVICE};
use super::reply::{answer, code, error, status};
use super::request::{body_of, has_hints, ids_of};
use super::store::{Instance, Store};
use super::{Call, DELAY, Fault, SampleBroker};

pub(super) async fn provision(broker: &SampleBroker, call: &Call, id: &str) -> Response {
    match provision_or_refuse(broker, call, id).await {
        Ok(response) | Err(response) => response,
    }
}

async fn provision_or_refuse(broker: &SampleBroker, call: &Call, id: &str) -> Result<Response, Response> {
    odd_id(broker, id)?;
    if broker.is(Fault::ProvisionIs500) {
        return Err(status(500));
    }
    if broker.is(Fault::CreatesBeforeValidating) && !String::from_utf8_lossy(&call.body).contains("plan_id") {
        let _ = insert(broker, &mut broker.store(), id, json!({}), BASIC);
    }
    let body = body_of(broker, call)?;
    let (service, plan) = ids_of(broker, &body, false)?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let has_space = text("organization_guid").is_some() && text("space_guid").is_some();
    if broker.style.strict && !has_space && !broker.is(Fault::SpaceOptional) {
        return Err(error(400, "organization_guid and space_guid are required."));
    }
    match (body.get("context"), broker.fault) {
        (None, Fault::ContextNeeded) => return Err(error(400, "context is missing.")),
        (Some(context), Fault::OnlyCloudFoundry) if context["platform"] == "kubernetes" => {
            return Err(error(400, "Only Cloud Foundry is supported."));
        }
        _ => {}
    }
    let mut attributes = json!({ "service": service, "plan": plan });
    if !broker.is(Fault::IgnoresParameters) {
        attributes["parameters"] = body.get("parameters").cloned().unwrap_or_default();
    }
    if !broker.is(Fault::IgnoresSpace) {
        attributes["space"] = json!([body.get("organization_guid"), body.get("space_guid")]);
    }
    if broker.is(Fault::IgnoresPlan) {
        attributes["plan"] = Value::Null;
    }
    if let Some(reply) = existing(broker, id, &attributes)? {
        return Ok(reply);
    }
    if broker.style.asynchronous && !may_wait(broker, call, Fault::ProvisionIgnoresAccepts) {
        return Err(match broker.fault {
            Fault::AsyncRequiredWithoutCode => error(422, "Send accepts_incomplete=true."),
            _ => code("AsyncRequired"),
        });
    }
    if broker.is(Fault::Resurrected500) && broker.store().gone.contains(&(id.to_owned(), String::new())) {
        return Err(status(500));
    }
    if matches!(broker.fault, Fault::NoConstraint | Fault::PlanRace | Fault::SharedLock | Fault::DuplicateIs500) {
        let key = if broker.is(Fault::SharedLock) { "all" } else { id };
        let first = broker.store().busy.insert(key.to_owned());
        if !first && matches!(broker.fault, Fault::SharedLock | Fault::DuplicateIs500) {
            return Err(status(500));
        }
        // releases the id also if the caller hangs up
        let (releasing, key) = (broker.clone(), key.to_owned());
        let work = tokio::spawn(async move {
            tokio::time::sleep(DELAY / 2).await;
            releasing.store().busy.remove(&key);
        });
        work.await.unwrap();
        if broker.is(Fault::PlanRace) && !first {
            return Ok(answer(200, &json!({})));
        }
    }
    if broker.is(Fault::LosesTrack) {
        let broker = broker.clone();
        let (id, plan) = (id.to_owned(), plan.clone());
        let work = tokio::spawn(async move {
            tokio::time::sleep(DELAY / 3).await;
            insert(&broker, &mut broker.store(), &id, attributes, &plan)
        });
        return Ok(work.await.unwrap());
    }
    create(broker, id, attributes, &plan)
}

/// Returns the faults of ids with unusual characters.
fn odd_id(broker: &SampleBroker, id: &str) -> Result<(), Response> {
    let is_500 = match broker.fault {
        Fault::OddIdIs500 => id.contains(|c: char| !c.is_ascii_alphanumeric() && !"-._~".contains(c)),
        Fault::LongIdIs500 => id.len() > 255,
        Fault::NulIs500 => id.contains('\0'),
        _ => false,
    };
    if is_500 { Err(status(500)) } else { Ok(()) }
}

fn may_wait(broker: &SampleBroker, call: &Call, ignores: Fault) -> bool {
    let any_value = broker.is(Fault::AnyValueAccepts) && call.query("accepts_incomplete").is_some();
    call.accepts_incomplete() || broker.is(ignores) || any_value
}

/// Answers a provision of a known id.
fn existing(broker: &SampleBroker, id: &str, attributes: &Value) -> Result<Option<Response>, Response> {
    known(broker, &mut broker.store(), id, attributes)
}

fn known(broker: &SampleBroker, store: &mut Store, id: &str, attributes: &Value) -> Result<Option<Response>, Response> {
    store.settle();
    let next = store.next();
    let Some(instance) = store.instances.get_mut(id) else { return Ok(None) };
    let is_running = instance.creation.is_running();
    if broker.is(Fault::NoConstraint) && attributes == &instance.attributes {
        return Ok(Some(accepted_or(broker, instance, is_running, 200, next)));
    }
    if instance.deletion.is_some() {
        return Err(code("ConcurrencyError"));
    }
    if attributes != &instance.attributes && !(is_running && broker.is(Fault::NoConflictWhileRunning)) {
        if broker.is(Fault::ConflictReplaces) {
            instance.attributes = attributes.clone();
        }
        return Err(match broker.fault {
            Fault::ConflictWithoutDescription => answer(409, &json!({})),
            Fault::ConflictWithTrace => answer(409, &json!({ "description": "Traceback (most recent call last)" })),
            _ => error(409, "The instance exists with other attributes."),
        });
    }
    match broker.fault {
        Fault::RepeatIs409 => Err(error(409, "The instance exists.")),
        Fault::RepeatIs201 => Ok(Some(created(broker, instance, 201))),
        Fault::RepeatHasOtherUrl => {
            Ok(Some(answer(200, &json!({ "dashboard_url": format!("https://tally.example/{next}") }))))
        }
        _ => {
            let status = if broker.style.repeats_201 { 201 } else { 200 };
            Ok(Some(accepted_or(broker, instance, is_running, status, next)))
        }
    }
}

fn accepted_or(broker: &SampleBroker, instance: &mut Instance, is_running: bool, status: u16, next: usize) -> Response {
    if is_running {
        if broker.is(Fault::RunningIs200) {
            return created(broker, instance, 200);
        }
        if broker.is(Fault::NewOperation) {
            instance.creation.operation = format!("op-{next}");
        }
        return created(broker, instance, 202);
    }
    created(broker, instance, status)
}

/// Creates the instance unless another request has created it in the meantime.
fn create(broker: &SampleBroker, id: &str, attributes: Value, plan: &str) -> Result<Response, Response> {
    let mut store = broker.store();
    if !broker.is(Fault::NoConstraint)
        && let Some(reply) = known(broker, &mut store, id, &attributes)?
    {
        return Ok(reply);
    }
    Ok(insert(broker, &mut store, id, attributes, plan))
}

fn insert(broker: &SampleBroker, store: &mut Store, id: &str, attributes: Value, plan: &str) -> Response {
    let creation = store.pending(broker.style.asynchronous);
    let plan = plan.to_owned();
    let number = store.next();
    let instance = Instance { number, attributes, plan, creation, update: None, deletion: None, enabled: true };
    store.created += 1;
    store.gone.remove(&(id.to_owned(), String::new()));
    let response = created(broker, &instance, if broker.style.asynchronous { 202 } else { 201 });
    store.instances.insert(id.to_owned(), instance);
    response
}

/// Returns the reply about an instance.
fn created(broker: &SampleBroker, instance: &Instance, status: u16) -> Response {
    let mut body = json!({ "dashboard_url": "https://tally.example/dashboard" });
    if broker.style.null_dashboard {
        body["dashboard_url"] = Value::Null;
    }
    if broker.style.extra_fields {
        body["x_vendor"] = json!([1, 2]);
        body["metadata"] = json!({ "labels": {} });
    }
    if status == 202 && broker.style.names_operations {
        body["operation"] = instance.creation.operation.clone().into();
    }
    match broker.fault {
        Fault::NewIs200 if status == 201 => return answer(200, &body),
        Fault::ProvisionIsText => {
            return axum::response::IntoResponse::into_response((
                axum::http::StatusCode::from_u16(status).unwrap(),
                "OK",
            ));
        }
        Fault::ProvisionHasNoType => {
            let mut response = answer(status, &body);
            response.headers_mut().remove("content-type");
            return response;
        }
        Fault::DashboardIsRelative => body["dashboard_url"] = "/dashboard".into(),
        Fault::DashboardIsLate if status == 202 => body["dashboard_url"] = Value::Null,
        Fault::OperationIsANumber if status == 202 => body["operation"] = 7.into(),
        Fault::OperationIsLong if status == 202 => body["operation"] = "o".repeat(10_001).into(),
        _ => {}
    }
    answer(status, &body)
}

pub(super) fn fetch(broker: &SampleBroker, call: &Call, id: &str) -> Response {
    let mut store = broker.store();
    store.settle();
    let Some(instance) = store.instances.get(id) else {
        let was_there = store.gone.contains(&(id.to_owned(), String::new()));
        return match broker.fault {
            Fault::FetchOfUnknownIs200 if !was_there => answer(200, &json!({})),
            Fault::FetchOfDeletedIs410 if was_there => answer(410, &json!({})),
            _ => error(404, "The instance does not exist."),
        };
    };
    if instance.creation.is_running() && !broker.is(Fault::FetchWhileRunning) {
        return error(404, "The instance does not exist.");
    }
    if instance.update.is_some() {
        return code("ConcurrencyError");
    }
    match broker.fault {
        Fault::FetchIs404 => return error(404, "The instance does not exist."),
        Fault::FetchNeedsHints if call.query("service_id").is_none() => return error(400, "service_id is missing."),
        _ => {}
    }
    let plan = if broker.is(Fault::FetchShowsFirstPlan) {
        instance.attributes["plan"].clone()
    } else {
        instance.plan.clone().into()
    };
    let plan = if broker.is(Fault::FetchShowsName) { "basic".into() } else { plan };
    answer(200, &json!({ "service_id": SERVICE, "plan_id": plan, "dashboard_url": "https://tally.example/dashboard" }))
}

pub(super) fn update(broker: &SampleBroker, call: &Call, id: &str) -> Response {
    update_or_refuse(broker, call, id).unwrap_or_else(|refusal| refusal)
}

fn update_or_refuse(broker: &SampleBroker, call: &Call, id: &str) -> Result<Response, Response> {
    let body = body_of(broker, call)?;
    if body.get("service_id").and_then(Value::as_str).is_none() && !broker.is(Fault::UpdateNeedsNoService) {
        return Err(error(400, "service_id is missing."));
    }
    if broker.is(Fault::PreviousPlanNeeded) && body.get("previous_values").is_none_or(|it| it["plan_id"].is_null()) {
        return Err(error(400, "previous_values.plan_id is missing."));
    }
    let mut store = broker.store();
    store.settle();
    let was_there = store.gone.contains(&(id.to_owned(), String::new()));
    let pending = store.pending(broker.style.asynchronous);
    let Some(instance) = store.instances.get_mut(id) else {
        return Err(match broker.fault {
            Fault::UpdateOfUnknownIs200 if !was_there => answer(200, &json!({})),
            Fault::UpdateOfDeletedIs200 if was_there => answer(200, &json!({})),
            _ => error(404, "The instance does not exist."),
        });
    };
    let plan = body.get("plan_id").and_then(Value::as_str);
    if plan.is_some_and(|plan| ![BASIC, PREMIUM].contains(&plan)) && !broker.is(Fault::UpdateToAnyPlan) {
        if broker.is(Fault::RefusedUpdateApplies) {
            PREMIUM.clone_into(&mut instance.plan);
        }
        return Err(error(400, "plan_id is not in the catalog."));
    }
    if !broker.style.updates && plan.is_some_and(|plan| plan != instance.plan) && !broker.is(Fault::UpdatesUndeclared) {
        return Err(error(422, "The plan cannot be changed."));
    }
    match broker.fault {
        Fault::UpdateIs500 => return Err(status(500)),
        Fault::SamePlanIs422 if plan == Some(&instance.plan) && plan == instance.attributes["plan"].as_str() => {
            return Err(error(422, "The instance has this plan."));
        }
        Fault::RepeatedUpdateIs422 if plan == Some(&instance.plan) && plan != instance.attributes["plan"].as_str() => {
            return Err(error(422, "The instance has this plan."));
        }
        Fault::UpdateIs409WhileRunning if instance.creation.is_running() => return Err(error(409, "Busy.")),
        _ => {}
    }
    let is_busy = instance.creation.is_running() || instance.update.is_some() || instance.deletion.is_some();
    if is_busy {
        return Err(if broker.is(Fault::BusyUpdateIs500) { status(500) } else { code("ConcurrencyError") });
    }
    let new = match plan {
        Some(plan) => plan.to_owned(),
        None if broker.is(Fault::NoPlanIsPremium) => PREMIUM.to_owned(),
        None => instance.plan.clone(),
    };
    if broker.style.asynchronous {
        if !may_wait(broker, call, Fault::UpdateIgnoresAccepts) {
            return Err(code("AsyncRequired"));
        }
        let operation = pending.operation.clone();
        instance.update = Some((pending, new));
        return Ok(answer(202, &json!({ "operation": operation })));
    }
    if !broker.is(Fault::UpdateIsNotStored) {
        instance.plan = new;
    }
    Ok(match broker.fault {
        Fault::UpdateIs204 => status(204),
        Fault::UpdateIsText => answer(200, &json!("OK")),
        Fault::UpdateIs202 => answer(202, &json!({})),
        _ => answer(200, &json!({})),
    })
}

pub(super) async fn deprovision(broker: &SampleBroker, call: &Call, id: &str) -> Response {
    if matches!(broker.fault, Fault::DeleteIsSlow | Fault::StuckDelete) {
        let key = format!("delete {id}");
        if !broker.store().busy.insert(key.clone()) {
            return status(500);
        }
        tokio::time::sleep(DELAY / 3).await;
        broker.store().busy.remove(&key); // never if the caller hangs up
    }
    deprovision_or_refuse(broker, call, id).unwrap_or_else(|refusal| refusal)
}

fn deprovision_or_refuse(broker: &SampleBroker, call: &Call, id: &str) -> Result<Response, Response> {
    odd_id(broker, id)?;
    if broker.is(Fault::RefusedDeleteDeletes) && call.query("plan_id").is_none() {
        broker.store().remove_instance(id);
    }
    has_hints(broker, call, [Fault::DeleteNeedsNoService, Fault::DeleteNeedsNoPlan])?;
    let mut store = broker.store();
    store.settle();
    let was_there = store.gone.contains(&(id.to_owned(), String::new()));
    let has_bindings = store.bindings.keys().any(|(instance, _)| instance == id);
    let pending = store.pending(broker.style.asynchronous);
    let Some(instance) = store.instances.get_mut(id) else {
        return Err(match broker.fault {
            Fault::DeleteOfUnknownIs404 if !was_there => error(404, "The instance does not exist."),
            Fault::DeleteOfUnknownIs200 if !was_there => answer(200, &json!({})),
            Fault::RepeatedDeleteIs404 if was_there => error(404, "The instance does not exist."),
            _ => answer(410, &json!({})),
        });
    };
    if let Some(deletion) = &instance.deletion {
        return Err(match broker.fault {
            Fault::RepeatedDeleteIsAnother => answer(202, &json!({ "operation": pending.operation })),
            _ => accepted(broker, &deletion.operation),
        });
    }
    if broker.is(Fault::DeleteIs500) {
        return Err(status(500));
    }
    if instance.creation.is_running() && (broker.style.one_at_a_time || broker.is(Fault::BusyDeleteIs500)) {
        return Err(if broker.is(Fault::BusyDeleteIs500) { status(500) } else { code("ConcurrencyError") });
    }
    if broker.is(Fault::DeleteNeedsFirstPlan) && call.query("plan_id") != instance.attributes["plan"].as_str() {
        return Err(error(400, "The instance has another plan."));
    }
    if has_bindings && broker.is(Fault::DeleteWithBindingsIs500) {
        return Err(status(500));
    }
    if !instance.enabled && broker.is(Fault::DisabledStays) {
        return Err(error(422, "The instance is disabled."));
    }
    if broker.style.asynchronous {
        if !may_wait(broker, call, Fault::DeleteIgnoresAccepts) {
            return Err(code("AsyncRequired"));
        }
        let operation = pending.operation.clone();
        instance.deletion = Some(pending);
        return Ok(accepted(broker, &operation));
    }
    if broker.is(Fault::DeletesNewest) {
        let newest = store.instances.iter().max_by_key(|(_, instance)| instance.number).map(|(id, _)| id.clone());
        if let Some(newest) = newest {
            store.remove_instance(&newest);
        }
    }
    store.remove_instance(id);
    Ok(match broker.fault {
        Fault::DeleteIs204 => status(204),
        Fault::DeleteIsText => answer(200, &json!("OK")),
        Fault::DeleteIs202 => answer(202, &json!({})),
        _ => answer(200, &json!({})),
    })
}

pub(super) fn accepted(broker: &SampleBroker, operation: &str) -> Response {
    answer(202, &if broker.style.names_operations { json!({ "operation": operation }) } else { json!({}) })
}
