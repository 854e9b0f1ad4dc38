//! Authentication, and the status and body of each response.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use maitre_axum::core::{AddonId, Deprovisioned, Notice, NoticeKind, PlanChange, Provision, Provisioned, ResourceId};
use maitre_axum::{BodyRejection, ConfigJson, Contract, Payload, ReplyBody, json};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Opperator;
use crate::wire;

const SECRET: &str = "x-opperator-shared-secret";

impl Contract for Opperator {
    const CHALLENGE: &'static str = r#"X-Opperator-Shared-Secret realm="Add-on API""#;

    fn authenticate(&self, headers: &HeaderMap, now: OffsetDateTime) -> bool {
        let single = headers.get_all(SECRET).iter().nth(1).is_none();
        let sent = headers.get(SECRET).and_then(|sent| std::str::from_utf8(sent.as_bytes()).ok());
        single && sent.is_some_and(|sent| self.secret.verify(sent, now))
    }

    /// Opperator sends no key, so each provision is a new resource.
    fn provision(&self, addon: AddonId, body: &Payload, _: OffsetDateTime) -> Result<Provision, BodyRejection> {
        let (features, extra) = wire::features(body)?;
        let mut request = Provision::new(addon, Uuid::new_v4().to_string(), self.plan_of(&features)?);
        request.context.keyed = false;
        request.details = wire::details(features, extra);
        Ok(request)
    }

    fn plan_change(&self, addon: AddonId, id: ResourceId, body: &Payload) -> Result<PlanChange, BodyRejection> {
        let (features, extra) = wire::features(body)?;
        let mut request = PlanChange::new(addon, id, self.plan_of(&features)?);
        request.details = wire::details(features, extra);
        Ok(request)
    }

    fn notice(&self, addon: AddonId, id: ResourceId, body: &Payload) -> Result<Notice, BodyRejection> {
        let mut warning = Notice::new(addon, id, NoticeKind::PlanWarning);
        warning.details = wire::warning(body)?.into();
        Ok(warning)
    }

    fn provisioned(&self, reply: &Provisioned) -> Response {
        let config = ConfigJson::unless_empty(reply.config());
        json(StatusCode::CREATED, &ReplyBody { id: Some(reply.id().as_str()), config, message: reply.message() })
    }

    fn deprovisioned(&self, reply: &Deprovisioned) -> Response {
        json(StatusCode::OK, &ReplyBody { message: reply.message(), ..ReplyBody::default() })
    }
}

impl Opperator {
    fn plan_of(&self, features: &Map<String, Value>) -> Result<String, BodyRejection> {
        (self.plan)(features).ok_or_else(|| BodyRejection::unprocessable("No plan offers these features."))
    }
}
