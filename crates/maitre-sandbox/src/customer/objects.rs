//! JSON objects of the customer's API: the platform's objects plus prices and the names of attachments.

use std::collections::BTreeMap;

use maitre_testkit::platform::{Install, State};
use serde_json::{Value, json};

use crate::{Plan, Sandbox};

impl Sandbox {
    pub(super) fn addon_object(&self, install: &Install) -> Value {
        let mut object = install.json();
        let plan = self.addon().plans.iter().find(|plan| plan.name() == install.plan());
        let price = plan.map_or_else(free, price);
        object["billed_price"] = json!({ "cents": price["cents"], "contract": false, "unit": "month" });
        object["plan"]["human_name"] = install.plan().into();
        object["plan"]["price"] = price;
        object["addon_service"] = self.service_object();
        let app = install.app();
        let vars = attachments_on(install, &app).flat_map(|name| config_vars_of(self, install, &name).into_keys());
        object["config_vars"] = vars.collect();
        object
    }

    pub(super) fn service_object(&self) -> Value {
        let addon = self.addon();
        json!({
            "cli_plugin_name": null,
            "human_name": addon.name,
            "id": addon.slug,
            "name": addon.slug,
            "state": "ga",
            "supports_multiple_installations": addon.has("many_per_app"),
            "supports_sharing": addon.has("attachable"),
        })
    }

    pub(super) fn plan_objects(&self) -> Value {
        let slug = &self.addon().slug;
        let plans = self.addon().plans.iter().enumerate().map(|(index, plan)| {
            json!({
                "addon_service": { "id": slug, "name": slug },
                "default": index == 0,
                "description": format!("{} {}", self.addon().name, plan.name()),
                "human_name": plan.name(),
                "id": format!("{slug}:{}", plan.name()),
                "name": format!("{slug}:{}", plan.name()),
                "price": price(plan),
                "state": "ga",
            })
        });
        plans.collect()
    }

    pub(super) fn attachment_object(&self, install: &Install, attachment: &Value) -> Value {
        let mut object = attachment.clone();
        let name = attachment["name"].as_str().unwrap_or_default();
        object["config_vars"] = config_vars_of(self, install, name).into_keys().collect();
        let plan = format!("{}:{}", self.addon().slug, install.plan());
        object["addon"]["plan"] = json!({ "id": plan, "name": plan });
        object
    }

    /// Returns the config vars of an app from all of its attachments.
    pub(super) fn config_vars_on(&self, app: &str) -> BTreeMap<String, String> {
        let installs = self.platform().installs();
        let provisioned = installs.iter().filter(|install| install.state() == State::Provisioned);
        let attached = provisioned.flat_map(|install| attachments_on(install, app).map(move |name| (install, name)));
        attached.flat_map(|(install, name)| config_vars_of(self, install, &name)).collect()
    }
}

/// Returns the config vars of an install, named for this attachment.
pub(crate) fn config_vars_of(sandbox: &Sandbox, install: &Install, attachment: &str) -> BTreeMap<String, String> {
    let prefix = &sandbox.addon().prefix;
    let renamed = |name: String| match name.strip_prefix(prefix.as_str()) {
        Some(rest) if rest.starts_with('_') => format!("{attachment}{rest}"),
        _ => name,
    };
    install.config().into_iter().map(|(name, value)| (renamed(name), value)).collect()
}

/// Returns the names of the attachments of an install to an app.
fn attachments_on(install: &Install, app: &str) -> impl Iterator<Item = String> {
    let on_app = install.attachments().into_iter().filter(move |attachment| attachment["app"]["name"] == *app);
    let names: Vec<_> = on_app.filter_map(|attachment| attachment["name"].as_str().map(str::to_owned)).collect();
    names.into_iter()
}

fn price(plan: &Plan) -> Value {
    json!({ "cents": plan.cents(), "contract": false, "metered": false, "unit": "month" })
}

fn free() -> Value {
    json!({ "cents": 0, "contract": false, "metered": false, "unit": "month" })
}
