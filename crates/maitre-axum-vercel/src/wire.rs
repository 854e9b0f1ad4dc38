//! Bodies of requests and responses.

use std::borrow::Cow;

use maitre_axum::core::{ConfigVars, CustomerNotice, Fields, NoticeLevel, ResourceDetails, ResourceStatus, Secret};
use maitre_axum::{Call, ErrorReply};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::Vercel;
use crate::plan::PlanBody;

/// Longest title of a notification, in characters.
const MAX_TITLE: usize = 100;

/// Body of a new or changed installation.
#[derive(Deserialize)]
pub(crate) struct InstallBody {
    pub(crate) credentials: Credentials,
}

#[derive(Deserialize)]
pub(crate) struct Credentials {
    pub(crate) access_token: Secret,
}

/// Body of a plan change of an installation.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct InstallationPlanBody {
    pub(crate) billing_plan_id: Option<String>,
}

/// Body of an uninstallation.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct UninstallBody {
    pub(crate) cascade_resource_deletion: Option<bool>,
    pub(crate) reason: Option<String>,
}

/// Body of a provision.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProvisionBody {
    pub(crate) product_id: String,
    pub(crate) name: String,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) billing_plan_id: String,
    pub(crate) external_id: Option<String>,
    pub(crate) protocol_settings: Option<Map<String, Value>>,
}

/// Fields of a provision that its response repeats, as they were sent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RepeatedBody<'b> {
    #[serde(borrow)]
    pub(crate) product_id: Cow<'b, str>,
    #[serde(borrow)]
    pub(crate) name: Cow<'b, str>,
    #[serde(borrow)]
    pub(crate) metadata: &'b RawValue,
    #[serde(borrow)]
    pub(crate) billing_plan_id: Cow<'b, str>,
}

/// Body of a change of a resource.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangeBody {
    pub(crate) name: Option<String>,
    pub(crate) metadata: Option<Map<String, Value>>,
    pub(crate) billing_plan_id: Option<String>,
}

/// Body of a rotation.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct RotateBody {
    pub(crate) reason: Option<String>,
    pub(crate) delay_old_secrets_expiration_hours: Option<f64>,
}

/// Event of a webhook.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventBody {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) payload: Map<String, Value>,
}

/// Parses a body that may be absent.
pub(crate) fn optional_json<T: DeserializeOwned + Default>(call: &Call<Vercel>) -> Result<T, ErrorReply> {
    if call.body().bytes().is_empty() { Ok(T::default()) } else { call.json::<T>().map(|body| body.fields) }
}

/// A resource in Vercel's form.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceBody<'r> {
    pub(crate) id: &'r str,
    pub(crate) product_id: &'r str,
    pub(crate) name: &'r str,
    pub(crate) metadata: Metadata<'r>,
    pub(crate) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) billing_plan: Option<PlanBody<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) notification: Option<Value>,
    /// Only in the response to a provision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secrets: Option<Vec<SecretBody<'r>>>,
}

/// Metadata of a resource: the text of the request, or the record.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Metadata<'r> {
    Sent(&'r RawValue),
    Recorded(&'r Map<String, Value>),
}

/// A config var in Vercel's form.
#[derive(Serialize)]
pub(crate) struct SecretBody<'r> {
    name: &'r str,
    value: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<&'r str>,
}

/// Returns the record of a resource in Vercel's form.
pub(crate) fn resource<'r>(vercel: &'r Vercel, id: &'r str, details: &'r ResourceDetails) -> ResourceBody<'r> {
    let offer = vercel.offer(details.service.as_deref(), &details.plan);
    ResourceBody {
        id: details.provider_id.as_ref().map_or(id, |id| id.as_str()),
        product_id: details.details.text(PRODUCT).or(details.service.as_deref()).unwrap_or_default(),
        name: details.name.as_deref().unwrap_or_default(),
        metadata: Metadata::Recorded(details.parameters.as_map()),
        status: match details.status {
            _ if details.suspended => "suspended",
            ResourceStatus::Provisioning | ResourceStatus::Pending => "pending",
            ResourceStatus::Failed => "error",
            ResourceStatus::Deprovisioning => "uninstalled",
            _ => "ready",
        },
        billing_plan: offer.map(|offer| PlanBody(offer.plan)),
        notification: details.notice.as_ref().map(notification),
        secrets: None,
    }
}

/// Detail with the product's id as Vercel sent it.
pub(crate) const PRODUCT: &str = "productId";

pub(crate) fn notification(notice: &CustomerNotice) -> Value {
    let level = match notice.level() {
        NoticeLevel::Info => "info",
        NoticeLevel::Error => "error",
        _ => "warn",
    };
    let mut fields = json!({ "level": level, "title": notice.title().chars().take(MAX_TITLE).collect::<String>() });
    if let Some(message) = notice.message() {
        fields["message"] = message.into();
    }
    let is_allowed = |url: &&str| ["http://", "https://", "sso:"].iter().any(|scheme| url.starts_with(scheme));
    if let Some(url) = notice.url().filter(is_allowed) {
        fields["href"] = url.into();
    }
    fields
}

/// Returns config vars as secrets. Vercel refuses empty values.
pub(crate) fn secrets<'r>(vercel: &'r Vercel, config: &'r ConfigVars) -> Vec<SecretBody<'r>> {
    let prefix = vercel.secret_prefix.as_deref();
    let vars = config.iter().map(|(name, value)| SecretBody { name, value: value.expose(), prefix });
    vars.filter(|secret| !secret.value.is_empty()).collect()
}

/// Returns the fields of a request that only Vercel sends, with the user who caused it.
pub(crate) fn details(call: &Call<Vercel>, extra: Map<String, Value>) -> Fields {
    let mut details = Fields::from(extra);
    if let Some(user) = &call.caller().user {
        details.extend_some([
            ("user_id", Some(user.id.clone())),
            ("user_email", user.email.clone()),
            ("user_name", user.name.clone()),
        ]);
    }
    details.extend_some([("team_id", call.caller().team.clone())]);
    details
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_has_a_short_title_and_an_allowed_link() {
        let notice = CustomerNotice::new(NoticeLevel::Warning, "é".repeat(120)).with_url("javascript:alert(1)");
        let fields = notification(&notice);
        assert_eq!((fields["level"].as_str(), fields["title"].as_str().unwrap().chars().count()), (Some("warn"), 100));
        assert!(fields.get("href").is_none());
        let notice =
            CustomerNotice::new(NoticeLevel::Error, "Pay").with_url("sso:https://a.example/x").with_message("Now.");
        assert_eq!(
            notification(&notice),
            json!({ "level": "error", "title": "Pay", "message": "Now.", "href": "sso:https://a.example/x" })
        );
    }
}
