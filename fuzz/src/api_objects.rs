//! Objects of Heroku's API: fields that Heroku adds later never matter, and no secret is printed.

use std::fmt::Debug;

use maitre_heroku::api::{
    AddOn, AddOnState, App, Attachment, Collaborator, ConfigVar, DeliveryStatus, Domain, Entity, Event, EventAction,
    Level, LogDrain, Member, Pipeline, PipelineCoupling, RateLimits, Webhook, WebhookDelivery, WebhookEvent,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const SECRET: &str = "f3Zr8-canary-9kQw";

/// Checks one JSON text as the type that the first byte selects, or a name as a value of an open set.
pub fn check(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else { return };
    match kind {
        b'a' => object::<AddOn>(body, &[]),
        b'b' => object::<App>(body, &[]),
        b'c' => object::<Attachment>(body, &["log_input_url"]),
        b'd' => object::<Collaborator>(body, &[]),
        b'e' => object::<ConfigVar>(body, &["value"]),
        b'f' => object::<Domain>(body, &[]),
        b'g' => object::<Event>(body, &["data", "previous_data"]),
        b'h' => object::<LogDrain>(body, &["url", "token"]),
        b'i' => object::<Member>(body, &[]),
        b'j' => object::<Pipeline>(body, &[]),
        b'k' => object::<PipelineCoupling>(body, &[]),
        b'l' => object::<RateLimits>(body, &[]),
        b'm' => object::<Webhook>(body, &[]),
        b'n' => object::<WebhookDelivery>(body, &[]),
        b'o' => object::<WebhookEvent>(body, &[]),
        b'p' => object::<Vec<AddOn>>(body, &[]),
        b'q' => names(body),
        _ => {}
    }
}

fn object<T: DeserializeOwned + Debug>(body: &[u8], secrets: &[&str]) {
    let Ok(object) = serde_json::from_slice::<T>(body) else { return };
    // an ignored number may be too large for a value
    let Ok(json) = serde_json::from_slice::<Value>(body) else { return };
    let shown = format!("{object:?}");

    let mut later = json.clone();
    add_field(&mut later);
    let with_field = serde_json::from_value::<T>(later).expect("Heroku adds fields at any time");
    assert_eq!(format!("{with_field:?}"), shown);

    if !json.is_object() {
        return; // fields given as a list, without names
    }
    for name in secrets {
        let mut secret = json.clone();
        secret[*name] = SECRET.into();
        let secret = serde_json::from_value::<T>(secret).expect("a secret is text");
        assert!(!format!("{secret:?}").contains(SECRET), "{name} is printed");
    }
}

/// Adds an undocumented field to every object.
fn add_field(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            fields.values_mut().for_each(add_field);
            fields.insert("~added".to_owned(), json!({ "id": 1, "name": [null] }));
        }
        Value::Array(items) => items.iter_mut().for_each(add_field),
        _ => {}
    }
}

/// Checks that names survive unchanged, known or not.
fn names(text: &[u8]) {
    let Ok(name) = std::str::from_utf8(text) else { return };
    assert_eq!(AddOnState::from(name).as_str(), name);
    assert_eq!(DeliveryStatus::from(name).as_str(), name);
    assert_eq!(EventAction::from(name).as_str(), name);
    assert_eq!(Level::from(name).to_string(), name);
    let entity = Entity::from(name);
    assert_eq!(entity.as_str(), name.strip_prefix("api:").unwrap_or(name));
    assert_eq!(Entity::from(&*format!("api:{entity}")), entity, "the name in a subscription");
    assert_eq!(serde_json::from_value::<Entity>(name.into()).expect("any text is a name"), entity);
}
