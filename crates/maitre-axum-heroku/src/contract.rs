//! Who may call, and which status and body each answer has.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use maitre_axum::core::{
    AddonId, ConfigVars, Deprovisioned, PlanChange, PlanChanged, Provision, Provisioned, ResourceId, Secret,
};
use maitre_axum::{BodyRejection, ConfigJson, Contract, Payload, ReplyBody, json, no_content, verify_basic};
use time::OffsetDateTime;

use crate::Heroku;
use crate::wire::{self, ProvisionReply};

impl Contract for Heroku {
    const CHALLENGE: &'static str = r#"Basic realm="Add-on API", charset="UTF-8""#;

    fn authenticate(&self, headers: &HeaderMap, now: OffsetDateTime) -> bool {
        verify_basic(headers, &self.credentials, now)
    }

    fn provision(&self, addon: AddonId, body: &Payload, now: OffsetDateTime) -> Result<Provision, BodyRejection> {
        Ok(wire::provision(addon, body.json()?, now))
    }

    fn plan_change(&self, addon: AddonId, id: ResourceId, body: &Payload) -> Result<PlanChange, BodyRejection> {
        Ok(wire::plan_change(addon, id, body.json()?))
    }

    /// 200 and not 201: with v3 it says that the add-on is live.
    fn provisioned(&self, reply: &Provisioned) -> Response {
        self.warn_of_unlisted(reply.config());
        let body = ProvisionReply {
            reply: ReplyBody {
                id: Some(reply.id().as_str()),
                config: Some(ConfigJson(reply.config())),
                message: reply.message(),
            },
            log_drain_url: reply.log_drain_url().map(Secret::expose),
        };
        json(StatusCode::OK, &body)
    }

    /// Without `config` the app's vars stay as they are.
    fn plan_changed(&self, reply: &PlanChanged) -> Response {
        self.warn_of_unlisted(reply.config());
        let config = ConfigJson::unless_empty(reply.config());
        json(StatusCode::OK, &ReplyBody { config, message: reply.message(), ..ReplyBody::default() })
    }

    fn deprovisioned(&self, _: &Deprovisioned) -> Response {
        no_content()
    }

    /// 202 without `config`: that is patched when it is there. Any 202 to a provision makes it an asynchronous one.
    fn accepted(&self, resource: Option<&ResourceId>, message: &str) -> Response {
        let id = resource.map(ResourceId::as_str);
        json(StatusCode::ACCEPTED, &ReplyBody { id, message: Some(message), ..ReplyBody::default() })
    }
}

impl Heroku {
    fn warn_of_unlisted(&self, config: &ConfigVars) {
        let Some(listed) = &self.config_vars else { return };
        for (name, _) in config.iter().filter(|(name, _)| !listed.iter().any(|there| there == name)) {
            tracing::warn!(
                name,
                "the manifest does not list this config var, so Heroku may refuse the answer: add it to api.config_vars"
            );
        }
    }
}
