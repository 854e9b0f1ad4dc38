//! Webhooks: who subscribed to what, what happened, and what of it was told.

pub(super) mod delivery;
pub(super) mod routes;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

pub use self::delivery::Delivery;
use super::{objects::instant, world::PlatformState};
use crate::endpoint::new_uuid;

#[derive(Default)]
pub(super) struct Webhooks {
    pub(super) hooks: BTreeMap<String, Webhook>,
    pub(super) events: VecDeque<Event>,
    pub(super) deliveries: VecDeque<Delivery>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Webhook {
    pub(super) id: String,
    addon: String,
    include: Vec<String>,
    level: Level,
    url: String,
    authorization: Option<String>,
    secret: String,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

/// How hard Heroku tries to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Level {
    /// Once.
    Notify,
    /// Until it is taken, for up to three days.
    Sync,
}

impl Level {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "notify" => Some(Self::Notify),
            "sync" => Some(Self::Sync),
            _ => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Notify => "notify",
            Self::Sync => "sync",
        })
    }
}

impl Webhooks {
    /// All but the newest so many.
    fn forget(&mut self, kept: usize) {
        let (events, deliveries) = (self.events.len(), self.deliveries.len());
        drop(self.events.drain(..events.saturating_sub(kept)));
        drop(self.deliveries.drain(..deliveries.saturating_sub(kept)));
    }
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entity {
    Addon,
    Attachment,
    App,
    Collaborator,
}

impl Entity {
    fn name(self) -> &'static str {
        match self {
            Self::Addon => "addon",
            Self::Attachment => "addon-attachment",
            Self::App => "app",
            Self::Collaborator => "collaborator",
        }
    }

    fn include(self) -> String {
        format!("api:{}", self.name())
    }
}

/// What anybody may subscribe to (Heroku's article on add-on webhooks); more is granted per partner.
const INCLUDES: [&str; 6] =
    ["api:addon", "api:addon-attachment", "api:app", "api:collaborator", "api:domain", "api:sni-endpoint"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Update,
    Destroy,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Destroy => "destroy",
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    addon: String,
    include: String,
    pub(super) created_at: OffsetDateTime,
    /// Without `webhook_metadata`, which is a delivery's own.
    payload: Value,
}

impl PlatformState {
    /// Something happened to an add-on or an app that it is_visible_to: those who subscribed to it will be told.
    pub(super) fn emit(&mut self, uuid: &str, entity: Entity, action: Action, data: &Value, previous: &Value) {
        let include = entity.include();
        let subscribed = self.webhooks.hooks.values().filter(|hook| hook.addon == uuid);
        let told: Vec<_> = subscribed.filter(|hook| hook.include.contains(&include)).cloned().collect();
        if told.is_empty() {
            return;
        }
        let (id, at) = (new_uuid(), instant(self.now));
        let owner = &self.apps[&self.addon(uuid).app].owner;
        let payload = json!({
            "action": action.name(),
            "actor": { "email": owner.email, "id": owner.id },
            "created_at": at,
            "data": data,
            "id": id,
            "previous_data": previous,
            "published_at": at,
            "resource": entity.name(),
            "sequence": null,
            "updated_at": at,
            "version": "application/vnd.heroku+json; version=3",
        });
        let event = Event { id, addon: uuid.to_owned(), include, created_at: self.now, payload };
        for hook in told {
            self.webhooks.deliveries.push_back(Delivery::new(&event, &hook, self.now));
        }
        self.webhooks.events.push_back(event);
        self.webhooks.forget(self.settings.history_limit);
        self.clock.notify();
    }

    /// The same for every add-on that is_visible_to an app.
    pub(super) fn emit_to_app(&mut self, app: &str, entity: Entity, action: Action, data: &Value, previous: &Value) {
        let touching = self.addons.values().filter(|addon| addon.removal.is_none() && addon.is_visible_to(app));
        let uuids: Vec<_> = touching.map(|addon| addon.uuid.clone()).collect();
        for uuid in uuids {
            self.emit(&uuid, entity, action, data, previous);
        }
    }
}
