//! The routes of subscriptions, and of what became of their events.

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use serde_json::{Value, json};

use super::{
    super::{
        Platform,
        addons::read,
        auth::Caller,
        objects::instant,
        problem::{Problem, json_text},
        range::page,
        world::PlatformState,
    },
    Event, INCLUDES, Level, Webhook,
};
use crate::endpoint::new_uuid;

type Platforms = State<Platform>;
type Own = Extension<Caller>;

/// `POST /addons/{addon}/webhooks`. A secret that Heroku made is told this once, in a header.
pub(in crate::platform) async fn subscribe(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path(addon): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let body = read(&body)?;
    let mut world = platform.world();
    world.reachable(&own, &addon)?;
    let drawn = new_uuid().replace('-', "");
    let chosen = text_or_null(&body, "secret")?;
    let mut hook = Webhook {
        id: new_uuid(),
        addon: own,
        include: Vec::new(),
        level: Level::Notify,
        url: String::new(),
        authorization: None,
        secret: chosen.clone().unwrap_or_else(|| drawn.clone()),
        created_at: world.now,
        updated_at: world.now,
    };
    for field in ["include", "level", "url"] {
        if body[field].is_null() {
            return Err(Problem::invalid_params(format!("{field} is missing.")));
        }
    }
    hook.change(&body)?;
    let mut response = json_text(world.settings.webhook_status, hook.object(&world).to_string());
    if chosen.is_none() {
        response.headers_mut().insert("heroku-webhook-secret", drawn.parse().expect("hex is plain ASCII"));
    }
    world.webhooks.hooks.insert(hook.id.clone(), hook);
    Ok(response)
}

/// `GET /addons/{addon}/webhooks`.
pub(in crate::platform) async fn list(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path(addon): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    world.reachable(&own, &addon)?;
    let hooks = world.webhooks.hooks.values().filter(|hook| hook.addon == own);
    Ok(page(hooks.map(|hook| hook.object(&world)).collect(), &["id"], &headers, world.settings.page_size))
}

/// `GET /addons/{addon}/webhooks/{webhook}`.
pub(in crate::platform) async fn get(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path((addon, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    world.reachable(&own, &addon)?;
    let hook = world.hook(&own, &id)?.clone();
    Ok(json_text(200, hook.object(&world).to_string()))
}

/// `PATCH /addons/{addon}/webhooks/{webhook}`.
pub(in crate::platform) async fn change(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path((addon, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, Problem> {
    let body = read(&body)?;
    let mut world = platform.world();
    world.reachable(&own, &addon)?;
    let now = world.now;
    let hook = world.hook(&own, &id)?;
    let mut changed = hook.clone();
    changed.change(&body)?;
    changed.updated_at = now;
    *hook = changed.clone();
    Ok(json_text(200, changed.object(&world).to_string()))
}

/// `DELETE /addons/{addon}/webhooks/{webhook}`.
pub(in crate::platform) async fn unsubscribe(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path((addon, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    world.reachable(&own, &addon)?;
    let hook = world.hook(&own, &id)?.clone();
    world.webhooks.hooks.remove(&id);
    Ok(json_text(200, hook.object(&world).to_string()))
}

/// `GET /addons/{addon}/webhook-deliveries`.
pub(in crate::platform) async fn deliveries(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path(addon): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    world.reachable(&own, &addon)?;
    let own = world.webhooks.deliveries.iter().filter(|delivery| delivery.addon == own);
    let keys = ["id", "created_at"];
    Ok(page(own.map(super::Delivery::object).collect(), &keys, &headers, world.settings.page_size))
}

/// `GET /addons/{addon}/webhook-deliveries/{delivery}`.
pub(in crate::platform) async fn delivery(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path((addon, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    world.reachable(&own, &addon)?;
    let mut known = world.webhooks.deliveries.iter();
    let delivery = known.find(|delivery| delivery.addon == own && delivery.id == id);
    Ok(json_text(200, delivery.ok_or_else(|| Problem::not_found("delivery"))?.object().to_string()))
}

/// `GET /addons/{addon}/webhook-events`.
pub(in crate::platform) async fn events(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path(addon): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    world.reachable(&own, &addon)?;
    let own = world.webhooks.events.iter().filter(|event| event.addon == own);
    Ok(page(own.map(Event::object).collect(), &["id", "created_at"], &headers, world.settings.page_size))
}

/// `GET /addons/{addon}/webhook-events/{event}`.
pub(in crate::platform) async fn event(
    State(platform): Platforms,
    Extension(Caller(own)): Own,
    Path((addon, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let mut world = platform.world();
    world.reachable(&own, &addon)?;
    let event = world.webhooks.events.iter().find(|event| event.addon == own && event.id == id);
    Ok(json_text(200, event.ok_or_else(|| Problem::not_found("event"))?.object().to_string()))
}

impl PlatformState {
    fn hook(&mut self, own: &str, id: &str) -> Result<&mut Webhook, Problem> {
        let hook = self.webhooks.hooks.get_mut(id).filter(|hook| hook.addon == own);
        hook.ok_or_else(|| Problem::not_found("webhook"))
    }
}

impl Webhook {
    /// Takes over the fields that are there.
    fn change(&mut self, body: &Value) -> Result<(), Problem> {
        if let Some(include) = body.get("include") {
            let names =
                include.as_array().and_then(|names| names.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
            let known = names.filter(|names| !names.is_empty() && names.iter().all(|name| INCLUDES.contains(name)));
            let invalid = || Problem::invalid_params(format!("include is a list of some of {}.", INCLUDES.join(", ")));
            self.include = known.ok_or_else(invalid)?.into_iter().map(str::to_owned).collect();
        }
        if let Some(level) = body.get("level") {
            let invalid = || Problem::invalid_params("level is notify or sync.");
            self.level = level.as_str().and_then(Level::parse).ok_or_else(invalid)?;
        }
        if let Some(url) = body.get("url") {
            let is_web = |url: &&str| url.starts_with("https://") || url.starts_with("http://");
            let invalid = || Problem::invalid_params("url is where events are posted to.");
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

    /// The secret is never among the fields.
    fn object(&self, world: &PlatformState) -> Value {
        json!({
            "addon": { "id": self.addon, "name": world.addon(&self.addon).name },
            "created_at": instant(self.created_at),
            "id": self.id,
            "include": self.include,
            "level": self.level.to_string(),
            "updated_at": instant(self.updated_at),
            "url": self.url,
        })
    }
}

impl Event {
    fn object(&self) -> Value {
        json!({
            "created_at": instant(self.created_at),
            "id": self.id,
            "include": self.include,
            "payload": self.payload,
            "updated_at": instant(self.created_at),
        })
    }
}

fn text_or_null(body: &Value, name: &str) -> Result<Option<String>, Problem> {
    match &body[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(Problem::invalid_params(format!("{name} is a text or null."))),
    }
}
