//! Authentication, and the status and body of each response.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use maitre_axum::core::{AddonId, Deprovisioned, FailureKind, PlanChange, Provision, Provisioned, ResourceId};
use maitre_axum::{BodyRejection, ConfigJson, Contract, Payload, ReplyBody, json, no_content};
use time::OffsetDateTime;

use crate::CloudControl;
use crate::wire;

impl Contract for CloudControl {
    const CHALLENGE: &'static str = r#"Basic realm="Add-on API", charset="UTF-8""#;

    fn authenticate(&self, headers: &HeaderMap, now: OffsetDateTime) -> bool {
        self.basic.authenticate(headers, now)
    }

    fn provision(&self, addon: AddonId, body: &Payload, _: OffsetDateTime) -> Result<Provision, BodyRejection> {
        Ok(wire::provision(addon, self.keyed, body.json()?))
    }

    fn plan_change(&self, addon: AddonId, id: ResourceId, body: &Payload) -> Result<PlanChange, BodyRejection> {
        Ok(wire::plan_change(addon, id, body.json()?))
    }

    /// 201, as in both of cloudControl's sample providers.
    fn provisioned(&self, reply: &Provisioned) -> Response {
        let config = Some(ConfigJson(reply.config()));
        json(StatusCode::CREATED, &ReplyBody { id: Some(reply.id().as_str()), config, message: reply.message() })
    }

    /// The message is shown in the user's terminal, so a reply with a message is a 200 with a body.
    fn deprovisioned(&self, reply: &Deprovisioned) -> Response {
        match reply.message() {
            None => no_content(),
            message => json(StatusCode::OK, &ReplyBody { message, ..ReplyBody::default() }),
        }
    }

    /// cloudControl has no status for a deprovisioned resource.
    fn status(failure: FailureKind) -> StatusCode {
        match failure {
            FailureKind::Refused | FailureKind::Conflict => StatusCode::UNPROCESSABLE_ENTITY,
            FailureKind::Unknown | FailureKind::Gone => StatusCode::NOT_FOUND,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
