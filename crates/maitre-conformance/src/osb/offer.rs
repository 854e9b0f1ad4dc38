//! The service and the plans of a catalog that a run provisions.

use serde_json::Value;

/// Service and plans that are provisioned.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) service_id: String,
    pub(super) plan: Plan,
    /// Plan that instances are changed to.
    pub(super) other_plan: Option<Plan>,
    pub(super) instances_retrievable: bool,
    pub(super) bindings_retrievable: bool,
    /// Permissions that the service requires.
    pub(super) requires: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) bindable: bool,
    pub(super) updateable: bool,
    pub(super) maintenance_version: Option<String>,
}

impl Offer {
    /// Chooses a service with bindings and several plans, or the service with these plans, by name or id.
    ///
    /// Returns `None` if the catalog has no such service.
    pub(super) fn choose(catalog: &Value, plans: &[String]) -> Option<Self> {
        let offers: Vec<_> = services(catalog).filter_map(|service| Self::of(service, plans)).collect();
        offers.into_iter().max_by_key(Self::score)
    }

    fn of(service: &Value, names: &[String]) -> Option<Self> {
        let plans: Vec<_> = plans(service).filter_map(|plan| Plan::of(service, plan)).collect();
        let find = |name: &String| plans.iter().find(|plan| plan.name == *name || plan.id == *name).cloned();
        let (plan, other_plan) = match names {
            [] => {
                let best = plans.iter().max_by_key(|plan| (plan.bindable, plan.updateable))?;
                // the first of the best
                let plan =
                    plans.iter().find(|plan| (plan.bindable, plan.updateable) == (best.bindable, best.updateable))?;
                (plan.clone(), plans.iter().find(|other| other.id != plan.id).cloned())
            }
            [name] => (find(name)?, None),
            [name, other, ..] => (find(name)?, Some(find(other)?)),
        };
        let strings = |name: &str| service[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        Some(Self {
            service_id: service["id"].as_str()?.to_owned(),
            plan,
            other_plan,
            instances_retrievable: service["instances_retrievable"] == true,
            bindings_retrievable: service["bindings_retrievable"] == true,
            requires: strings("requires").map(ToOwned::to_owned).collect(),
        })
    }

    fn score(&self) -> (bool, bool, bool) {
        (self.plan.bindable, self.other_plan.is_some(), self.plan.updateable)
    }
}

impl Plan {
    fn of(service: &Value, plan: &Value) -> Option<Self> {
        let flag = |name: &str| plan[name].as_bool().or_else(|| service[name].as_bool()).unwrap_or_default();
        Some(Self {
            id: plan["id"].as_str()?.to_owned(),
            name: plan["name"].as_str().unwrap_or_default().to_owned(),
            bindable: flag("bindable"),
            updateable: flag("plan_updateable"),
            maintenance_version: plan["maintenance_info"]["version"].as_str().map(ToOwned::to_owned),
        })
    }
}

/// Returns the services of a catalog.
pub(super) fn services(catalog: &Value) -> impl Iterator<Item = &Value> {
    catalog["services"].as_array().into_iter().flatten()
}

/// Returns the plans of a service.
pub(super) fn plans(service: &Value) -> impl Iterator<Item = &Value> {
    service["plans"].as_array().into_iter().flatten()
}

/// Returns the names of all plans of a catalog.
pub(super) fn plan_names(catalog: &Value) -> Vec<String> {
    services(catalog).flat_map(plans).filter_map(|plan| plan["name"].as_str().map(ToOwned::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bindable_service_with_several_plans_is_preferred() {
        let plan = |name: &str| json!({ "id": format!("p-{name}"), "name": name });
        let catalog = json!({ "services": [
            { "id": "s-1", "bindable": false, "plans": [plan("a"), plan("b")] },
            { "id": "s-2", "bindable": true, "plan_updateable": true, "plans": [plan("c"), plan("d")] },
        ] });
        let offer = Offer::choose(&catalog, &[]).unwrap();
        assert_eq!((offer.service_id.as_str(), offer.plan.id.as_str()), ("s-2", "p-c"));
        assert_eq!(offer.other_plan.map(|plan| plan.id).as_deref(), Some("p-d"));
        let named = Offer::choose(&catalog, &["p-b".to_owned()]).unwrap();
        assert_eq!((named.plan.name.as_str(), named.plan.bindable), ("b", false));
        assert!(Offer::choose(&catalog, &["a".to_owned(), "c".to_owned()]).is_none(), "plans of two services");
        assert_eq!(plan_names(&catalog), ["a", "b", "c", "d"]);
    }
}
