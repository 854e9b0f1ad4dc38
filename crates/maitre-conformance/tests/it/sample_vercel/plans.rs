//! Lists of plans.

use std::time::Duration;

use axum::response::Response;
use serde_json::{Value, json};

use super::request::Received;
use super::{Answer, Fault, PLANS, PRODUCT, SampleVercel, refused, response};

/// Returns a plan in Vercel's form.
pub(super) fn plan(id: &str) -> Value {
    let is_paid = PLANS.iter().any(|(name, is_paid)| *name == id && *is_paid);
    let cost = if is_paid { "$9.00/month" } else { "$0.00/month" };
    json!({ "id": id, "type": "subscription", "name": id, "description": "Pomelos", "scope": "resource",
            "paymentMethodRequired": is_paid, "cost": cost, "details": [{ "label": "Pomelos" }] })
}

impl SampleVercel {
    pub(super) async fn product_plans(&self, product: &str, received: &Received) -> Answer {
        if product != PRODUCT && !self.is(Fault::AnyProductHasPlans) {
            return Err(refused(404));
        }
        if let Some(metadata) = received.parameter("metadata") {
            let is_object = serde_json::from_str::<Value>(&metadata).is_ok_and(|metadata| metadata.is_object());
            match self.fault {
                Fault::InvalidMetadataIs500 if !is_object => return Err(refused(500)),
                Fault::MetadataIs400 => return Err(refused(400)),
                _ if !is_object => return Err(refused(400)),
                _ => {}
            }
        }
        let mut plans: Vec<_> = PLANS.iter().map(|(name, _)| plan(name)).collect();
        match self.fault {
            Fault::PlansAreAList => return Ok(response(200, &plans.into())),
            Fault::PlanWithoutDescription => drop(plans[0].as_object_mut().unwrap().remove("description")),
            Fault::CostIsNumber => plans[1]["cost"] = json!(9),
            Fault::PlanIsNotListed => drop(plans.remove(0)),
            Fault::TwoPlansWithOneId => plans.push(plan("basic")),
            Fault::SlowPlans => tokio::time::sleep(Duration::from_millis(3_100)).await,
            _ => {}
        }
        Ok(response(200, &json!({ "plans": plans })))
    }

    pub(super) fn installation_plans(&self) -> Response {
        if self.is(Fault::InstallationPlansAreText) {
            return response(200, &"none".into());
        }
        response(200, &json!({ "plans": [] }))
    }

    pub(super) fn resource_plans(&self) -> Answer {
        if self.is(Fault::ResourcePlansIs500) {
            return Err(refused(500));
        }
        Ok(response(200, &json!({ "plans": [plan("basic"), plan("premium")] })))
    }
}
