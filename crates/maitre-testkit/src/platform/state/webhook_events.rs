//! Webhook events and the schedule of their deliveries.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    delivery::{Attempt, Delivery, DeliveryIds, Status},
    store::PlatformState,
    timestamp::timestamp,
    webhook::{Action, Entity, Event, Webhook},
};
use crate::generate::new_uuid;

impl PlatformState {
    /// Something happened to an add-on or an app that it is_visible_to: those who subscribed to it will be told.
    pub(crate) fn emit(&mut self, uuid: &str, entity: Entity, action: Action, data: &Value, previous: &Value) {
        let include = entity.include();
        let subscribed = self.webhooks.subscriptions.values().filter(|hook| hook.addon == uuid);
        let told: Vec<_> = subscribed.filter(|hook| hook.include.contains(&include)).cloned().collect();
        if told.is_empty() {
            return;
        }
        let (id, at) = (new_uuid(), timestamp(self.now));
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
            self.webhooks.deliveries.push_back(Delivery::new(ids(&event, &hook), hook.level, self.now));
        }
        self.webhooks.events.push_back(event);
        self.webhooks.trim(self.settings.history_limit);
        self.clock.notify();
    }

    /// The same for every add-on that is_visible_to an app.
    pub(crate) fn emit_to_app(&mut self, app: &str, entity: Entity, action: Action, data: &Value, previous: &Value) {
        let touching = self.addons.values().filter(|addon| addon.removal.is_none() && addon.is_visible_to(app));
        let uuids: Vec<_> = touching.map(|addon| addon.uuid.clone()).collect();
        for uuid in uuids {
            self.emit(&uuid, entity, action, data, previous);
        }
    }

    /// The next instant at which a delivery is due.
    pub(crate) fn next_attempt_at(&self) -> Option<OffsetDateTime> {
        self.webhooks.deliveries.iter().filter_map(|delivery| delivery.next_attempt_at).min()
    }

    /// The first delivery that is due, in the order of events.
    pub(crate) fn due_delivery(&self) -> Option<&Delivery> {
        let is_due = |at: OffsetDateTime| at <= self.now;
        self.webhooks.deliveries.iter().find(|delivery| delivery.next_attempt_at.is_some_and(is_due))
    }

    pub(crate) fn delivered(&mut self, id: &str, attempt: Attempt) {
        let window = self.settings.webhook_retry_window;
        let mut known = self.webhooks.deliveries.iter_mut();
        if let Some(delivery) = known.find(|delivery| delivery.id == id) {
            delivery.record_attempt(attempt, window);
        }
    }

    /// Deliveries of an ended subscription are given up.
    pub(crate) fn drop_orphans(&mut self) {
        let subscriptions = &self.webhooks.subscriptions;
        for delivery in &mut self.webhooks.deliveries {
            if delivery.next_attempt_at.is_some() && !subscriptions.contains_key(&delivery.subscription) {
                (delivery.status, delivery.next_attempt_at) = (Status::Failed, None);
            }
        }
    }
}
fn ids(event: &Event, subscription: &Webhook) -> DeliveryIds {
    DeliveryIds {
        addon: subscription.addon.clone(),
        event: event.id.clone(),
        include: event.include.clone(),
        subscription: subscription.id.clone(),
    }
}
