//! Who may call, and which status and body each answer has.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use maitre_axum::core::{
    AddonId, Deprovisioned, FailureKind, PlanChange, PlanChanged, Provision, Provisioned, ResourceId,
};
use maitre_axum::{BodyRejection, ConfigJson, Contract, Payload, ReplyBody, json, no_content, verify_basic};
use time::OffsetDateTime;

use crate::CloudControl;
use crate::wire;

impl Contract for CloudControl {
    const CHALLENGE: &'static str = r#"Basic realm="Add-on API", charset="UTF-8""#;

    fn authenticate(&self, headers: &HeaderMap, now: OffsetDateTime) -> bool {
        verify_basic(headers, &self.credentials, now)
    }

    fn provision(&self, addon: AddonId, body: &Payload, _: OffsetDateTime) -> Result<Provision, BodyRejection> {
        Ok(wire::provision(addon, self.keyed, body.json()?))
    }

    fn plan_change(&self, addon: AddonId, id: ResourceId, body: &Payload) -> Result<PlanChange, BodyRejection> {
        Ok(wire::plan_change(addon, id, body.json()?))
    }

    /// 201, as both of cloudControl's own sample providers answered.
    fn provisioned(&self, reply: &Provisioned) -> Response {
        let config = Some(ConfigJson(reply.config()));
        json(StatusCode::CREATED, &ReplyBody { id: Some(reply.id().as_str()), config, message: reply.message() })
    }

    fn plan_changed(&self, reply: &PlanChanged) -> Response {
        let config = ConfigJson::unless_empty(reply.config());
        json(StatusCode::OK, &ReplyBody { config, message: reply.message(), ..ReplyBody::default() })
    }

    /// The message went to the user's terminal, so a listener that has one gets 200 and a body.
    fn deprovisioned(&self, reply: &Deprovisioned) -> Response {
        match reply.message() {
            None => no_content(),
            message => json(StatusCode::OK, &ReplyBody { message, ..ReplyBody::default() }),
        }
    }

    /// There was no word for what was removed before.
    fn status(failure: FailureKind) -> StatusCode {
        match failure {
            FailureKind::Refused | FailureKind::Conflict => StatusCode::UNPROCESSABLE_ENTITY,
            FailureKind::Unknown | FailureKind::Gone => StatusCode::NOT_FOUND,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
