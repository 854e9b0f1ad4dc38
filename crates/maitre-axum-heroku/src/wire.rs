//! Heroku's request bodies, v3 and v1 together.

use std::borrow::Cow;

use maitre_axum::core::{AddonId, PlanChange, Provision, ResourceId};
use maitre_axum::{GrantBody, ReplyBody, StringMap, WithExtra};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// Only `uuid` and `plan` are required: checkers send no `name`, and the grant may be null or absent.
#[derive(Deserialize)]
pub(crate) struct ProvisionBody {
    #[serde(deserialize_with = "uuid")]
    uuid: Uuid,
    plan: String,
    name: Option<String>,
    region: Option<String>,
    callback_url: Option<String>,
    oauth_grant: Option<GrantBody>,
    options: Option<StringMap>,
    log_input_url: Option<String>,
    log_drain_token: Option<String>,
    heroku_id: Option<String>,
    logplex_token: Option<String>,
}

/// A `uuid` in this body is ignored: v3 may send it, and checkers send a random one. The id in the path counts.
#[derive(Deserialize)]
pub(crate) struct PlanChangeBody {
    plan: String,
    heroku_id: Option<String>,
}

/// Parses only the hyphenated form, so that a resource has one key.
fn uuid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    let hyphenated = text.len() == 36;
    Uuid::try_parse(&text)
        .ok()
        .filter(|_| hyphenated)
        .ok_or_else(|| D::Error::custom("expected a UUID such as 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21"))
}

pub(crate) fn provision(addon: AddonId, body: WithExtra<ProvisionBody>, now: OffsetDateTime) -> Provision {
    let WithExtra { fields: body, extra } = body;
    let mut request = Provision::new(addon, key(body.uuid), body.plan);
    request.name = body.name;
    request.region = body.region;
    request.oauth_grant = body.oauth_grant.and_then(|grant| grant.into_grant(now));
    request.parameters = body.options.unwrap_or_default().0.into();
    request.details = extra.into();
    request.details.extend_some([
        ("callback_url", body.callback_url),
        ("log_input_url", body.log_input_url),
        ("log_drain_token", body.log_drain_token),
        ("heroku_id", body.heroku_id),
        ("logplex_token", body.logplex_token),
    ]);
    request
}

pub(crate) fn plan_change(addon: AddonId, id: ResourceId, body: WithExtra<PlanChangeBody>) -> PlanChange {
    let mut request = PlanChange::new(addon, id, body.fields.plan);
    request.details = body.extra.into();
    request.details.extend_some([("heroku_id", body.fields.heroku_id)]);
    request
}

fn key(uuid: Uuid) -> ResourceId {
    ResourceId::from(&*uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
}

/// Body of the response to a provision.
#[derive(Serialize)]
pub(crate) struct ProvisionReply<'a> {
    #[serde(flatten)]
    pub(crate) reply: ReplyBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_drain_url: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HerokuProvision;
    use serde_json::{Value, json};
    use time::Duration;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-03-04 5:06:07 UTC);
    const UUID: &str = "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21";

    fn read(body: &Value) -> Result<Provision, serde_json::Error> {
        let body = serde_json::from_str(&body.to_string())?;
        Ok(provision(AddonId::new("heroku", "lantern"), body, NOW))
    }

    #[test]
    fn documented_fields_are_parsed_and_others_are_kept() {
        let request = read(&json!({
            "uuid": UUID, "name": "lantern-curved-4821", "plan": "basic", "region": "amazon-web-services::eu-west-1",
            "callback_url": "https://api.heroku.com/addons/7b0c", "options": { "retention": "7d", "trace": "true" },
            "oauth_grant": { "code": "b6a1", "type": "authorization_code", "expires_at": "2026-03-03T21:11:07-0800" },
            "log_input_url": "https://token:t.1@1.us.logplex.io/logs", "log_drain_token": "d.1",
            "heroku_id": "app1234@heroku.com", "logplex_token": "t.2", "tags": ["fair"],
        }))
        .unwrap();
        let heroku = request.view::<HerokuProvision>().unwrap();
        let secret = |secret: &Option<maitre_axum::core::Secret>| secret.as_ref().unwrap().expose().to_owned();
        assert_eq!(request.resource.as_str(), UUID);
        assert_eq!(request.name.as_deref(), Some("lantern-curved-4821"));
        assert_eq!(request.plan, "basic");
        assert_eq!(request.region.as_deref(), Some("amazon-web-services::eu-west-1"));
        assert_eq!(secret(&heroku.callback_url), "https://api.heroku.com/addons/7b0c");
        assert_eq!(request.parameters.text("retention"), Some("7d"));
        assert_eq!(secret(&heroku.log_input_url), "https://token:t.1@1.us.logplex.io/logs");
        assert_eq!(secret(&heroku.log_drain_token), "d.1");
        assert_eq!(heroku.heroku_id.as_deref(), Some("app1234@heroku.com"));
        assert_eq!(secret(&heroku.logplex_token), "t.2");
        assert_eq!(Value::from(heroku.extra), json!({ "tags": ["fair"] }));
        let grant = request.oauth_grant.unwrap();
        assert_eq!((grant.code.expose(), grant.kind.as_str()), ("b6a1", "authorization_code"));
        assert_eq!(grant.expires_at, datetime!(2026-03-04 5:11:07 UTC));
    }

    #[test]
    fn a_grant_may_be_missing_null_empty_or_without_a_valid_expiry() {
        for (grant, end) in [
            (json!(null), None),
            (json!({}), None),
            (json!({ "code": "c" }), Some(NOW + Duration::minutes(5))),
            (json!({ "code": "c", "expires_at": "soon" }), Some(NOW + Duration::minutes(5))),
            (json!({ "code": "c", "expires_at": [7] }), Some(NOW + Duration::minutes(5))),
        ] {
            let request = read(&json!({ "uuid": UUID, "plan": "basic", "oauth_grant": grant })).unwrap();
            assert_eq!(request.oauth_grant.map(|grant| grant.expires_at), end, "{grant}");
        }
        assert!(read(&json!({ "uuid": UUID, "plan": "basic" })).unwrap().oauth_grant.is_none());
    }

    #[test]
    fn options_are_converted_to_text() {
        let request =
            read(&json!({ "uuid": UUID, "plan": "basic", "options": { "n": 7, "b": true, "s": "x" } })).unwrap();
        assert_eq!(Value::from(request.parameters), json!({ "n": "7", "b": "true", "s": "x" }));
        assert!(read(&json!({ "uuid": UUID, "plan": "basic", "options": null })).unwrap().parameters.is_empty());
    }

    #[test]
    fn a_resource_has_one_key() {
        let upper = read(&json!({ "uuid": UUID.to_uppercase(), "plan": "basic" })).unwrap();
        assert_eq!(upper.resource.as_str(), UUID);
        for odd in ["", "7b0c", "7b0c9c1e2f1d4c589a573f6a5c0d1e21", &format!("{{{UUID}}}"), &UUID.replace('7', "ü")] {
            assert!(read(&json!({ "uuid": odd, "plan": "basic" })).is_err(), "{odd}");
        }
    }
}
