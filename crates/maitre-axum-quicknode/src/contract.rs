//! Authentication, and the status and body of each response.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use maitre_axum::core::{
    Account, Backend, CloseAccount, ConfigVars, Deprovision, Deprovisioned, FailureKind, OperationKind, PlanChanged,
    Provisioned,
};
use maitre_axum::{Call, Contract, ErrorReply, Handles, Head, ReadResult, json};
use serde_json::json;

use crate::QuickNode;
use crate::endpoint::{AccountClosure, EndpointChange, EndpointProvision};
use crate::wire::{self, SuccessBody};

impl Contract for QuickNode {
    type Caller = ();

    async fn authenticate(&self, head: &Head<Self>) -> Result<(), ErrorReply> {
        self.basic.authenticate(head)
    }

    /// `DELETE` has a body.
    fn reads_body(&self, method: &Method) -> bool {
        !matches!(*method, Method::GET | Method::HEAD)
    }

    /// A repeated removal succeeds. A provision during a removal can be repeated.
    fn status(&self, operation: OperationKind, failure: FailureKind) -> StatusCode {
        match (operation, failure) {
            (OperationKind::Deprovision | OperationKind::CloseAccount, FailureKind::Gone) => StatusCode::OK,
            (OperationKind::Provision, FailureKind::Gone) => StatusCode::SERVICE_UNAVAILABLE,
            (_, FailureKind::Refused | FailureKind::Conflict) => StatusCode::UNPROCESSABLE_ENTITY,
            (_, FailureKind::Unknown | FailureKind::Gone) => StatusCode::NOT_FOUND,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error(&self, error: &ErrorReply) -> Response {
        if error.status() == StatusCode::OK {
            return success(); // a repeated removal
        }
        json(error.status(), &json!({ "status": "error", "message": error.message() }))
    }
}

fn success() -> Response {
    json(StatusCode::OK, &SuccessBody::new())
}

impl QuickNode {
    fn success(&self, config: &ConfigVars, is_complete: bool) -> Response {
        json(StatusCode::OK, &SuccessBody::with_urls(self, config, is_complete))
    }
}

impl Handles<EndpointProvision> for QuickNode {
    fn request(&self, call: &Call<Self>) -> Result<EndpointProvision, ErrorReply> {
        wire::provision(call)
    }

    fn response(&self, _: &Call<Self>, reply: &Provisioned) -> Response {
        self.success(reply.config(), true)
    }
}

impl Handles<EndpointChange> for QuickNode {
    fn request(&self, call: &Call<Self>) -> Result<EndpointChange, ErrorReply> {
        wire::update(call)
    }

    fn response(&self, _: &Call<Self>, reply: &PlanChanged) -> Response {
        self.success(reply.config(), false)
    }
}

impl Handles<Deprovision> for QuickNode {
    fn request(&self, call: &Call<Self>) -> Result<Deprovision, ErrorReply> {
        wire::deactivation(call)
    }

    fn response(&self, _: &Call<Self>, _: &Deprovisioned) -> Response {
        success()
    }
}

impl Handles<AccountClosure> for QuickNode {
    fn request(&self, call: &Call<Self>) -> Result<AccountClosure, ErrorReply> {
        Ok(CloseAccount::new(call.addon_id(), wire::account(call)?).into())
    }

    fn response(&self, _: &Call<Self>, _: &Account) -> Response {
        success()
    }
}

/// Answers QuickNode's health check, which is sent every ten minutes.
pub(crate) async fn health(head: Head<QuickNode>) -> ReadResult {
    head.addon().check_health().await?;
    Ok(json(StatusCode::OK, &json!({ "status": "ok" })))
}
