//! Catalog of an add-on: services and plans, as a value.

mod error;
mod plan;
mod price;
mod rules;
mod schema;
mod service;

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use error::{CatalogError, CatalogRejection, RejectionKind};
pub use plan::Plan;
pub use price::{Price, PriceUnit};
pub use service::{Requirement, Service};

use crate::capabilities::Capabilities;
use crate::fields::Fields;
use schema::Schema;

/// Services and plans of an add-on, for marketplaces that read them from the vendor.
///
/// A catalog is valid once it is built: ids and names are unique, no text is empty, and every parameter schema can be
/// checked. An error names the path. The JSON form is the catalog of Open Service Broker, in both directions.
///
/// ```
/// use maitre_core::catalog::{Catalog, Plan, Price, Service};
/// use maitre_core::Fields;
/// use serde_json::json;
///
/// let basic = Plan::new("8d1c", "basic", "Three lanterns").with_price(Price::monthly(2900, "USD"));
/// let basic = basic.with_provision_schema(json!({
///     "type": "object",
///     "properties": { "retention": { "enum": ["7d", "30d"] } },
///     "additionalProperties": false
/// }));
/// let service = Service::new("4a70", "lantern", "Lanterns as a service").with_plan(basic).with_bindable(true);
/// let catalog = Catalog::new([service])?;
///
/// let offer = catalog.find("4a70", "8d1c")?;
/// assert_eq!((offer.service.name(), offer.plan.name()), ("lantern", "basic"));
/// let parameters: Fields = [("retention", "8d")].into_iter().collect();
/// let error = offer.check_provision(&parameters).unwrap_err();
/// assert_eq!(error.to_string(), "parameters.retention: it must be one of \"7d\", \"30d\"");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Serialize)]
pub struct Catalog {
    services: Vec<Service>,
}

impl Catalog {
    /// Creates a catalog.
    ///
    /// # Errors
    /// Returns an error that names the path of the first problem, such as `services[0].plans[1].id`.
    pub fn new(services: impl IntoIterator<Item = Service>) -> Result<Self, CatalogError> {
        let catalog = Self { services: services.into_iter().collect() };
        rules::check(&catalog.services)?;
        Ok(catalog)
    }

    /// Parses the JSON form: `{ "services": […] }`. Unknown fields are errors; put the marketplace's own into `metadata`.
    ///
    /// # Errors
    /// Returns an error that names the path of the first problem.
    ///
    /// ```
    /// use maitre_core::catalog::Catalog;
    ///
    /// let error = Catalog::parse(r#"{ "services": [{ "id": "4a70", "name": "lan tern", "description": "Lanterns",
    ///     "bindable": true, "plans": [] }] }"#).unwrap_err();
    /// assert_eq!(error.path(), "services[0].name");
    /// ```
    pub fn parse(json: &str) -> Result<Self, CatalogError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            services: Vec<Service>,
        }
        let file = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(json));
        let file: File = file.map_err(|error| CatalogError::from_json(&error))?;
        Self::new(file.services)
    }

    /// Reads a file with the JSON form.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or that names the path of the first problem.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, CatalogError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|error| CatalogError::unreadable(path, &error))?;
        Self::parse(&text)
    }

    /// Returns the catalog without the offers that a listener without these capabilities does not support: rotation and
    /// parameters of bindings, and parameters of updates where the plan cannot be changed either.
    #[must_use]
    pub fn limited_to(mut self, capabilities: Capabilities) -> Self {
        self.services.iter_mut().for_each(|service| service.limit(capabilities));
        self
    }

    /// Returns the services.
    #[must_use]
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Finds a service by its id.
    ///
    /// # Errors
    /// Returns an error of the kind [`RejectionKind::Service`] if the catalog has no such service.
    pub fn find_service(&self, id: &str) -> Result<&Service, CatalogRejection> {
        self.services.iter().find(|service| service.id() == id).ok_or_else(CatalogRejection::service)
    }

    /// Finds a plan by the ids of the service and the plan.
    ///
    /// # Errors
    /// Returns an error if the catalog has no such service, or the service no such plan.
    pub fn find(&self, service_id: &str, plan_id: &str) -> Result<Offer<'_>, CatalogRejection> {
        let service = self.find_service(service_id)?;
        let plan = service.plans().iter().find(|plan| plan.id() == plan_id);
        Ok(Offer { service, plan: plan.ok_or_else(CatalogRejection::plan)? })
    }

    /// Finds a plan by the names of the service and the plan, as a listener receives them. Without a service, the plan is
    /// found in the first service that has it.
    #[must_use]
    pub fn find_named(&self, service: Option<&str>, plan: &str) -> Option<Offer<'_>> {
        let mut services = self.services.iter().filter(|it| service.is_none_or(|name| it.name() == name));
        services.find_map(|service| {
            let plan = service.plans().iter().find(|it| it.name() == plan)?;
            Some(Offer { service, plan })
        })
    }
}

/// A plan of a catalog, with its service.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Offer<'a> {
    /// The service.
    pub service: &'a Service,
    /// The plan.
    pub plan: &'a Plan,
}

impl Offer<'_> {
    /// Returns whether resources of this plan can be bound: the plan's own setting, or the service's.
    #[must_use]
    pub fn is_bindable(&self) -> bool {
        self.plan.bindable().unwrap_or(self.service.bindable())
    }

    /// Returns whether the customer may change to another plan: the plan's own setting, or the service's.
    #[must_use]
    pub fn is_plan_updateable(&self) -> bool {
        self.plan.plan_updateable().unwrap_or(self.service.plan_updateable())
    }

    /// Checks the parameters of a provision.
    ///
    /// # Errors
    /// Returns an error that names the path of the parameter, and quotes no value of the caller.
    pub fn check_provision(&self, parameters: &Fields) -> Result<(), CatalogRejection> {
        check(self.plan.schemas().provision(), parameters)
    }

    /// Checks the parameters of an update or a plan change.
    ///
    /// # Errors
    /// Returns an error that names the path of the parameter, and quotes no value of the caller.
    pub fn check_update(&self, parameters: &Fields) -> Result<(), CatalogRejection> {
        check(self.plan.schemas().update(), parameters)
    }

    /// Checks the parameters of a bind.
    ///
    /// # Errors
    /// Returns an error that names the path of the parameter, and quotes no value of the caller.
    pub fn check_bind(&self, parameters: &Fields) -> Result<(), CatalogRejection> {
        check(self.plan.schemas().bind(), parameters)
    }
}

fn check(schema: Option<&Schema>, parameters: &Fields) -> Result<(), CatalogRejection> {
    schema.map_or(Ok(()), |schema| schema.check(parameters.as_map()).map_err(CatalogRejection::parameter))
}

#[cfg(test)]
mod tests;
