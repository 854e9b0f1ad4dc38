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
    /// Creates an event of an add-on for its subscriptions.
    pub(crate) fn emit(&mut self, uuid: &str, entity: Entity, action: Action, data: &Value, previous: &Value) {
        let include = entity.include();
        let matching = self.webhooks.subscriptions.values().filter(|subscription| subscription.addon == uuid);
        let subscriptions: Vec<_> =
            matching.filter(|subscription| subscription.include.contains(&include)).cloned().collect();
        if subscriptions.is_empty() {
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
        for subscription in subscriptions {
            self.webhooks.deliveries.push_back(Delivery::new(ids(&event, &subscription), subscription.level, self.now));
        }
        self.webhooks.events.push_back(event);
        self.webhooks.trim(self.settings.history_limit);
        self.clock.notify();
    }

    /// Creates an event for every add-on that can see an app.
    pub(crate) fn emit_to_app(&mut self, app: &str, entity: Entity, action: Action, data: &Value, previous: &Value) {
        let visible = self.addons.values().filter(|addon| addon.removal.is_none() && addon.is_visible_to(app));
        let uuids: Vec<_> = visible.map(|addon| addon.uuid.clone()).collect();
        for uuid in uuids {
            self.emit(&uuid, entity, action, data, previous);
        }
    }

    /// Returns the time of the next delivery.
    pub(crate) fn next_attempt_at(&self) -> Option<OffsetDateTime> {
        self.webhooks.deliveries.iter().filter_map(|delivery| delivery.next_attempt_at).min()
    }

    /// Returns the first due delivery, in the order of events.
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

    /// Fails the pending deliveries of deleted subscriptions.
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
