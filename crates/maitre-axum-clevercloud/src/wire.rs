//! Clever Cloud's request bodies.

use maitre_axum::core::{AddonId, PlanChange, Provision, ResourceId};
use maitre_axum::{StringMap, WithExtra};
use serde::Deserialize;

/// Older payloads have `heroku_id` in place of `addon_id`, and lack the owner's name and the user.
#[derive(Deserialize)]
pub(crate) struct ProvisionBody {
    #[serde(alias = "heroku_id")]
    addon_id: String,
    plan: String,
    region: Option<String>,
    options: Option<StringMap>,
    owner_id: Option<String>,
    owner_name: Option<String>,
    user_id: Option<String>,
    callback_url: Option<String>,
    logplex_token: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct PlanChangeBody {
    plan: String,
}

pub(crate) fn provision(addon: AddonId, body: WithExtra<ProvisionBody>) -> Provision {
    let WithExtra { fields: body, extra } = body;
    let mut request = Provision::new(addon, body.addon_id, body.plan);
    request.region = body.region;
    request.parameters = body.options.unwrap_or_default().0.into();
    request.details = extra.into();
    request.details.extend_some([
        ("owner_id", body.owner_id),
        ("owner_name", body.owner_name),
        ("user_id", body.user_id),
        ("callback_url", body.callback_url),
        ("logplex_token", body.logplex_token),
    ]);
    request
}

pub(crate) fn plan_change(addon: AddonId, id: ResourceId, body: WithExtra<PlanChangeBody>) -> PlanChange {
    let mut request = PlanChange::new(addon, id, body.fields.plan);
    request.details = body.extra.into();
    request
}
