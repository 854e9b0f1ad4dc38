//! Who may call, and which status and body each answer has.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use maitre_axum::core::{
    AddonId, ConfigVars, Deprovisioned, ExposeSecret, PlanChange, PlanChanged, Provision, Provisioned, ResourceId,
};
use maitre_axum::{Config, Contract, Malformed, Payload, Reply, basic, json, no_content};
use time::OffsetDateTime;

use crate::Heroku;
use crate::wire::{self, ProvisionReply};

impl Contract for Heroku {
    const CHALLENGE: &'static str = r#"Basic realm="Add-on API", charset="UTF-8""#;

    fn admits(&self, headers: &HeaderMap, now: OffsetDateTime) -> bool {
        basic(headers, &self.credentials, now)
    }

    fn provision(&self, addon: AddonId, body: &Payload, now: OffsetDateTime) -> Result<Provision, Malformed> {
        Ok(wire::provision(addon, body.json()?, now))
    }

    fn plan_change(&self, addon: AddonId, id: ResourceId, body: &Payload) -> Result<PlanChange, Malformed> {
        Ok(wire::plan_change(addon, id, body.json()?))
    }

    /// 200 and not 201: with v3 it says that the add-on is live.
    fn provisioned(&self, reply: &Provisioned) -> Response {
        self.warn_of_unlisted(reply.config_vars());
        let body = ProvisionReply {
            reply: Reply {
                id: Some(reply.id().as_str()),
                config: Some(Config(reply.config_vars())),
                message: reply.message_text(),
            },
            log_drain_url: reply.drain().map(ExposeSecret::expose_secret),
        };
        json(StatusCode::OK, &body)
    }

    /// Without `config` the app's vars stay as they are.
    fn plan_changed(&self, reply: &PlanChanged) -> Response {
        self.warn_of_unlisted(reply.config_vars());
        let config = Config::unless_empty(reply.config_vars());
        json(StatusCode::OK, &Reply { config, message: reply.message_text(), ..Reply::default() })
    }

    fn deprovisioned(&self, _: &Deprovisioned) -> Response {
        no_content()
    }

    /// 202 without `config`: that is patched when it is there. Any 202 to a provision makes it an asynchronous one.
    fn accepted(&self, resource: Option<&ResourceId>, message: &str) -> Response {
        let id = resource.map(ResourceId::as_str);
        json(StatusCode::ACCEPTED, &Reply { id, message: Some(message), ..Reply::default() })
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
