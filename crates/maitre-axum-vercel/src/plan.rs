//! Plans in Vercel's form, from the catalog.

use maitre_axum::core::catalog::{Plan, Price, PriceUnit, Service};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// Metadata of a plan with fields of Vercel's form, which replace those from the catalog.
const METADATA: &str = "vercel";

/// Returns whether a plan is for whole installations: its metadata says `"vercel": { "scope": "installation" }`.
pub(crate) fn is_of_installation(plan: &Plan) -> bool {
    let scope = plan.metadata().get(METADATA).and_then(|fields| fields.get("scope"));
    scope.and_then(Value::as_str) == Some("installation")
}

/// A plan in Vercel's form.
pub(crate) struct PlanBody<'p>(pub(crate) &'p Plan);

impl Serialize for PlanBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(plan) = self;
        let name = plan.metadata().get("displayName").and_then(Value::as_str).unwrap_or(plan.name());
        let mut fields = PlanFields {
            map: serializer.serialize_map(None)?,
            own: plan.metadata().get(METADATA).and_then(Value::as_object),
        };
        fields.map.serialize_entry("id", plan.name())?; // later requests name the plan by it
        fields.add("type", "subscription")?;
        fields.add("name", name)?;
        fields.add("description", plan.description())?;
        fields.add("scope", "resource")?;
        fields.add("paymentMethodRequired", &!plan.free())?;
        if let Some(price) = plan.prices().first() {
            fields.add("cost", &cost(price))?;
        }
        for (name, value) in fields.own.into_iter().flatten().filter(|(name, _)| *name != "id") {
            fields.map.serialize_entry(name, value)?;
        }
        fields.map.end()
    }
}

/// Fields being written, of which the plan's metadata has some of its own.
struct PlanFields<'p, M> {
    map: M,
    own: Option<&'p Map<String, Value>>,
}

impl<M: SerializeMap> PlanFields<'_, M> {
    fn add(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), M::Error> {
        if self.own.is_some_and(|own| own.contains_key(name)) {
            return Ok(());
        }
        self.map.serialize_entry(name, value)
    }
}

/// Returns the text of a price, such as `$9.00/month`.
fn cost(price: &Price) -> String {
    let (whole, cents) = (price.cents() / 100, price.cents() % 100);
    let unit = match price.unit() {
        PriceUnit::Hour => "hour",
        PriceUnit::Month => "month",
        PriceUnit::Other(unit) => unit,
        _ => "unit",
    };
    if price.currency().eq_ignore_ascii_case("usd") {
        format!("${whole}.{cents:02}/{unit}")
    } else {
        format!("{whole}.{cents:02} {}/{unit}", price.currency())
    }
}

/// Returns the plan of a product with this name. Plans of whole installations cannot be ordered for a resource.
pub(crate) fn find<'s>(product: &'s Service, plan: &str) -> Option<&'s Plan> {
    product.plans().iter().find(|known| known.name() == plan && !is_of_installation(known))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan_json(plan: &Plan) -> Value {
        serde_json::to_value(PlanBody(plan)).unwrap()
    }

    #[test]
    fn a_plan_has_its_price_and_what_its_metadata_adds() {
        let plan = Plan::new("p-1", "pro", "50 GB").with_price(Price::monthly(2905, "USD"));
        let plan = plan.with_metadata("vercel", json!({ "details": [{ "label": "50 GB" }], "id": "another" }));
        assert_eq!(
            plan_json(&plan),
            json!({ "id": "pro", "type": "subscription", "name": "pro", "description": "50 GB", "scope": "resource",
                    "paymentMethodRequired": true, "cost": "$29.05/month", "details": [{ "label": "50 GB" }] })
        );
        assert!(!is_of_installation(&plan));
        let free = Plan::new("p-2", "team", "Teams").with_metadata("vercel", json!({ "scope": "installation" }));
        assert_eq!(
            (plan_json(&free)["paymentMethodRequired"].as_bool(), is_of_installation(&free)),
            (Some(false), true)
        );
        let other = Plan::new("p-3", "eu", "EU").with_price(Price::monthly(100, "EUR"));
        assert_eq!(plan_json(&other)["cost"], "1.00 EUR/month");
    }
}
