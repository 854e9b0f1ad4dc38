//! DigitalOcean's request bodies.

use maitre_axum::core::{AddonId, Notice, NoticeKind, PlanChange, Provision, Reinstate, ResourceId, Suspend};
use maitre_axum::{ErrorReply, Event, GrantBody, WithExtra};
use serde::Deserialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;

#[derive(Deserialize)]
pub(crate) struct ProvisionBody {
    uuid: String,
    plan_slug: String,
    resource_name: Option<String>,
    metadata: Option<Map<String, Value>>,
    /// Predecessor of `metadata`, sent in 2021.
    options: Option<Map<String, Value>>,
    oauth_grant: Option<GrantBody>,
    app_slug: Option<String>,
    email: Option<String>,
    creator_id: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct PlanChangeBody {
    plan_slug: String,
}

#[derive(Deserialize)]
pub(crate) struct Notification {
    #[serde(rename = "type")]
    kind: String,
    payload: Map<String, Value>,
}

pub(crate) fn provision(addon: AddonId, body: WithExtra<ProvisionBody>, now: OffsetDateTime) -> Provision {
    let WithExtra { fields: body, extra } = body;
    let mut request = Provision::new(addon, body.uuid, body.plan_slug);
    request.name = body.resource_name;
    request.parameters = body.metadata.or(body.options).unwrap_or_default().into();
    request.oauth_grant = body.oauth_grant.and_then(|grant| grant.into_grant(now));
    request.details = extra.into();
    let details = [("app_slug", body.app_slug), ("email", body.email), ("creator_id", body.creator_id)];
    request.details.extend_some(details);
    request
}

pub(crate) fn plan_change(addon: AddonId, id: ResourceId, body: WithExtra<PlanChangeBody>) -> PlanChange {
    let mut request = PlanChange::new(addon, id, body.fields.plan_slug);
    request.details = body.extra.into();
    request
}

/// Reads a notification. A type that DigitalOcean adds later has no events.
pub(crate) fn events(addon: &AddonId, body: WithExtra<Notification>) -> Result<Vec<Event>, ErrorReply> {
    let Notification { kind, payload } = body.fields;
    if kind == "resources.updated" {
        let uuid = payload.get("resource").and_then(|resource| resource.get("uuid")).and_then(Value::as_str);
        let uuid = uuid.ok_or_else(|| ErrorReply::bad_request("payload.resource.uuid is missing or not text."))?;
        let mut notice = Notice::new(addon.clone(), uuid, NoticeKind::Updated);
        notice.details = payload.into();
        return Ok(vec![Event::Notice(notice)]);
    }
    let event = |uuid: &str| match kind.as_str() {
        "resources.suspended" => Some(Event::Suspend(Suspend::new(addon.clone(), uuid))),
        "resources.reactivated" => Some(Event::Reinstate(Reinstate::new(addon.clone(), uuid))),
        "resources.deprovisioning.failed" => {
            Some(Event::Notice(Notice::new(addon.clone(), uuid, NoticeKind::DeprovisionFailed)))
        }
        _ => None,
    };
    if event("").is_none() {
        return Ok(Vec::new());
    }
    let uuids = payload.get("resources_uuids").and_then(Value::as_array);
    let uuids = uuids.and_then(|uuids| uuids.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    let uuids = uuids.ok_or_else(|| ErrorReply::bad_request("payload.resources_uuids is not a list of text."))?;
    Ok(uuids.into_iter().filter_map(event).collect())
}
