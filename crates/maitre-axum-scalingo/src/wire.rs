//! Scalingo's request and response bodies.

use maitre_axum::core::{AddonId, Fields, PlanChange, Provision, ResourceId};
use maitre_axum::{ErrorReply, ReplyBody, WithExtra};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

#[derive(Deserialize)]
pub(crate) struct ProvisionBody {
    plan: Option<String>,
    app_id: String,
    uuid: Option<String>,
    options: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
pub(crate) struct PlanChangeBody {
    plan: Option<String>,
    options: Option<Map<String, Value>>,
}

/// Body of the response to a provision.
#[derive(Serialize)]
pub(crate) struct ProvisionReply<'a> {
    #[serde(flatten)]
    pub(crate) reply: ReplyBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_drain_url: Option<&'a str>,
}

pub(crate) fn provision(addon: AddonId, body: WithExtra<ProvisionBody>) -> Result<Provision, ErrorReply> {
    let WithExtra { fields: body, extra } = body;
    let keyed = body.uuid.is_some();
    let key = body.uuid.unwrap_or_else(|| Uuid::new_v4().to_string());
    let mut request = Provision::new(addon, key, required(body.plan)?);
    request.parameters = body.options.unwrap_or_default().into();
    request.details = extra.into();
    request.details.insert("app_id", body.app_id);
    request.context.keyed = keyed;
    Ok(request)
}

pub(crate) fn plan_change(
    addon: AddonId,
    id: ResourceId,
    body: WithExtra<PlanChangeBody>,
) -> Result<PlanChange, ErrorReply> {
    let mut request = PlanChange::new(addon, id, required(body.fields.plan)?);
    request.parameters = body.fields.options.map(Fields::from);
    request.details = body.extra.into();
    Ok(request)
}

fn required(plan: Option<String>) -> Result<String, ErrorReply> {
    plan.ok_or_else(|| ErrorReply::unprocessable("The plan is missing."))
}
