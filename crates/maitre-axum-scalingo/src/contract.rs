//! Authentication, and the status and body of each response.

use axum::http::StatusCode;
use axum::response::Response;
use maitre_axum::core::{
    Deprovision, Deprovisioned, FailureKind, OperationKind, PlanChange, PlanChanged, Provision, Provisioned, Reinstate,
    ResourceId, Secret, Suspend,
};
use maitre_axum::{Accepted, Call, ConfigJson, Contract, ErrorReply, Handles, Head, ReplyBody, json, no_content};
use serde_json::json;

use crate::Scalingo;
use crate::wire::{self, ProvisionReply};

impl Contract for Scalingo {
    type Caller = ();

    async fn authenticate(&self, head: &Head<Self>) -> Result<(), ErrorReply> {
        self.basic.authenticate(head)
    }

    fn status(&self, operation: OperationKind, failure: FailureKind) -> StatusCode {
        match (operation, failure) {
            (OperationKind::Deprovision, FailureKind::Gone) => self.removed,
            (_, FailureKind::Refused | FailureKind::Conflict) => StatusCode::UNPROCESSABLE_ENTITY,
            (_, FailureKind::Unknown) => StatusCode::NOT_FOUND,
            (_, FailureKind::Gone) => StatusCode::GONE,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error(&self, error: &ErrorReply) -> Response {
        if error.status() == StatusCode::NO_CONTENT {
            return no_content(); // a repeated deprovision
        }
        json(error.status(), &json!({ "error": error.message(), "message": error.message() }))
    }

    fn accepted(&self, _: &Call<Self>, accepted: &Accepted<'_>) -> Response {
        let id = Some(accepted.resource).filter(|_| accepted.kind == OperationKind::Provision).map(ResourceId::as_str);
        json(StatusCode::ACCEPTED, &ReplyBody { id, message: Some(accepted.message), ..ReplyBody::default() })
    }
}

impl Handles<Provision> for Scalingo {
    fn request(&self, call: &Call<Self>) -> Result<Provision, ErrorReply> {
        wire::provision(call.addon_id(), call.json()?)
    }

    fn response(&self, _: &Call<Self>, reply: &Provisioned) -> Response {
        if reply.id().as_str().len() > 255 {
            tracing::error!("the id of a resource is longer than the 255 characters that Scalingo accepts");
        }
        let config = ConfigJson::unless_empty(reply.config());
        let body = ProvisionReply {
            reply: ReplyBody { id: Some(reply.id().as_str()), config, message: reply.message() },
            log_drain_url: reply.log_drain_url().map(Secret::expose),
        };
        json(StatusCode::OK, &body)
    }
}

impl Handles<PlanChange> for Scalingo {
    fn request(&self, call: &Call<Self>) -> Result<PlanChange, ErrorReply> {
        wire::plan_change(call.addon_id(), call.resource("id")?, call.json()?)
    }

    fn response(&self, _: &Call<Self>, reply: &PlanChanged) -> Response {
        json(StatusCode::OK, &ReplyBody::from(reply))
    }
}

impl Handles<Deprovision> for Scalingo {
    fn request(&self, call: &Call<Self>) -> Result<Deprovision, ErrorReply> {
        Ok(Deprovision::new(call.addon_id(), call.resource("id")?))
    }

    fn response(&self, _: &Call<Self>, _: &Deprovisioned) -> Response {
        no_content()
    }
}

impl Handles<Suspend> for Scalingo {
    fn request(&self, call: &Call<Self>) -> Result<Suspend, ErrorReply> {
        Ok(Suspend::new(call.addon_id(), call.resource("id")?))
    }

    fn response(&self, _: &Call<Self>, (): &()) -> Response {
        no_content()
    }
}

impl Handles<Reinstate> for Scalingo {
    fn request(&self, call: &Call<Self>) -> Result<Reinstate, ErrorReply> {
        Ok(Reinstate::new(call.addon_id(), call.resource("id")?))
    }

    fn response(&self, _: &Call<Self>, (): &()) -> Response {
        no_content()
    }
}
