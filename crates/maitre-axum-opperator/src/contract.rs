//! Authentication, and the status and body of each response.

use axum::http::StatusCode;
use axum::response::Response;
use maitre_axum::core::{
    Deprovision, Deprovisioned, Notice, NoticeKind, PlanChange, PlanChanged, Provision, Provisioned,
};
use maitre_axum::{Call, ConfigJson, Contract, ErrorReply, Handles, Head, ReplyBody, json, record_secret_use};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::Opperator;
use crate::wire;

impl Contract for Opperator {
    type Caller = ();

    async fn authenticate(&self, head: &Head<Self>) -> Result<(), ErrorReply> {
        let sent = head.header("x-opperator-shared-secret");
        let used = sent.and_then(|sent| self.secret.check(sent, head.now()));
        let challenge = r#"X-Opperator-Shared-Secret realm="Add-on API""#;
        record_secret_use(head.addon().id(), "shared secret", used.ok_or_else(|| ErrorReply::unauthorized(challenge))?);
        Ok(())
    }
}

/// Opperator sends no key, so each provision is a new resource.
impl Handles<Provision> for Opperator {
    fn request(&self, call: &Call<Self>) -> Result<Provision, ErrorReply> {
        let (features, extra) = wire::features(call.body())?;
        let mut request = Provision::new(call.addon_id(), Uuid::new_v4().to_string(), self.plan_of(&features)?);
        request.context.keyed = false;
        request.details = wire::details(features, extra);
        Ok(request)
    }

    fn response(&self, _: &Call<Self>, reply: &Provisioned) -> Response {
        let config = ConfigJson::unless_empty(reply.config());
        json(StatusCode::CREATED, &ReplyBody { id: Some(reply.id().as_str()), config, message: reply.message() })
    }
}

impl Handles<PlanChange> for Opperator {
    fn request(&self, call: &Call<Self>) -> Result<PlanChange, ErrorReply> {
        let id = call.resource("id")?;
        let (features, extra) = wire::features(call.body())?;
        let mut request = PlanChange::new(call.addon_id(), id, self.plan_of(&features)?);
        request.details = wire::details(features, extra);
        Ok(request)
    }

    fn response(&self, _: &Call<Self>, reply: &PlanChanged) -> Response {
        json(StatusCode::OK, &ReplyBody::from(reply))
    }
}

impl Handles<Deprovision> for Opperator {
    fn request(&self, call: &Call<Self>) -> Result<Deprovision, ErrorReply> {
        Ok(Deprovision::new(call.addon_id(), call.resource("id")?))
    }

    fn response(&self, _: &Call<Self>, reply: &Deprovisioned) -> Response {
        json(StatusCode::OK, &ReplyBody { message: reply.message(), ..ReplyBody::default() })
    }
}

impl Handles<Notice> for Opperator {
    fn request(&self, call: &Call<Self>) -> Result<Notice, ErrorReply> {
        let mut warning = Notice::new(call.addon_id(), call.resource("id")?, NoticeKind::PlanWarning);
        warning.details = wire::warning(call.body())?.into();
        Ok(warning)
    }

    fn response(&self, _: &Call<Self>, (): &()) -> Response {
        json(StatusCode::OK, &json!({}))
    }
}

impl Opperator {
    fn plan_of(&self, features: &Map<String, Value>) -> Result<String, ErrorReply> {
        (self.plan)(features).ok_or_else(|| ErrorReply::unprocessable("No plan offers these features."))
    }
}
