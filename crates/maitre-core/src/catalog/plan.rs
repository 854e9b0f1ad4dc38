//! Plans of a service.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::price::Price;
use super::schema::Schema;
use crate::capabilities::{Capabilities, Capability};

/// A plan of a service.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "names of the JSON form")]
pub struct Plan {
    id: String,
    name: String,
    description: String,
    #[serde(default = "yes")]
    free: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bindable: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan_updateable: Option<bool>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    binding_rotatable: bool,
    /// In seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maximum_polling_duration: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maintenance_info: Option<MaintenanceInfo>,
    #[serde(default, skip_serializing_if = "Schemas::is_empty")]
    schemas: Schemas,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Value>,
}

fn yes() -> bool {
    true
}

/// Version of a plan's software, which the platform sends back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MaintenanceInfo {
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

/// Schemas of the parameters of a plan.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Schemas {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service_instance: Option<InstanceSchemas>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service_binding: Option<BindingSchemas>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InstanceSchemas {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    create: Option<Parameters>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    update: Option<Parameters>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BindingSchemas {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    create: Option<Parameters>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parameters: Option<Schema>,
}

impl Parameters {
    fn new(schema: Value) -> Self {
        Self { parameters: Some(Schema::new(schema)) }
    }
}

impl Schemas {
    fn is_empty(&self) -> bool {
        self.service_instance.is_none() && self.service_binding.is_none()
    }

    pub(super) fn provision(&self) -> Option<&Schema> {
        self.service_instance.as_ref()?.create.as_ref()?.parameters.as_ref()
    }

    pub(super) fn update(&self) -> Option<&Schema> {
        self.service_instance.as_ref()?.update.as_ref()?.parameters.as_ref()
    }

    pub(super) fn bind(&self) -> Option<&Schema> {
        self.service_binding.as_ref()?.create.as_ref()?.parameters.as_ref()
    }

    /// Returns each schema with its path below the plan.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &Schema)> {
        let schemas = [
            ("schemas.service_instance.create.parameters", self.provision()),
            ("schemas.service_instance.update.parameters", self.update()),
            ("schemas.service_binding.create.parameters", self.bind()),
        ];
        schemas.into_iter().filter_map(|(path, schema)| Some((path, schema?)))
    }
}

