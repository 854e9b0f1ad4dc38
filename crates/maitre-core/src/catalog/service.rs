//! Services of a catalog.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::plan::Plan;
use crate::capabilities::Capabilities;
use crate::fields::Fields;

/// A service of a catalog: one product, with its plans.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent fields of the JSON form")]
pub struct Service {
    id: String,
    name: String,
    description: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    requires: Vec<Requirement>,
    bindable: bool,
    #[serde(default)]
    instances_retrievable: bool,
    #[serde(default)]
    bindings_retrievable: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    allow_context_updates: bool,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "expose")]
    dashboard_client: Option<Fields>,
    #[serde(default)]
    plan_updateable: bool,
    plans: Vec<Plan>,
}

/// Writes the dashboard client with its secret, which the platform needs.
#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn expose<S: Serializer>(client: &Option<Fields>, serializer: S) -> Result<S::Ok, S::Error> {
    client.as_ref().map(Fields::as_map).serialize(serializer)
}

/// Permission that a service needs from the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Requirement {
    /// Bindings have a URL that receives the app's log.
    SyslogDrain,
    /// Bindings have a URL that the app's requests pass through.
    RouteForwarding,
    /// Bindings have volumes.
    VolumeMount,
}

impl Service {
    /// Creates a service without plans. Its id must never change; its name has only letters, digits, `-` and `.`.
    pub fn new(id: impl Into<String>, name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            description: description.into(),
            tags: Vec::new(),
            requires: Vec::new(),
            bindable: false,
            instances_retrievable: false,
            bindings_retrievable: false,
            allow_context_updates: false,
            metadata: Map::new(),
            dashboard_client: None,
            plan_updateable: false,
            plans: Vec::new(),
        }
    }

    /// Adds a plan.
    #[must_use]
    pub fn with_plan(mut self, plan: Plan) -> Self {
        self.plans.push(plan);
        self
    }

    /// Adds a tag, such as `mysql`.
    #[must_use]
    pub fn with_tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Adds a permission that the service needs.
    #[must_use]
    pub fn with_requirement(mut self, requirement: Requirement) -> Self {
        self.requires.push(requirement);
        self
    }

    /// Sets whether resources can be bound. Defaults to `false`.
    #[must_use]
    pub fn with_bindable(mut self, bindable: bool) -> Self {
        self.bindable = bindable;
        self
    }

    /// Sets whether the customer may change the plan. Defaults to `false`.
    #[must_use]
    pub fn with_plan_updateable(mut self, updateable: bool) -> Self {
        self.plan_updateable = updateable;
        self
    }

    /// Sets whether the platform may read resources, which needs a ledger. Defaults to `false`.
    #[must_use]
    pub fn with_instances_retrievable(mut self, retrievable: bool) -> Self {
        self.instances_retrievable = retrievable;
        self
    }

    /// Sets whether the platform may read bindings, which needs a ledger. Asynchronous bindings need it. Defaults to
    /// `false`.
    #[must_use]
    pub fn with_bindings_retrievable(mut self, retrievable: bool) -> Self {
        self.bindings_retrievable = retrievable;
        self
    }

    /// Sets whether the platform sends an update when only its own data of a resource, such as the name, has changed.
    /// Defaults to `false`.
    #[must_use]
    pub fn with_context_updates(mut self, allowed: bool) -> Self {
        self.allow_context_updates = allowed;
        self
    }

    /// Sets a field of the metadata, such as `displayName`.
    #[must_use]
    pub fn with_metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Sets the OAuth client of the dashboard (Cloud Foundry: `id`, `secret`, `redirect_uri`).
    #[must_use]
    pub fn with_dashboard_client(mut self, client: impl Into<Fields>) -> Self {
        self.dashboard_client = Some(client.into());
        self
    }

    /// Removes what a listener without these capabilities does not support.
    pub(super) fn limit(&mut self, capabilities: Capabilities) {
        let plan_updateable = self.plan_updateable;
        self.plans.iter_mut().for_each(|plan| plan.limit(capabilities, plan_updateable));
    }

    /// Returns the id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the description.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns the plans.
    #[must_use]
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// Returns the tags.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// Returns the permissions that the service needs.
    #[must_use]
    pub fn requirements(&self) -> &[Requirement] {
        &self.requires
    }

    /// Returns whether resources can be bound, unless a plan decides otherwise.
    #[must_use]
    pub fn bindable(&self) -> bool {
        self.bindable
    }

    /// Returns whether the customer may change the plan, unless a plan decides otherwise.
    #[must_use]
    pub fn plan_updateable(&self) -> bool {
        self.plan_updateable
    }

    /// Returns whether the platform may read resources.
    #[must_use]
    pub fn instances_retrievable(&self) -> bool {
        self.instances_retrievable
    }

    /// Returns whether the platform may read bindings.
    #[must_use]
    pub fn bindings_retrievable(&self) -> bool {
        self.bindings_retrievable
    }

    /// Returns whether the platform sends an update when only its own data of a resource has changed.
    #[must_use]
    pub fn context_updates(&self) -> bool {
        self.allow_context_updates
    }

    /// Returns the OAuth client of the dashboard.
    #[must_use]
    pub fn dashboard_client(&self) -> Option<&Fields> {
        self.dashboard_client.as_ref()
    }

    /// Returns the metadata.
    #[must_use]
    pub fn metadata(&self) -> &Map<String, Value> {
        &self.metadata
    }
}
