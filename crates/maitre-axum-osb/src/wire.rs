//! Bodies of requests and responses.

use maitre_axum::core::{Bound, Endpoint, Fields, Secret};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::macros::format_description;

/// Body of a provision. `context` is among the other fields, as platforms send anything there.
#[derive(Deserialize)]
pub(crate) struct ProvisionBody {
    pub(crate) service_id: Option<String>,
    pub(crate) plan_id: Option<String>,
    pub(crate) organization_guid: Option<String>,
    pub(crate) space_guid: Option<String>,
    pub(crate) parameters: Option<Map<String, Value>>,
    pub(crate) maintenance_info: Option<MaintenanceInfo>,
}

/// Body of an update.
#[derive(Deserialize)]
pub(crate) struct ChangeBody {
    pub(crate) service_id: Option<String>,
    pub(crate) plan_id: Option<String>,
    pub(crate) parameters: Option<Map<String, Value>>,
    pub(crate) maintenance_info: Option<MaintenanceInfo>,
}

/// Body of a bind.
#[derive(Deserialize)]
pub(crate) struct BindBody {
    pub(crate) service_id: Option<String>,
    pub(crate) plan_id: Option<String>,
    pub(crate) app_guid: Option<String>,
    pub(crate) bind_resource: Option<BindResource>,
    pub(crate) parameters: Option<Map<String, Value>>,
    pub(crate) predecessor_binding_id: Option<String>,
}

/// The app or route of a bind. Clients send `{}` with every request.
#[derive(Deserialize)]
pub(crate) struct BindResource {
    pub(crate) app_guid: Option<String>,
    pub(crate) route: Option<String>,
}

/// The expected version of a plan's maintenance. Clients send `{}` with every request.
#[derive(Deserialize)]
pub(crate) struct MaintenanceInfo {
    pub(crate) version: Option<String>,
}

/// Body of IBM Cloud's request to suspend or reinstate an instance.
#[derive(Deserialize)]
pub(crate) struct AvailabilityBody {
    pub(crate) enabled: bool,
    pub(crate) reason_code: Option<String>,
}

/// Response to an operation on an instance, and to an accepted one on a binding.
#[derive(Serialize)]
pub(crate) struct OperationBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dashboard_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<String>,
}

/// Response with an instance.
#[derive(Serialize)]
pub(crate) struct InstanceReply<'a> {
    pub(crate) service_id: &'a str,
    pub(crate) plan_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dashboard_url: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) parameters: &'a Map<String, Value>,
}

/// Response with a binding.
#[derive(Serialize)]
pub(crate) struct BindingReply<'a> {
    credentials: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    syslog_drain_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route_service_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volume_mounts: Vec<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    endpoints: &'a [Endpoint],
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Lifetime>,
}

#[derive(Serialize)]
struct Lifetime {
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renew_before: Option<String>,
}

impl<'a> From<&'a Bound> for BindingReply<'a> {
    fn from(bound: &'a Bound) -> Self {
        let lifetime = Lifetime {
            expires_at: bound.expires_at().and_then(timestamp),
            renew_before: bound.renew_before().and_then(timestamp),
        };
        Self {
            credentials: bound.credentials().as_map(),
            syslog_drain_url: bound.syslog_drain_url().map(Secret::expose),
            route_service_url: bound.route_service_url().map(Secret::expose),
            volume_mounts: bound.volume_mounts().iter().map(Fields::as_map).collect(),
            endpoints: bound.endpoints(),
            metadata: Some(lifetime).filter(|it| it.expires_at.is_some() || it.renew_before.is_some()),
        }
    }
}

fn timestamp(time: OffsetDateTime) -> Option<String> {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:1]Z");
    time.to_offset(time::UtcOffset::UTC).format(format).ok()
}

/// State of an operation.
#[derive(Serialize)]
pub(crate) struct StateReply<'a> {
    pub(crate) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) update_repeatable: Option<bool>,
}
