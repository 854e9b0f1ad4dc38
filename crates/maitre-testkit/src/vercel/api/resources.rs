//! Resources, their secrets, and events.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    super::{
        shape::{Field, Kind},
        state::{Resource, State},
    },
    Answer, Problem, Success, check,
};

const STATUS: Kind = Kind::OneOf(&["ready", "pending", "onboarding", "suspended", "resumed", "uninstalled", "error"]);
const OWNERSHIP: Kind = Kind::OneOf(&["owned", "linked", "sandbox"]);

const SECRET: &[Field] = &[
    ("name", true, Kind::NonEmpty),
    ("value", true, Kind::NonEmpty),
    ("prefix", false, Kind::Text),
    ("environmentOverrides", false, Kind::Object(OVERRIDES)),
];
const OVERRIDES: &[Field] =
    &[("development", false, Kind::Text), ("preview", false, Kind::Text), ("production", false, Kind::Text)];
const SECRETS: &[Field] = &[("secrets", true, Kind::List(SECRET)), ("partial", false, Kind::Bool)];
const SECRETS_OF_UPDATE: Kind = Kind::Either(&Kind::List(SECRET), &Kind::Object(SECRETS));

const NOTIFICATION: &[Field] = &[
    ("level", true, Kind::OneOf(&["info", "warn", "error"])),
    ("title", true, Kind::NonEmpty),
    ("message", false, Kind::Text),
    ("href", false, Kind::Text),
];
const NOTIFICATION_OR_NULL: Kind = Kind::Nullable(&Kind::Object(NOTIFICATION));

const UPDATE: &[Field] = &[
    ("ownership", false, OWNERSHIP),
    ("name", false, Kind::NonEmpty),
    ("status", false, STATUS),
    ("metadata", false, Kind::Map),
    ("billingPlan", false, Kind::Map),
    ("notification", false, NOTIFICATION_OR_NULL),
    ("extras", false, Kind::Map),
    ("secrets", false, SECRETS_OF_UPDATE),
];

const IMPORT: &[Field] = &[
    ("productId", true, Kind::NonEmpty),
    ("name", true, Kind::NonEmpty),
    ("status", true, STATUS),
    ("ownership", false, OWNERSHIP),
    ("metadata", false, Kind::Map),
    ("billingPlan", false, Kind::Map),
    ("notification", false, NOTIFICATION_OR_NULL),
    ("extras", false, Kind::Map),
    ("secrets", false, SECRETS_OF_UPDATE),
];

const INSTALLATION: &[Field] = &[
    ("status", false, STATUS),
    ("externalId", false, Kind::NonEmpty),
    ("billingPlan", false, Kind::Map),
    ("notification", false, NOTIFICATION_OR_NULL),
];

const EVENT: &[Field] = &[("event", true, Kind::Map)];
const RESOURCE_UPDATED: &[Field] = &[
    ("type", true, Kind::OneOf(&["resource.updated"])),
    ("resourceId", true, Kind::NonEmpty),
    ("productId", false, Kind::NonEmpty),
];
const INSTALLATION_UPDATED: &[Field] =
    &[("type", true, Kind::OneOf(&["installation.updated"])), ("billingPlanId", false, Kind::NonEmpty)];

pub(super) fn update_installation(state: &mut State, installation: &str, body: &Value) -> Answer {
    check(body, INSTALLATION)?;
    merge(&mut state.installations.get_mut(installation).expect("authenticated").fields, body);
    Ok((204, Value::Null))
}

pub(super) fn list(state: &State, installation: &str) -> Success {
    let resources = state.installations[installation].resources.iter().map(|(id, resource)| {
        let mut shown = resource.fields.clone();
        shown["partnerId"] = json!(id);
        shown["internalId"] = json!(resource.internal_id);
        shown
    });
    (200, json!({ "resources": resources.collect::<Vec<_>>() }))
}

pub(super) fn read(state: &mut State, installation: &str, resource: &str) -> Answer {
    let found = find(state, installation, resource)?;
    let mut shown = found.fields.clone();
    shown["id"] = json!(resource);
    shown["internalId"] = json!(found.internal_id);
    Ok((200, shown))
}

pub(super) fn import(state: &mut State, installation: &str, resource: &str, body: &Value) -> Answer {
    check(body, IMPORT)?;
    let internal_id = state.next_id("ir_");
    let mut imported = Resource { internal_id, fields: json!({}), secrets: BTreeMap::new() };
    apply(&mut imported, body);
    let resources = &mut state.installations.get_mut(installation).expect("authenticated").resources;
    resources.insert(resource.to_owned(), imported);
    Ok((200, json!({ "name": body["name"] })))
}

pub(super) fn update(state: &mut State, installation: &str, resource: &str, body: &Value) -> Answer {
    check(body, UPDATE)?;
    let found = find(state, installation, resource)?;
    apply(found, body);
    Ok((200, json!({ "name": found.fields["name"] })))
}

pub(super) fn delete(state: &mut State, installation: &str, resource: &str) -> Answer {
    find(state, installation, resource)?;
    state.installations.get_mut(installation).expect("authenticated").resources.remove(resource);
    Ok((204, Value::Null))
}

pub(super) fn replace_secrets(state: &mut State, installation: &str, resource: &str, body: &Value) -> Answer {
    check(body, SECRETS)?;
    set_secrets(find(state, installation, resource)?, body);
    Ok((201, Value::Null))
}

pub(super) fn event(state: &mut State, installation: &str, body: &Value) -> Answer {
    check(body, EVENT)?;
    let event = &body["event"];
    if event["type"] == "installation.updated" {
        check(event, INSTALLATION_UPDATED)?;
    } else {
        check(event, RESOURCE_UPDATED)?;
        find(state, installation, event["resourceId"].as_str().unwrap_or_default())?;
    }
    state.installations.get_mut(installation).expect("authenticated").events.push(event.clone());
    Ok((201, Value::Null))
}

fn find<'a>(state: &'a mut State, installation: &str, resource: &str) -> Result<&'a mut Resource, Problem> {
    let resources = &mut state.installations.get_mut(installation).expect("authenticated").resources;
    resources.get_mut(resource).ok_or_else(|| Problem::new(404, "No such resource."))
}

fn apply(resource: &mut Resource, body: &Value) {
    let mut fields = body.clone();
    if let Some(secrets) = fields.as_object_mut().and_then(|fields| fields.remove("secrets")) {
        let secrets = if secrets.is_array() { json!({ "secrets": secrets }) } else { secrets };
        set_secrets(resource, &secrets);
    }
    merge(&mut resource.fields, &fields);
}

/// Sets the secrets, and keeps the others only if the update is partial.
fn set_secrets(resource: &mut Resource, body: &Value) {
    if body["partial"] != true {
        resource.secrets.clear();
    }
    for secret in body["secrets"].as_array().into_iter().flatten() {
        resource.secrets.insert(secret["name"].as_str().unwrap_or_default().to_owned(), secret.clone());
    }
}

/// Sets fields; null clears one.
fn merge(known: &mut Value, changes: &Value) {
    let (Some(known), Some(changes)) = (known.as_object_mut(), changes.as_object()) else { return };
    for (name, value) in changes {
        if value.is_null() {
            known.remove(name);
        } else {
            known.insert(name.clone(), value.clone());
        }
    }
}
