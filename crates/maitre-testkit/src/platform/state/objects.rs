//! Objects of the Platform API, with the field names of its schema.

use serde_json::{Value, json};

use super::{
    addon::{Addon, Attachment},
    customer_app::{CustomerApp, Drain, User},
    store::PlatformState,
    timestamp::timestamp,
};

impl PlatformState {
    pub(crate) fn addon_object(&self, uuid: &str) -> Value {
        let addon = self.addon(uuid);
        let service = &self.service;
        let app = &self.apps[&addon.app];
        json!({
            "actions": [],
            "addon_service": { "id": service.id, "name": service.slug },
            "app": { "id": app.id, "name": app.name },
            "billed_price": { "cents": 0, "contract": false, "unit": "month" },
            "billing_entity": { "id": app.id, "name": app.name, "type": "app" },
            "config_vars": addon.config.keys().collect::<Vec<_>>(),
            "created_at": timestamp(addon.created_at),
            "id": addon.uuid,
            "name": addon.name,
            "plan": { "id": addon.plan_id, "name": format!("{}:{}", service.slug, addon.plan) },
            "provider_id": addon.provider_id,
            "provision_message": addon.message,
            "state": addon.state.to_string(),
            "updated_at": timestamp(addon.updated_at),
            "web_url": self.web_url(&app.name, &addon.uuid),
        })
    }

    fn web_url(&self, app: &str, uuid: &str) -> String {
        format!("{}/apps/{app}/addons/{uuid}", self.settings.dashboard_url)
    }

    pub(crate) fn attachment_object(&self, addon: &Addon, attachment: &Attachment) -> Value {
        let (owner, app) = (&self.apps[&addon.app], &self.apps[&attachment.app]);
        json!({
            "addon": { "id": addon.uuid, "name": addon.name, "app": { "id": owner.id, "name": owner.name } },
            "app": { "id": app.id, "name": app.name },
            "created_at": timestamp(attachment.created_at),
            "id": attachment.id,
            "log_input_url": self.settings.log_input.then(|| addon.log_input_url()),
            "name": attachment.name,
            "namespace": null,
            "updated_at": timestamp(attachment.created_at),
            "web_url": self.web_url(&app.name, &addon.uuid),
        })
    }

    pub(crate) fn app_object(&self, id: &str) -> Value {
        let app = &self.apps[id];
        let team = app.team.as_ref().map(|team| json!({ "id": team.id, "name": team.name }));
        json!({
            "archived_at": null,
            "created_at": timestamp(app.created_at),
            "generation": { "id": "0c1b7a2e-5f4d-4b7e-9f0a-3f9a1b2c3d4e", "name": "cedar" },
            "id": app.id,
            "maintenance": false,
            "name": app.name,
            "owner": { "email": app.owner.email, "id": app.owner.id },
            "region": { "id": "59accabd-516d-4f0e-83e6-6e3757701145", "name": "us" },
            "space": null,
            "stack": { "id": "2f1d6e0b-9c58-4a3d-8b1a-6d5c4b3a2f1e", "name": "heroku-24" },
            "team": team,
            "updated_at": timestamp(app.created_at),
            "web_url": format!("https://{}.example.org/", app.name),
        })
    }

    /// Returns the collaborator with this address; null if there is none.
    pub(crate) fn collaborator_object(&self, app: &str, email: &str) -> Value {
        let app = &self.apps[app];
        let known = app.collaborators.iter().find(|(user, _)| user.email == email);
        known.map_or(Value::Null, |(user, role)| collaborator(app, user, role))
    }
}

pub(crate) fn collaborator(app: &CustomerApp, user: &User, role: &str) -> Value {
    json!({
        "app": { "id": app.id, "name": app.name },
        "created_at": timestamp(app.created_at),
        "id": user.id,
        "permissions": [{ "name": "deploy", "description": "Can deploy" }],
        "role": role,
        "updated_at": timestamp(app.created_at),
        "user": { "email": user.email, "federated": false, "id": user.id },
    })
}

pub(crate) fn member(user: &User, role: &str) -> Value {
    json!({
        "email": user.email,
        "federated": false,
        "id": user.id,
        "role": role,
        "two_factor_authentication": true,
        "user": { "email": user.email, "id": user.id, "name": null },
    })
}

pub(crate) fn domain(app: &CustomerApp, id: &str, hostname: &str) -> Value {
    json!({
        "app": { "id": app.id, "name": app.name },
        "cname": null,
        "created_at": timestamp(app.created_at),
        "hostname": hostname,
        "id": id,
        "kind": "custom",
        "status": "none",
        "updated_at": timestamp(app.created_at),
    })
}

pub(crate) fn drain(app: &CustomerApp, drain: &Drain) -> Value {
    let addon = drain.addon.as_ref().map(|uuid| json!({ "id": uuid }));
    json!({
        "addon": addon,
        "app": { "id": app.id, "name": app.name },
        "created_at": timestamp(drain.created_at),
        "id": drain.id,
        "token": drain.token,
        "updated_at": timestamp(drain.created_at),
        "url": drain.url,
    })
}