impl Plan {
    /// Creates a plan, free until it has a [price](Self::with_price). Its id must never change; its name has only letters,
    /// digits, `-` and `.`.
    pub fn new(id: impl Into<String>, name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            description: description.into(),
            free: true,
            bindable: None,
            plan_updateable: None,
            binding_rotatable: false,
            maximum_polling_duration: None,
            maintenance_info: None,
            schemas: Schemas::default(),
            metadata: Map::new(),
        }
    }

    /// Adds a price. The plan is no longer free.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a setter takes its value")]
    pub fn with_price(mut self, price: Price) -> Self {
        self.free = false;
        match self.metadata.get_mut("costs") {
            Some(Value::Array(costs)) => costs.push(price.to_cost()),
            _ => drop(self.metadata.insert("costs".to_owned(), vec![price.to_cost()].into())),
        }
        self
    }

    /// Sets whether the plan is free.
    #[must_use]
    pub fn with_free(mut self, free: bool) -> Self {
        self.free = free;
        self
    }

    /// Sets whether resources of this plan can be bound. Defaults to the service's setting.
    #[must_use]
    pub fn with_bindable(mut self, bindable: bool) -> Self {
        self.bindable = Some(bindable);
        self
    }

    /// Sets whether the customer may change from this plan to another. Defaults to the service's setting.
    #[must_use]
    pub fn with_plan_updateable(mut self, updateable: bool) -> Self {
        self.plan_updateable = Some(updateable);
        self
    }

    /// Sets whether the platform may replace a binding by a new one with other credentials. Defaults to `false`.
    #[must_use]
    pub fn with_binding_rotatable(mut self, rotatable: bool) -> Self {
        self.binding_rotatable = rotatable;
        self
    }

    /// Sets how long the platform polls an operation, in whole seconds. Defaults to the platform's setting.
    #[must_use]
    pub fn with_maximum_polling_duration(mut self, duration: Duration) -> Self {
        self.maximum_polling_duration = Some(duration.as_secs());
        self
    }

    /// Sets the version of the plan's software, such as `2.1.0+abcdef`.
    #[must_use]
    pub fn with_maintenance_version(mut self, version: impl Into<String>, description: impl Into<String>) -> Self {
        self.maintenance_info =
            Some(MaintenanceInfo { version: version.into(), description: Some(description.into()) });
        self
    }

    /// Sets the JSON schema of the parameters of a provision.
    ///
    /// Keywords: those of draft 4 but `pattern`, `patternProperties`, `dependencies` and `$ref`; `const` and numeric
    /// `exclusiveMinimum` and `exclusiveMaximum` of later drafts. A catalog with other keywords is not valid. `format` is
    /// not checked.
    #[must_use]
    pub fn with_provision_schema(mut self, schema: Value) -> Self {
        self.schemas.service_instance.get_or_insert_default().create = Some(Parameters::new(schema));
        self
    }

    /// Sets the JSON schema of the parameters of an update or a plan change; see
    /// [`with_provision_schema`](Self::with_provision_schema).
    #[must_use]
    pub fn with_update_schema(mut self, schema: Value) -> Self {
        self.schemas.service_instance.get_or_insert_default().update = Some(Parameters::new(schema));
        self
    }

    /// Sets the JSON schema of the parameters of a bind; see [`with_provision_schema`](Self::with_provision_schema).
    #[must_use]
    pub fn with_bind_schema(mut self, schema: Value) -> Self {
        self.schemas.service_binding.get_or_insert_default().create = Some(Parameters::new(schema));
        self
    }

    /// Sets a field of the metadata, such as `bullets`.
    #[must_use]
    pub fn with_metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Removes what a listener without these capabilities does not support.
    pub(super) fn limit(&mut self, capabilities: Capabilities, service_is_updateable: bool) {
        if !capabilities.contains(Capability::Bind) {
            self.binding_rotatable = false;
            self.schemas.service_binding = None;
        }
        let takes_parameters =
            capabilities.contains(Capability::Update) || self.plan_updateable.unwrap_or(service_is_updateable);
        if let Some(schemas) = self.schemas.service_instance.as_mut().filter(|_| !takes_parameters) {
            schemas.update = None;
        }
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

    /// Returns whether the plan is free.
    #[must_use]
    pub fn free(&self) -> bool {
        self.free
    }

    /// Returns the prices: the entries of `metadata.costs`.
    #[must_use]
    pub fn prices(&self) -> Vec<Price> {
        Price::from_metadata(&self.metadata)
    }

    /// Returns the plan's own setting of whether resources can be bound; see [`Offer::is_bindable`](super::Offer).
    #[must_use]
    pub fn bindable(&self) -> Option<bool> {
        self.bindable
    }

    /// Returns the plan's own setting of whether the customer may change the plan; see
    /// [`Offer::is_plan_updateable`](super::Offer).
    #[must_use]
    pub fn plan_updateable(&self) -> Option<bool> {
        self.plan_updateable
    }

    /// Returns whether the platform may replace a binding by a new one with other credentials.
    #[must_use]
    pub fn binding_rotatable(&self) -> bool {
        self.binding_rotatable
    }

    /// Returns how long the platform polls an operation.
    #[must_use]
    pub fn maximum_polling_duration(&self) -> Option<Duration> {
        self.maximum_polling_duration.map(Duration::from_secs)
    }

    /// Returns the version of the plan's software.
    #[must_use]
    pub fn maintenance_version(&self) -> Option<&str> {
        self.maintenance_info.as_ref().map(|info| info.version.as_str())
    }

    /// Returns the metadata.
    #[must_use]
    pub fn metadata(&self) -> &Map<String, Value> {
        &self.metadata
    }

    /// Returns the JSON schema of the parameters of a provision.
    #[must_use]
    pub fn provision_schema(&self) -> Option<&Value> {
        self.schemas.provision().map(Schema::source)
    }

    /// Returns the JSON schema of the parameters of an update or a plan change.
    #[must_use]
    pub fn update_schema(&self) -> Option<&Value> {
        self.schemas.update().map(Schema::source)
    }

    /// Returns the JSON schema of the parameters of a bind.
    #[must_use]
    pub fn bind_schema(&self) -> Option<&Value> {
        self.schemas.bind().map(Schema::source)
    }

    pub(super) fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    pub(super) fn maximum_polling_seconds(&self) -> Option<u64> {
        self.maximum_polling_duration
    }
}
