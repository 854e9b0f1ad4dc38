//! Bindings of the sample broker.

use axum::response::Response;
use serde_json::{Value, json};

use super::instances::accepted;
use super::reply::{answer, code, error, status};
use super::request::{body_of, has_hints, ids_of};
use super::store::{Binding, Store};
use super::{Call, DELAY, Fault, SampleBroker};

pub(super) async fn bind(broker: &SampleBroker, call: &Call, id: &str, binding: &str) -> Response {
    match bind_or_refuse(broker, call, id, binding).await {
        Ok(response) | Err(response) => response,
    }
}

async fn bind_or_refuse(broker: &SampleBroker, call: &Call, id: &str, binding: &str) -> Result<Response, Response> {
    if !broker.style.bindable && !broker.is(Fault::BindsUndeclared) {
        return Err(error(404, "There is nothing here."));
    }
    let is_odd = binding.contains(|c: char| !c.is_ascii_alphanumeric() && !"-._~".contains(c));
    if is_odd && broker.is(Fault::OddBindingIdIs500) {
        return Err(status(500));
    }
    if broker.is(Fault::BindIs500) {
        return Err(status(500));
    }
    let key = (id.to_owned(), binding.to_owned());
    if broker.is(Fault::BindsBeforeValidating) && !String::from_utf8_lossy(&call.body).contains("plan_id") {
        insert(broker, &mut broker.store(), &key, Value::Null);
    }
    let body = body_of(broker, call)?;
    if broker.is(Fault::EmptyBindResourceIs400) && body.get("bind_resource") == Some(&json!({})) {
        return Err(error(400, "bind_resource has no app_guid."));
    }
    ids_of(broker, &body, true)?;
    let app = body.get("bind_resource").map(|it| it["app_guid"].clone()).filter(|it| !it.is_null());
    let app = app.or_else(|| body.get("app_guid").cloned());
    if app.is_none() {
        match broker.fault {
            Fault::NoAppIs400 => return Err(error(400, "app_guid is missing.")),
            _ if broker.style.requires_app => return Err(code("RequiresApp")),
            _ => {}
        }
    }
    let mut attributes = json!({ "app": app, "parameters": body.get("parameters") });
    match broker.fault {
        Fault::BindIgnoresParameters => attributes["parameters"] = Value::Null,
        Fault::BindIgnoresApp => attributes["app"] = Value::Null,
        _ => {}
    }
    {
        let mut store = broker.store();
        store.settle();
        let was_there = store.gone.contains(&(id.to_owned(), String::new()));
        match store.instances.get(id) {
            Some(instance) if instance.creation.is_running() || instance.deletion.is_some() => {
                return Err(code("ConcurrencyError"));
            }
            Some(_) => {}
            None if broker.is(Fault::BindsUnknown) && !was_there => {}
            None if broker.is(Fault::BindsDeleted) && was_there => {}
            None => return Err(error(404, "The instance does not exist.")),
        }
    }
    if let Some(reply) = existing(broker, &key, &attributes)? {
        return Ok(reply);
    }
    if broker.style.asynchronous && !call.accepts_incomplete() && !broker.is(Fault::BindIgnoresAccepts) {
        return Err(code("AsyncRequired"));
    }
    let lock = match broker.fault {
        Fault::BindRace => Some(binding.to_owned()),
        Fault::OneBindAtATime => Some(id.to_owned()),
        _ => None,
    };
    if let Some(lock) = lock {
        let first = broker.store().busy.insert(lock.clone());
        if !first && broker.is(Fault::OneBindAtATime) {
            return Err(status(500));
        }
        tokio::time::sleep(DELAY / 3).await;
        broker.store().busy.remove(&lock);
    }
    if broker.is(Fault::LosesBinds) {
        let broker = broker.clone();
        let work = tokio::spawn(async move {
            tokio::time::sleep(DELAY / 3).await;
            insert(&broker, &mut broker.store(), &key, attributes)
        });
        return Ok(work.await.unwrap());
    }
    create(broker, &key, attributes)
}

/// Answers a bind of a known id.
fn existing(broker: &SampleBroker, key: &(String, String), attributes: &Value) -> Result<Option<Response>, Response> {
    known(broker, &mut broker.store(), key, attributes)
}

fn known(
    broker: &SampleBroker,
    store: &mut Store,
    key: &(String, String),
    attributes: &Value,
) -> Result<Option<Response>, Response> {
    let next = store.next();
    let Some(binding) = store.bindings.get_mut(key) else { return Ok(None) };
    if binding.deletion.is_some() {
        return Err(code("ConcurrencyError"));
    }
    if &binding.attributes != attributes {
        return Err(error(409, "The binding exists with other attributes."));
    }
    match broker.fault {
        Fault::RepeatedBindIs409 => return Err(error(409, "The binding exists.")),
        Fault::NewCredentials => binding.credentials = json!({ "token": format!("lt_{next}") }),
        Fault::NewBindOperation => binding.creation.operation = format!("op-{next}"),
        _ => {}
    }
    let status = match (binding.creation.is_running(), broker.style.repeats_201) {
        (true, _) => 202,
        (false, true) => 201,
        (false, false) => 200,
    };
    Ok(Some(bound(broker, binding, status)))
}

