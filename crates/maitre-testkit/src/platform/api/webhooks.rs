//! Handlers of webhook subscriptions, events and deliveries.

use axum::{body::Bytes, extract::Path, response::Response};
use serde_json::{Value, json};

use super::{
    super::state::{
        delivery::{Delivery, Level},
        store::PlatformState,
        timestamp::timestamp,
        webhook::{Event, INCLUDES, Webhook},
    },
    body,
    problem::{Problem, json_text},
    vendor::Vendor,
};
use crate::generate::new_uuid;

/// `POST /addons/{addon}/webhooks`. A generated secret is returned only here, in a header.
pub(crate) async fn subscribe(vendor: Vendor, Path(addon): Path<String>, body: Bytes) -> Result<Response, Problem> {
    let body = body::parse(&body)?;
    let mut state = vendor.state_of(&addon)?;
    let drawn = new_uuid().replace('-', "");
    let chosen = text_or_null(&body, "secret")?;
    let mut webhook = Webhook {
        id: new_uuid(),
        addon: vendor.own.clone(),
        include: Vec::new(),
        level: Level::Notify,
        url: String::new(),
        authorization: None,
        secret: chosen.clone().unwrap_or_else(|| drawn.clone()),
        created_at: state.now,
        updated_at: state.now,
    };
    for field in ["include", "level", "url"] {
        if body[field].is_null() {
            return Err(Problem::invalid_params(format!("{field} is missing.")));
        }
    }
    webhook.change(&body)?;
    let mut response = json_text(state.settings.webhook_status, webhook.object(&state).to_string());
    if chosen.is_none() {
        response.headers_mut().insert("heroku-webhook-secret", drawn.parse().expect("hex is plain ASCII"));
    }
    state.webhooks.subscriptions.insert(webhook.id.clone(), webhook);
    Ok(response)
}

/// `GET /addons/{addon}/webhooks`.
pub(crate) async fn list(vendor: Vendor, Path(addon): Path<String>) -> Result<Response, Problem> {
    let state = vendor.state_of(&addon)?;
    let webhooks = state.webhooks.subscriptions.values().filter(|webhook| webhook.addon == vendor.own);
    Ok(vendor.page(webhooks.map(|webhook| webhook.object(&state)).collect(), &["id"], state.settings.page_size))
}

/// `GET /addons/{addon}/webhooks/{webhook}`.
pub(crate) async fn get(vendor: Vendor, Path((addon, id)): Path<(String, String)>) -> Result<Response, Problem> {
    let mut state = vendor.state_of(&addon)?;
    let webhook = subscription(&mut state, &vendor.own, &id)?.clone();
    Ok(json_text(200, webhook.object(&state).to_string()))
}

