//! Authentication, and the status and body of each response.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use maitre_axum::core::{
    Deprovision, Deprovisioned, FailureKind, OperationKind, PlanChange, PlanChanged, Provision, Provisioned,
};
use maitre_axum::{Call, ConfigJson, Contract, ErrorReply, Event, Events, Handles, Head, ReplyBody, json, no_content};
use serde_json::json;

use crate::DigitalOcean;
use crate::wire;

impl Contract for DigitalOcean {
    type Caller = ();

    async fn authenticate(&self, head: &Head<Self>) -> Result<(), ErrorReply> {
        self.basic.authenticate(head)
    }

    /// A removed resource is 404, and a notification that failed is 422.
    fn status(&self, operation: OperationKind, failure: FailureKind) -> StatusCode {
        match (operation, failure) {
            (OperationKind::Suspend | OperationKind::Reinstate | OperationKind::Notice, _)
            | (_, FailureKind::Refused | FailureKind::Conflict) => StatusCode::UNPROCESSABLE_ENTITY,
            (_, FailureKind::Unknown | FailureKind::Gone) => StatusCode::NOT_FOUND,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A 404 has no body.
    fn error(&self, error: &ErrorReply) -> Response {
        if error.status() == StatusCode::NOT_FOUND {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = error.status();
            return response;
        }
        json(error.status(), &json!({ "message": error.message() }))
    }
}

impl Handles<Provision> for DigitalOcean {
    fn request(&self, call: &Call<Self>) -> Result<Provision, ErrorReply> {
        Ok(wire::provision(call.addon_id(), call.json()?, call.now()))
    }

    fn response(&self, _: &Call<Self>, reply: &Provisioned) -> Response {
        let config = ConfigJson::unless_empty(reply.config());
        json(StatusCode::OK, &ReplyBody { id: Some(reply.id().as_str()), config, message: reply.message() })
    }
}

impl Handles<PlanChange> for DigitalOcean {
    fn request(&self, call: &Call<Self>) -> Result<PlanChange, ErrorReply> {
        Ok(wire::plan_change(call.addon_id(), call.resource("uuid")?, call.json()?))
    }

    fn response(&self, _: &Call<Self>, reply: &PlanChanged) -> Response {
        if !reply.config().is_empty() {
            tracing::warn!("the response to a plan change has no config: change it with DigitalOcean's API");
        }
        match reply.message() {
            Some(message) => json(StatusCode::OK, &json!({ "message": message })),
            None => no_content(),
        }
    }
}

impl Handles<Deprovision> for DigitalOcean {
    fn request(&self, call: &Call<Self>) -> Result<Deprovision, ErrorReply> {
        Ok(Deprovision::new(call.addon_id(), call.resource("uuid")?))
    }

    fn response(&self, _: &Call<Self>, _: &Deprovisioned) -> Response {
        no_content()
    }
}

impl Events for DigitalOcean {
    const OPERATIONS: &'static [OperationKind] =
        &[OperationKind::Suspend, OperationKind::Reinstate, OperationKind::Notice];

    fn events(&self, call: &Call<Self>) -> Result<Vec<Event>, ErrorReply> {
        wire::events(&call.addon_id(), call.json()?)
    }

    fn acknowledged(&self, _: &Call<Self>) -> Response {
        no_content()
    }
}