/// Creates the binding unless another request has created it in the meantime.
fn create(broker: &SampleBroker, key: &(String, String), attributes: Value) -> Result<Response, Response> {
    let mut store = broker.store();
    if !broker.is(Fault::BindRace)
        && let Some(reply) = known(broker, &mut store, key, &attributes)?
    {
        return Ok(reply);
    }
    Ok(insert(broker, &mut store, key, attributes))
}

fn insert(broker: &SampleBroker, store: &mut Store, key: &(String, String), attributes: Value) -> Response {
    let creation = store.pending(broker.style.asynchronous);
    let token = if broker.is(Fault::SameCredentials) { "lt_same".to_owned() } else { format!("lt_{}", store.next()) };
    let credentials = json!({ "uri": format!("https://u:{token}@tally.example"), "token": token });
    let binding = Binding { attributes, credentials, creation, deletion: None };
    let response = bound(broker, &binding, if broker.style.asynchronous { 202 } else { 201 });
    store.gone.remove(key);
    store.bindings.insert(key.clone(), binding);
    response
}

fn bound(broker: &SampleBroker, binding: &Binding, status: u16) -> Response {
    if status == 202 {
        let mut body = json!({});
        if broker.style.names_operations {
            body["operation"] = binding.creation.operation.clone().into();
        }
        if broker.is(Fault::CredentialsInThe202) {
            body["credentials"] = binding.credentials.clone();
        }
        return answer(202, &body);
    }
    let mut body = json!({ "credentials": binding.credentials });
    if broker.style.extra_fields {
        body["x_vendor"] = json!({ "a": 1 });
        body["endpoints"] = json!([{ "host": "tally.example", "ports": ["443", "9000-9010"], "protocol": "tcp" }]);
    }
    match broker.fault {
        Fault::BindIs200 => return answer(200, &body),
        Fault::NoCredentialsField => body = json!({}),
        Fault::DrainWithoutPermission => body["syslog_drain_url"] = "syslog://tally.example".into(),
        Fault::PortsAreNumbers => body["endpoints"] = json!([{ "host": "tally.example", "ports": [443] }]),
        _ => {}
    }
    answer(status, &body)
}

pub(super) fn fetch(broker: &SampleBroker, id: &str, binding: &str) -> Response {
    let key = (id.to_owned(), binding.to_owned());
    let mut store = broker.store();
    store.settle();
    let by_id =
        store.bindings.keys().find(|(_, known)| known == binding && broker.is(Fault::BindingOfAnyInstance)).cloned();
    let key = by_id.unwrap_or(key);
    match store.bindings.get(&key) {
        Some(found) if found.creation.is_running() && !broker.is(Fault::FetchOfRunningBind) => {
            error(404, "The binding does not exist.")
        }
        Some(_) if broker.is(Fault::FetchOfBindingIs404) => error(404, "The binding does not exist."),
        Some(_) if broker.is(Fault::FetchOfBindingIsEmpty) => answer(200, &json!({})),
        Some(found) => answer(200, &json!({ "credentials": found.credentials })),
        None if broker.is(Fault::FetchOfUnknownBindingIs200) && !store.gone.contains(&key) => answer(200, &json!({})),
        None if broker.is(Fault::FetchOfUnboundIs410) && store.gone.contains(&key) => answer(410, &json!({})),
        None => error(404, "The binding does not exist."),
    }
}

pub(super) fn unbind(broker: &SampleBroker, call: &Call, id: &str, binding: &str) -> Response {
    unbind_or_refuse(broker, call, id, binding).unwrap_or_else(|refusal| refusal)
}

fn unbind_or_refuse(broker: &SampleBroker, call: &Call, id: &str, binding: &str) -> Result<Response, Response> {
    has_hints(broker, call, [Fault::UnbindNeedsNoService, Fault::UnbindNeedsNoPlan])?;
    let key = (id.to_owned(), binding.to_owned());
    let mut store = broker.store();
    store.settle();
    let pending = store.pending(broker.style.asynchronous);
    let has_instance = store.instances.contains_key(id);
    let was_there = store.gone.contains(&key);
    let Some(found) = store.bindings.get_mut(&key) else {
        return Err(match broker.fault {
            Fault::UnbindOfUnknownIs404 if has_instance && !was_there => error(404, "The binding does not exist."),
            Fault::UnbindOfUnknownInstanceIs404 if !has_instance => error(404, "The instance does not exist."),
            Fault::RepeatedUnbindIs200 if was_there => answer(200, &json!({})),
            _ => answer(410, &json!({})),
        });
    };
    if let Some(deletion) = &found.deletion {
        return Err(accepted(broker, &deletion.operation));
    }
    if broker.style.asynchronous {
        if !call.accepts_incomplete() {
            return Err(code("AsyncRequired"));
        }
        let operation = pending.operation.clone();
        found.deletion = Some(pending);
        return Ok(accepted(broker, &operation));
    }
    if broker.is(Fault::UnbindsAll) {
        let keys: Vec<_> = store.bindings.keys().filter(|(instance, _)| instance == id).cloned().collect();
        for key in keys {
            store.bindings.remove(&key);
            store.gone.insert(key);
        }
    }
    store.bindings.remove(&key);
    store.gone.insert(key);
    Ok(match broker.fault {
        Fault::UnbindIs204 => status(204),
        Fault::UnbindIsText => answer(200, &json!("OK")),
        Fault::UnbindIs202 => answer(202, &json!({})),
        _ => answer(200, &json!({})),
    })
}
