//! Catalog, instances, bindings and the state of operations.

use axum::http::StatusCode;
use axum::response::Response;
use maitre_axum::core::{
    Backend, Bound, Failure, FailureKind, Fetch, FetchBinding, LastOperation, OperationKind, OperationState,
    OperationStatus, ResourceDetails, ResourceStatus,
};
use maitre_axum::{Call, Contract, ErrorReply, Handles, ReadResult, json};
use serde_json::json;

use crate::Osb;
use crate::wire::{BindingReply, InstanceReply, StateReply};

/// Answers with the catalog, or with 304 if the platform has it.
pub(crate) async fn catalog(call: Call<Osb>) -> ReadResult {
    Ok(call.addon().marketplace().published.response(call.headers()))
}

/// Answers with IBM Cloud's state of an instance.
pub(crate) async fn availability(call: Call<Osb>) -> ReadResult {
    let details = call.addon().fetch(Fetch::new(call.addon_id(), call.resource("iid")?)).await?;
    let active = details.status == ResourceStatus::Provisioned && !details.suspended;
    Ok(json(StatusCode::OK, &json!({ "active": active, "enabled": !details.suspended })))
}

impl Handles<Fetch> for Osb {
    fn request(&self, call: &Call<Self>) -> Result<Fetch, ErrorReply> {
        Ok(Fetch::new(call.addon_id(), call.resource("iid")?))
    }

    fn response(&self, call: &Call<Self>, reply: &ResourceDetails) -> Response {
        let refuse = |failure| self.error(&self.failure(OperationKind::Fetch, &failure));
        match reply.status {
            ResourceStatus::Updating => return refuse(Failure::concurrent()),
            ResourceStatus::Provisioned => {}
            _ => return refuse(Failure::unknown()),
        }
        let Some(offer) = self.catalog.find_named(reply.service.as_deref(), &reply.plan) else {
            tracing::error!(plan = reply.plan, "the catalog no longer has the plan of this instance");
            return refuse(Failure::unavailable("a plan that is not in the catalog"));
        };
        let dashboard_url = reply.dashboard_url.clone();
        let body = InstanceReply {
            service_id: offer.service.id(),
            plan_id: offer.plan.id(),
            dashboard_url: dashboard_url.or_else(|| self.dashboard_url(call.id("iid").ok()?)),
            parameters: reply.parameters.as_map(),
        };
        json(StatusCode::OK, &body)
    }
}

impl Handles<FetchBinding> for Osb {
    fn request(&self, call: &Call<Self>) -> Result<FetchBinding, ErrorReply> {
        Ok(FetchBinding::new(call.addon_id(), call.resource("iid")?, call.id("bid")?))
    }

    fn response(&self, _: &Call<Self>, reply: &Bound) -> Response {
        json(StatusCode::OK, &BindingReply::from(reply))
    }
}

impl Handles<LastOperation> for Osb {
    fn request(&self, call: &Call<Self>) -> Result<LastOperation, ErrorReply> {
        let mut request = LastOperation::new(call.addon_id(), call.resource("iid")?);
        if call.parameter("bid").is_some() {
            request.binding = Some(call.id("bid")?.into());
        }
        if let Some(operation) = call.query_value("operation") {
            let operation =
                operation.parse().map_err(|_| ErrorReply::bad_request("The operation is not one of ours."))?;
            request.operation = Some(operation);
        }
        Ok(request)
    }

    fn response(&self, _: &Call<Self>, reply: &OperationStatus) -> Response {
        let removal = matches!(reply.kind, OperationKind::Deprovision | OperationKind::Unbind);
        let update = matches!(reply.kind, OperationKind::PlanChange | OperationKind::Update);
        let (state, refused) = match reply.state {
            OperationState::Succeeded if removal && self.deleted_is_gone => return json(StatusCode::GONE, &json!({})),
            OperationState::Succeeded => ("succeeded", false),
            OperationState::Failed(kind) => ("failed", kind == FailureKind::Refused),
            _ => ("in progress", false),
        };
        let update_repeatable = (update && refused).then_some(false);
        json(StatusCode::OK, &StateReply { state, description: reply.message.as_deref(), update_repeatable })
    }
}
