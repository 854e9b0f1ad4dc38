//! Catalog of a service broker.

use maitre_testkit::{Reply, osb::InstanceId};
use serde_json::Value;
use time::Duration;

use super::facts::Facts;

/// Key and name of the fact with the catalog.
const FACT: (&str, &str) = ("broker", "catalog");

/// Catalog as the broker has sent it.
pub(super) struct OsbCatalog(Facts);

impl OsbCatalog {
    pub(super) fn new(facts: &Facts) -> Self {
        Self(facts.clone())
    }

    pub(super) fn is_known(&self) -> bool {
        self.0.has(FACT.0, FACT.1)
    }

    pub(super) fn record(&self, reply: &Reply) {
        if let Ok(catalog) = std::str::from_utf8(reply.body()) {
            self.0.set(FACT.0, FACT.1, catalog);
        }
    }

    /// Returns the ids of a service and a plan with this name. A plan that is not in the catalog has its name as id, which the
    /// broker refuses.
    pub(super) fn ids(&self, service: Option<&str>, plan: &str) -> (String, String) {
        let offers = self.offers();
        let is_named = |(offered, known): &&(Value, Value)| {
            known["name"] == plan && service.is_none_or(|service| offered["id"] == service)
        };
        if let Some((service, plan)) = offers.iter().find(is_named) {
            return (text(&service["id"]), text(&plan["id"]));
        }
        let first = offers.first().map(|(service, _)| text(&service["id"]));
        (service.map(str::to_owned).or(first).unwrap_or_default(), plan.to_owned())
    }

    pub(super) fn is_bindable(&self, instance: &InstanceId) -> bool {
        self.find(instance.plan_id()).is_some_and(|(service, plan)| {
            plan["bindable"].as_bool().or(service["bindable"].as_bool()).unwrap_or_default()
        })
    }

    pub(super) fn is_retrievable(&self, instance: &InstanceId) -> bool {
        self.find(instance.plan_id()).is_some_and(|(service, _)| service["instances_retrievable"] == true)
    }

    pub(super) fn maintenance_version(&self, plan_id: &str) -> Option<String> {
        self.find(plan_id)?.1["maintenance_info"]["version"].as_str().map(str::to_owned)
    }

    /// Returns the time after which a pending operation counts as failed.
    pub(super) fn maximum_polling_duration(&self, plan_id: &str) -> Option<Duration> {
        self.find(plan_id)?.1["maximum_polling_duration"].as_i64().map(Duration::seconds)
    }

    fn find(&self, plan_id: &str) -> Option<(Value, Value)> {
        self.offers().into_iter().find(|(_, plan)| plan["id"] == plan_id)
    }

    /// Returns each plan with its service.
    fn offers(&self) -> Vec<(Value, Value)> {
        let catalog = self.0.get(FACT.0, FACT.1).unwrap_or_default();
        let catalog: Value = serde_json::from_str(&catalog).unwrap_or_default();
        let services = catalog["services"].as_array().into_iter().flatten();
        let offers = services.flat_map(|service| {
            service["plans"].as_array().into_iter().flatten().map(|plan| (service.clone(), plan.clone()))
        });
        offers.collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
