//! Authentication, and the status and body of each response.

use axum::http::StatusCode;
use axum::response::Response;
use maitre_axum::core::{
    Deprovision, Deprovisioned, FailureKind, OperationKind, PlanChange, PlanChanged, Provision, Provisioned,
};
use maitre_axum::{Call, ConfigJson, Contract, ErrorReply, Handles, Head, ReplyBody, json, no_content};

use crate::CloudControl;
use crate::wire;

impl Contract for CloudControl {
    type Caller = ();

    async fn authenticate(&self, head: &Head<Self>) -> Result<(), ErrorReply> {
        self.basic.authenticate(head)
    }

    /// cloudControl has no status for a deprovisioned resource.
    fn status(&self, _: OperationKind, failure: FailureKind) -> StatusCode {
        match failure {
            FailureKind::Refused | FailureKind::Conflict => StatusCode::UNPROCESSABLE_ENTITY,
            FailureKind::Unknown | FailureKind::Gone => StatusCode::NOT_FOUND,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Handles<Provision> for CloudControl {
    fn request(&self, call: &Call<Self>) -> Result<Provision, ErrorReply> {
        Ok(wire::provision(call.addon_id(), self.keyed, call.json()?))
    }

    /// 201, as in both of cloudControl's sample providers.
    fn response(&self, _: &Call<Self>, reply: &Provisioned) -> Response {
        let config = Some(ConfigJson(reply.config()));
        json(StatusCode::CREATED, &ReplyBody { id: Some(reply.id().as_str()), config, message: reply.message() })
    }
}

impl Handles<PlanChange> for CloudControl {
    fn request(&self, call: &Call<Self>) -> Result<PlanChange, ErrorReply> {
        Ok(wire::plan_change(call.addon_id(), call.resource("id")?, call.json()?))
    }

    fn response(&self, _: &Call<Self>, reply: &PlanChanged) -> Response {
        json(StatusCode::OK, &ReplyBody::from(reply))
    }
}

impl Handles<Deprovision> for CloudControl {
    fn request(&self, call: &Call<Self>) -> Result<Deprovision, ErrorReply> {
        Ok(Deprovision::new(call.addon_id(), call.resource("id")?))
    }

    /// The message is shown in the user's terminal, so a reply with a message is a 200 with a body.
    fn response(&self, _: &Call<Self>, reply: &Deprovisioned) -> Response {
        match reply.message() {
            None => no_content(),
            message => json(StatusCode::OK, &ReplyBody { message, ..ReplyBody::default() }),
        }
    }
}
