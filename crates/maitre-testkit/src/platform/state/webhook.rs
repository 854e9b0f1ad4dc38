//! Webhook subscriptions and events.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::delivery::{Delivery, Level};

#[derive(Default)]
pub(crate) struct Webhooks {
    pub(crate) subscriptions: BTreeMap<String, Webhook>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) deliveries: VecDeque<Delivery>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) addon: String,
    pub(crate) include: Vec<String>,
    pub(crate) level: Level,
    pub(crate) url: String,
    pub(crate) authorization: Option<String>,
    pub(crate) secret: String,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
}

impl Webhooks {
    /// Discards all but the newest `kept` events and deliveries.
    pub(crate) fn trim(&mut self, kept: usize) {
        let (events, deliveries) = (self.events.len(), self.deliveries.len());
        drop(self.events.drain(..events.saturating_sub(kept)));
        drop(self.deliveries.drain(..deliveries.saturating_sub(kept)));
    }
}

/// Entity of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entity {
    Addon,
    Attachment,
    App,
    Collaborator,
}

impl Entity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Addon => "addon",
            Self::Attachment => "addon-attachment",
            Self::App => "app",
            Self::Collaborator => "collaborator",
        }
    }

    pub(crate) fn include(self) -> String {
        format!("api:{}", self.name())
    }
}

/// Entities that every partner may subscribe to (Heroku's article on add-on webhooks). More are granted per partner.
pub(crate) const INCLUDES: [&str; 6] =
    ["api:addon", "api:addon-attachment", "api:app", "api:collaborator", "api:domain", "api:sni-endpoint"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Update,
    Destroy,
}

impl Action {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Destroy => "destroy",
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) addon: String,
    pub(crate) include: String,
    pub(crate) created_at: OffsetDateTime,
    /// The payload without `webhook_metadata`, which differs per delivery.
    pub(crate) payload: Value,
}
