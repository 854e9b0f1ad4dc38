//! Changes to add-ons: created, provisioned, configured, removed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    addon::{Addon, Attachment, NewAddon, Removal, RemovalCause, RequestPool},
    call_counts::CallCounts,
    customer_app::CustomerApp,
    error::RequestError,
    install_state::State,
    store::{Due, PlatformState},
    violation::Rule,
    webhook::{Action, Entity},
};
use crate::generate::new_uuid;

/// Suffixes that distinguish several attachments of one service in one app.
const COLORS: [&str; 8] = ["AMBER", "COBALT", "CRIMSON", "JADE", "OLIVE", "PURPLE", "ROSE", "TEAL"];

impl PlatformState {
    /// Creates an add-on: it is `provisioning`, and has a grant.
    pub(crate) fn create_addon(&mut self, new: NewAddon) -> String {
        let uuid = new_uuid();
        let number: String = uuid.chars().take(8).collect();
        let name = new.name.unwrap_or_else(|| format!("{}-curved-{number}", self.service.slug));
        let app = new.app.unwrap_or_else(|| format!("{}-app-{number}", self.service.slug));
        let app = self.app_named(&app);
        let deadline = self.after(self.settings.async_window);
        let attached_as = new.attached_as.unwrap_or_else(|| self.free_attachment_name(&app));
        let attachment = Attachment { id: new_uuid(), name: attached_as, app: app.clone(), created_at: self.now };
        let addon = Addon {
            plan_id: self.plan_id(&new.plan),
            uuid: uuid.clone(),
            name,
            plan: new.plan,
            region: new.region,
            app,
            options: new.options,
            provider_id: None,
            message: None,
            state: State::Provisioning,
            config: BTreeMap::new(),
            attachments: vec![attachment],
            log_token: new_uuid(),
            grant: None,
            provision_status: None,
            deadline: Some(deadline),
            removal: None,
            created_at: self.now,
            updated_at: self.now,
            pool: RequestPool::full(self.settings.rate_limit, self.now),
            call_counts: CallCounts::default(),
        };
        self.addons.insert(uuid.clone(), addon);
        self.schedule(deadline, Due::Window(uuid.clone()));
        self.grant(&uuid);
        self.notify_changed(&uuid);
        uuid
    }

    /// Returns the prefix of the config vars, with a suffix if another attachment of the app has that name.
    fn free_attachment_name(&self, app: &str) -> String {
        let live = self.addons.values().filter(|addon| addon.removal.is_none());
        let here = live.flat_map(|addon| &addon.attachments).filter(|attachment| attachment.app == app);
        let taken: BTreeSet<_> = here.map(|attachment| attachment.name.as_str()).collect();
        let prefix = self.prefix();
        let colored = COLORS.iter().map(|color| format!("{prefix}_{color}"));
        let numbered = (2..).map(|number| format!("{prefix}_{number}"));
        let mut names = std::iter::once(prefix.clone()).chain(colored).chain(numbered);
        names.find(|name| !taken.contains(name.as_str())).unwrap_or(prefix)
    }

    /// Returns the id of the app of this name, and creates the app if it does not exist.
    pub(crate) fn app_named(&mut self, name: &str) -> String {
        if let Some(app) = self.app(name) {
            return app.id.clone();
        }
        let app = CustomerApp::new(name, self.now);
        let id = app.id.clone();
        self.apps.insert(id.clone(), app);
        id
    }

    pub(crate) fn addon(&self, uuid: &str) -> &Addon {
        self.addons.get(uuid).expect("add-ons are never removed")
    }

    pub(crate) fn addon_mut(&mut self, uuid: &str) -> &mut Addon {
        self.addons.get_mut(uuid).expect("add-ons are never removed")
    }

    /// Marks an add-on as provisioned: the app gets the config vars and restarts once.
    pub(crate) fn provision(&mut self, uuid: &str) {
        let now = self.now;
        let addon = self.addon_mut(uuid);
        let before = addon.state;
        addon.state = State::Provisioned;
        addon.deadline = None;
        addon.updated_at = now;
        addon.call_counts.restarts += 1;
        self.addon_updated(uuid, "state", &before.to_string().into());
    }

    /// Starts an asynchronous deprovision.
    pub(crate) fn begin_deprovision(&mut self, uuid: &str) {
        let deadline = self.after(self.settings.async_window);
        let addon = self.addon_mut(uuid);
        let before = addon.state;
        addon.state = State::Deprovisioning;
        addon.deadline = Some(deadline);
        self.schedule(deadline, Due::Window(uuid.to_owned()));
        self.addon_updated(uuid, "state", &before.to_string().into());
    }

    /// Sets config vars, and unsets those without a value. Changes nothing if one of them is not allowed.
    pub(crate) fn set_config(
        &mut self,
        uuid: &str,
        changes: Vec<(String, Option<String>)>,
    ) -> Result<(), RequestError> {
        if let Some((name, _)) = changes.iter().find(|(name, _)| !self.is_own_var(name)) {
            let what = format!("it set the config var {name}, which is not in its manifest");
            self.record_violation(uuid, Rule::ForeignConfigVar, &what);
            return Err(RequestError::invalid_params(format!("{name} is not a config var of this add-on.")));
        }
        let now = self.now;
        let addon = self.addon_mut(uuid);
        for (name, value) in changes {
            match value {
                Some(value) => drop(addon.config.insert(name, value)),
                None => drop(addon.config.remove(&name)),
            }
        }
        addon.updated_at = now;
        self.notify_changed(uuid);
        Ok(())
    }

    pub(crate) fn addon_updated(&mut self, uuid: &str, field: &str, previous: &Value) {
        self.notify_changed(uuid);
        let data = self.addon_object(uuid);
        self.emit(uuid, Entity::Addon, Action::Update, &data, &json!({ field: previous }));
    }

    pub(crate) fn addon_destroyed(&mut self, uuid: &str) {
        self.notify_changed(uuid);
        let data = self.addon_object(uuid);
        self.emit(uuid, Entity::Addon, Action::Destroy, &data, &json!({}));
    }

    /// Ends an add-on and its token.
    pub(crate) fn remove(&mut self, uuid: &str, cause: RemovalCause) {
        let before = self.journal.len();
        let now = self.now;
        let Some(addon) = self.addons.get_mut(uuid).filter(|addon| addon.removal.is_none()) else { return };
        addon.state = State::Deprovisioned;
        addon.updated_at = now;
        addon.deadline = None;
        addon.removal = Some(Removal { before, cause });
        self.addon_destroyed(uuid);
    }
}
