//! Authentication, and the status and body of each response.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use maitre_axum::core::{AddonId, ConfigVars, PlanChange, PlanChanged, Provision, Provisioned, ResourceId, Secret};
use maitre_axum::{BodyRejection, ConfigJson, Contract, Payload, ReplyBody, json};
use time::OffsetDateTime;

use crate::Heroku;
use crate::wire::{self, ProvisionReply};

impl Contract for Heroku {
    const CHALLENGE: &'static str = r#"Basic realm="Add-on API", charset="UTF-8""#;

    fn authenticate(&self, headers: &HeaderMap, now: OffsetDateTime) -> bool {
        self.basic.authenticate(headers, now)
    }

    fn provision(&self, addon: AddonId, body: &Payload, now: OffsetDateTime) -> Result<Provision, BodyRejection> {
        Ok(wire::provision(addon, body.json()?, now))
    }

    fn plan_change(&self, addon: AddonId, id: ResourceId, body: &Payload) -> Result<PlanChange, BodyRejection> {
        Ok(wire::plan_change(addon, id, body.json()?))
    }

    /// 200 instead of 201: in v3 it means that the add-on is ready.
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

    /// Without `config` the app's config vars stay unchanged.
    fn plan_changed(&self, reply: &PlanChanged) -> Response {
        self.warn_of_unlisted(reply.config());
        let config = ConfigJson::unless_empty(reply.config());
        json(StatusCode::OK, &ReplyBody { config, message: reply.message(), ..ReplyBody::default() })
    }

    /// 202 without `config`, which is set on completion. Any 202 makes the provision asynchronous.
    fn accepted(&self, resource: Option<&ResourceId>, message: &str) -> Response {
        let id = resource.map(ResourceId::as_str);
        json(StatusCode::ACCEPTED, &ReplyBody { id, message: Some(message), ..ReplyBody::default() })
    }
}

impl Heroku {
    fn warn_of_unlisted(&self, config: &ConfigVars) {
        let Some(listed) = &self.config_vars else { return };
        for (name, _) in config.iter().filter(|(name, _)| !listed.iter().any(|listed| listed == name)) {
            tracing::warn!(
                name,
                "the manifest does not list this config var, so Heroku may reject the response: add it to api.config_vars"
            );
        }
    }
}
