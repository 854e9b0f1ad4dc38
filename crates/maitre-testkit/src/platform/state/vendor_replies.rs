//! Replies of the vendor to the platform's calls.

use serde_json::{Value, json};

use super::{addon::RemovalCause, customer_app::Drain, install_state::State, store::PlatformState, violation::Rule};
use crate::generate::new_uuid;

impl PlatformState {
    pub(crate) fn record_provision(&mut self, uuid: &str, status: u16, body: &Value) {
        self.addon_mut(uuid).provision_status = Some(status);
        match status {
            200 | 201 => {
                self.store_id(uuid, body);
                self.store_message(uuid, body);
                self.store_config(uuid, body);
                self.store_drain(uuid, body);
                if self.addon(uuid).state == State::Provisioning {
                    self.provision(uuid);
                }
            }
            202 => {
                self.store_id(uuid, body);
                self.store_message(uuid, body);
                self.store_drain(uuid, body);
                self.notify_changed(uuid);
                if !self.settings.async_provisioning {
                    let what = "its provision was answered 202, for which the add-on is not registered";
                    self.record_violation(uuid, Rule::Unregistered202, what);
                }
            }
            410 | 422 => {
                self.store_message(uuid, body);
                self.remove(uuid, RemovalCause::Answer);
            }
            _ => {}
        }
    }

    pub(crate) fn record_plan_change(&mut self, uuid: &str, plan: &str, status: u16, body: &Value) {
        self.store_message(uuid, body);
        if !(200..300).contains(&status) {
            return;
        }
        if status != 202 {
            self.store_config(uuid, body);
        }
        let plan_id = self.plan_id(plan);
        let slug = self.service.slug.clone();
        let addon = self.addon_mut(uuid);
        let before = json!({ "id": addon.plan_id, "name": format!("{slug}:{}", addon.plan) });
        (addon.plan, addon.plan_id) = (plan.to_owned(), plan_id);
        self.addon_updated(uuid, "plan", &before);
    }

    pub(crate) fn record_deprovision(&mut self, uuid: &str, status: u16) {
        match status {
            // the vendor may have completed the deprovision before this reply is read
            202 if self.settings.async_deprovisioning && self.addon(uuid).removal.is_some() => {}
            202 if self.settings.async_deprovisioning => self.begin_deprovision(uuid),
            200..300 | 404 | 410 => self.remove(uuid, RemovalCause::Answer),
            _ => {}
        }
    }

    pub(crate) fn record_deprovision_failure(&mut self, uuid: &str) {
        if self.addon(uuid).removal.is_none() && self.addon(uuid).state != State::Deprovisioning {
            self.begin_deprovision(uuid);
        }
    }

    fn store_id(&mut self, uuid: &str, body: &Value) {
        let id = match &body["id"] {
            Value::String(id) if !id.is_empty() => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return self.record_violation(uuid, Rule::NoProviderId, "its provision was answered without an id"),
        };
        let known = self.addon_mut(uuid).provider_id.get_or_insert_with(|| id.clone()).clone();
        if known != id {
            let what = format!("its id was {known}, and a later answer says {id}");
            self.record_violation(uuid, Rule::ChangedProviderId, &what);
        }
    }

    fn store_message(&mut self, uuid: &str, body: &Value) {
        if let Some(message) = body["message"].as_str() {
            self.addon_mut(uuid).message = Some(message.to_owned());
            self.notify_changed(uuid);
        }
    }

    fn store_config(&mut self, uuid: &str, body: &Value) {
        let vars = body["config"].as_object().into_iter().flatten();
        let changes = vars.filter_map(|(name, value)| Some((name.clone(), Some(value.as_str()?.to_owned()))));
        // a name outside the manifest is recorded as a violation
        let _ = self.set_config(uuid, changes.collect());
    }

    fn store_drain(&mut self, uuid: &str, body: &Value) {
        let Some(url) = body["log_drain_url"].as_str() else { return };
        let (addon, now) = (self.addon(uuid), self.now);
        let (app, token) = (addon.app.clone(), addon.log_drain_token());
        let url = url.to_owned();
        let drains = &mut self.apps.get_mut(&app).expect("apps are never removed").drains;
        match drains.iter_mut().find(|drain| drain.addon.as_deref() == Some(uuid)) {
            Some(drain) => drain.url = url,
            None => {
                drains.push(Drain { id: new_uuid(), token, url, addon: Some(uuid.to_owned()), created_at: now });
            }
        }
    }
}