/// `PATCH /addons/{addon}/webhooks/{webhook}`.
pub(crate) async fn change(
    vendor: Vendor,
    Path((addon, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, Problem> {
    let body = body::parse(&body)?;
    let mut state = vendor.state_of(&addon)?;
    let now = state.now;
    let webhook = subscription(&mut state, &vendor.own, &id)?;
    let mut changed = webhook.clone();
    changed.change(&body)?;
    changed.updated_at = now;
    *webhook = changed.clone();
    Ok(json_text(200, changed.object(&state).to_string()))
}

/// `DELETE /addons/{addon}/webhooks/{webhook}`.
pub(crate) async fn unsubscribe(
    vendor: Vendor,
    Path((addon, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let mut state = vendor.state_of(&addon)?;
    let webhook = subscription(&mut state, &vendor.own, &id)?.clone();
    state.webhooks.subscriptions.remove(&id);
    Ok(json_text(200, webhook.object(&state).to_string()))
}

/// `GET /addons/{addon}/webhook-deliveries`.
pub(crate) async fn deliveries(vendor: Vendor, Path(addon): Path<String>) -> Result<Response, Problem> {
    let state = vendor.state_of(&addon)?;
    let all = state.webhooks.deliveries.iter().filter(|delivery| delivery.addon == vendor.own);
    let keys = ["id", "created_at"];
    Ok(vendor.page(all.map(Delivery::object).collect(), &keys, state.settings.page_size))
}

/// `GET /addons/{addon}/webhook-deliveries/{delivery}`.
pub(crate) async fn delivery(vendor: Vendor, Path((addon, id)): Path<(String, String)>) -> Result<Response, Problem> {
    let state = vendor.state_of(&addon)?;
    let mut known = state.webhooks.deliveries.iter();
    let delivery = known.find(|delivery| delivery.addon == vendor.own && delivery.id == id);
    Ok(json_text(200, delivery.ok_or_else(|| Problem::not_found("delivery"))?.object().to_string()))
}

/// `GET /addons/{addon}/webhook-events`.
pub(crate) async fn events(vendor: Vendor, Path(addon): Path<String>) -> Result<Response, Problem> {
    let state = vendor.state_of(&addon)?;
    let all = state.webhooks.events.iter().filter(|event| event.addon == vendor.own);
    Ok(vendor.page(all.map(Event::object).collect(), &["id", "created_at"], state.settings.page_size))
}

/// `GET /addons/{addon}/webhook-events/{event}`.
pub(crate) async fn event(vendor: Vendor, Path((addon, id)): Path<(String, String)>) -> Result<Response, Problem> {
    let state = vendor.state_of(&addon)?;
    let event = state.webhooks.events.iter().find(|event| event.addon == vendor.own && event.id == id);
    Ok(json_text(200, event.ok_or_else(|| Problem::not_found("event"))?.object().to_string()))
}

fn subscription<'s>(state: &'s mut PlatformState, own: &str, id: &str) -> Result<&'s mut Webhook, Problem> {
    let found = state.webhooks.subscriptions.get_mut(id).filter(|webhook| webhook.addon == own);
    found.ok_or_else(|| Problem::not_found("webhook"))
}

impl Webhook {
    /// Changes the fields that the body contains.
    fn change(&mut self, body: &Value) -> Result<(), Problem> {
        if let Some(include) = body.get("include") {
            let names =
                include.as_array().and_then(|names| names.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
            let known = names.filter(|names| !names.is_empty() && names.iter().all(|name| INCLUDES.contains(name)));
            let invalid = || Problem::invalid_params(format!("include is a list of some of {}.", INCLUDES.join(", ")));
            self.include = known.ok_or_else(invalid)?.into_iter().map(str::to_owned).collect();
        }
        if let Some(level) = body.get("level") {
            let invalid = || Problem::invalid_params("level must be notify or sync.");
            self.level = level.as_str().and_then(Level::parse).ok_or_else(invalid)?;
        }
        if let Some(url) = body.get("url") {
            let is_web = |url: &&str| url.starts_with("https://") || url.starts_with("http://");
            let invalid = || Problem::invalid_params("url must be an HTTP or HTTPS URL.");
            url.as_str().filter(is_web).ok_or_else(invalid)?.clone_into(&mut self.url);
        }
        if body.get("authorization").is_some() {
            self.authorization = text_or_null(body, "authorization")?;
        }
        if let Some(secret) = text_or_null(body, "secret")? {
            self.secret = secret;
        }
        Ok(())
    }

    /// Returns the subscription as JSON, without its secret.
    fn object(&self, state: &PlatformState) -> Value {
        json!({
            "addon": { "id": self.addon, "name": state.addon(&self.addon).name },
            "created_at": timestamp(self.created_at),
            "id": self.id,
            "include": self.include,
            "level": self.level.to_string(),
            "updated_at": timestamp(self.updated_at),
            "url": self.url,
        })
    }
}

impl Event {
    fn object(&self) -> Value {
        json!({
            "created_at": timestamp(self.created_at),
            "id": self.id,
            "include": self.include,
            "payload": self.payload,
            "updated_at": timestamp(self.created_at),
        })
    }
}

fn text_or_null(body: &Value, name: &str) -> Result<Option<String>, Problem> {
    match &body[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(Problem::invalid_params(format!("{name} is a string or null."))),
    }
}
