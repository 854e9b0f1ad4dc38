//! cloudControl's request bodies.

use maitre_axum::core::{AddonId, PlanChange, Provision, ResourceId};
use maitre_axum::{StringMap, WithExtra};
use serde::Deserialize;

use uuid::Uuid;

/// The checker that cloudControl recommended sends `heroku_id` instead of `cloudcontrol_id`.
#[derive(Deserialize)]
pub(crate) struct ProvisionBody {
    plan: String,
    cloudcontrol_id: Option<String>,
    heroku_id: Option<String>,
    callback_url: Option<String>,
    options: Option<StringMap>,
    region: Option<String>,
    logplex_token: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct PlanChangeBody {
    plan: String,
    cloudcontrol_id: Option<String>,
    heroku_id: Option<String>,
}

pub(crate) fn provision(addon: AddonId, keyed: bool, body: WithExtra<ProvisionBody>) -> Provision {
    let WithExtra { fields: body, extra } = body;
    let deployment = body.cloudcontrol_id.or(body.heroku_id);
    let key = deployment.clone().filter(|deployment| keyed && !deployment.is_empty());
    let keyed = key.is_some();
    let mut request = Provision::new(addon, key.unwrap_or_else(|| Uuid::new_v4().to_string()), body.plan);
    request.context.keyed = keyed;
    request.parameters = body.options.unwrap_or_default().0.into();
    request.region = body.region;
    request.details = extra.into();
    request.details.extend_some([
        ("cloudcontrol_id", deployment),
        ("callback_url", body.callback_url),
        ("logplex_token", body.logplex_token),
    ]);
    request
}

pub(crate) fn plan_change(addon: AddonId, id: ResourceId, body: WithExtra<PlanChangeBody>) -> PlanChange {
    let mut request = PlanChange::new(addon, id, body.fields.plan);
    let deployment = body.fields.cloudcontrol_id.or(body.fields.heroku_id);
    request.details = body.extra.into();
    request.details.extend_some([("cloudcontrol_id", deployment)]);
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CloudControlProvision;
    use serde_json::{Value, json};

    fn read(keyed: bool, body: &Value) -> Provision {
        provision(AddonId::new("cloudcontrol", "papaya"), keyed, serde_json::from_value(body.clone()).unwrap())
    }

    #[test]
    fn documented_fields_are_parsed_and_others_are_kept() {
        let request = read(
            false,
            &json!({ "cloudcontrol_id": "depq7w8e9r0@cloudcontrolled.com", "plan": "starter", "options": { "locale": "de" },
                "callback_url": "https://api.cloudcontrol.com/vendor/apps/depq7w8e9r0%40cloudcontrolled.com",
                "region": null, "logplex_token": "t", "tags": 1 }),
        );
        let details = request.view::<CloudControlProvision>().unwrap();
        assert_eq!(details.cloudcontrol_id.as_deref(), Some("depq7w8e9r0@cloudcontrolled.com"));
        assert_eq!(
            (request.plan.as_str(), request.parameters.text("locale"), request.region),
            ("starter", Some("de"), None)
        );
        assert!(details.callback_url.is_some() && details.logplex_token.is_some());
        assert_eq!(Value::from(details.extra), json!({ "tags": 1 }));
    }

    #[test]
    fn the_deployment_is_the_key_only_if_enabled() {
        let body = json!({ "cloudcontrol_id": "dep1", "plan": "starter" });
        assert_ne!(read(false, &body).resource, read(false, &body).resource);
        assert_eq!(read(true, &body).resource.as_str(), "dep1");
        assert_ne!(read(true, &json!({ "plan": "starter" })).resource.as_str(), "");
    }
}
