//! Authentication, versions, and the status and body of each error.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::Response;
use maitre_axum::core::catalog::{CatalogRejection, Offer};
use maitre_axum::core::{Failure, FailureKind, Fields, OperationKind};
use maitre_axum::{Accepted, Call, Contract, ErrorReply, Head, json, required};
use serde_json::{Map, Value};

use crate::Osb;
use crate::view::originating_identity;
use crate::wire::OperationBody;

const REQUEST_IDENTITY: HeaderName = HeaderName::from_static("x-broker-api-request-identity");

/// Time after which an operation is accepted, where the add-on does not set one.
const ASYNC_AFTER: Duration = Duration::from_secs(2);

/// Checks the version of the API. A missing one is answered like one that is not supported.
pub(crate) fn check_version(call: &Call<Osb>) -> Result<(), ErrorReply> {
    let minimum = call.addon().marketplace().minimum_minor;
    let version = call.header("x-broker-api-version").unwrap_or_default();
    let minor = version.strip_prefix("2.").and_then(|minor| minor.parse::<u32>().ok());
    if minor.is_some_and(|minor| minor >= minimum) {
        return Ok(());
    }
    let message = format!("X-Broker-API-Version must be 2.{minimum} or a later 2.x.");
    Err(ErrorReply::new(StatusCode::PRECONDITION_FAILED, message))
}

impl Contract for Osb {
    type Caller = ();

    async fn authenticate(&self, head: &Head<Self>) -> Result<(), ErrorReply> {
        self.basic.authenticate(head)
    }

    /// Returns the identity of the request, which platforms compare with their logs.
    fn response_headers(&self, request: &HeaderMap) -> HeaderMap {
        request.get(&REQUEST_IDENTITY).map(|id| (REQUEST_IDENTITY, id.clone())).into_iter().collect()
    }

    fn status(&self, operation: OperationKind, failure: FailureKind) -> StatusCode {
        use OperationKind::{Bind, Deprovision, LastOperation, Provision, Unbind};
        match (operation, failure) {
            (Provision, FailureKind::Conflict | FailureKind::Gone) | (Bind, FailureKind::Conflict) => {
                StatusCode::CONFLICT
            }
            (Deprovision | Unbind, FailureKind::Unknown | FailureKind::Gone) | (LastOperation, FailureKind::Gone) => {
                StatusCode::GONE
            }
            (_, FailureKind::Unknown | FailureKind::Gone) => StatusCode::NOT_FOUND,
            (_, FailureKind::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    fn failure(&self, operation: OperationKind, failure: &Failure) -> ErrorReply {
        if (operation, failure.kind()) == (OperationKind::LastOperation, FailureKind::Gone) && !self.deleted_is_gone {
            return ErrorReply::new(StatusCode::OK, "").with_detail("state", "succeeded");
        }
        let error = ErrorReply::from_failure(self.status(operation, failure.kind()), failure);
        match failure.kind() {
            FailureKind::Concurrent => error.with_code("ConcurrencyError"),
            FailureKind::AsyncRequired => error.with_code("AsyncRequired"),
            FailureKind::Refused if matches!(operation, OperationKind::PlanChange | OperationKind::Update) => {
                error.with_detail("update_repeatable", false)
            }
            _ => error,
        }
    }

    fn error(&self, error: &ErrorReply) -> Response {
        let mut body = error.details().clone();
        if !matches!(error.status(), StatusCode::GONE | StatusCode::OK) {
            body.extend(error.code().map(|code| ("error".to_owned(), code.into())));
            body.insert("description".to_owned(), error.message().into());
        }
        json(error.status(), &body)
    }

    fn accepted(&self, _: &Call<Self>, accepted: &Accepted<'_>) -> Response {
        let is_provision = accepted.kind == OperationKind::Provision;
        let dashboard_url = if is_provision { self.dashboard_url(accepted.resource.as_str()) } else { None };
        json(StatusCode::ACCEPTED, &OperationBody { dashboard_url, operation: Some(accepted.operation.to_string()) })
    }
}

/// Returns whether the platform accepts an asynchronous reply to this request.
pub(crate) fn accepts_incomplete(call: &Call<Osb>) -> bool {
    call.query_value("accepts_incomplete").is_some_and(|value| value == "true")
}

/// Returns the time after which an operation is accepted, where the platform polls for its completion.
pub(crate) fn async_after(call: &Call<Osb>) -> Option<Duration> {
    accepts_incomplete(call).then(|| call.addon().async_after().unwrap_or(ASYNC_AFTER))
}

/// Checks the parameters of the query that removals need. Their values do not matter: a removal is always right.
pub(crate) fn check_removal(call: &Call<Osb>) -> Result<(), ErrorReply> {
    for name in ["service_id", "plan_id"] {
        required(name, call.query_value(name))?;
    }
    Ok(())
}

impl Osb {
    /// Returns the offer with these ids; absent and unknown ones are answered 400.
    pub(crate) fn offer(&self, service: Option<&str>, plan: Option<&str>) -> Result<Offer<'_>, ErrorReply> {
        let (service, plan) = (required("service_id", service)?, required("plan_id", plan)?);
        self.catalog.find(service, plan).map_err(|rejection| rejected(&rejection))
    }

    /// Checks the version of a plan's maintenance that the platform expects.
    pub(crate) fn check_maintenance<'p>(
        mut plans: impl Iterator<Item = &'p maitre_axum::core::catalog::Plan>,
        expected: Option<&str>,
    ) -> Result<(), ErrorReply> {
        if expected.is_none() || plans.any(|plan| plan.maintenance_version() == expected) {
            return Ok(());
        }
        let error = ErrorReply::unprocessable("The version in maintenance_info is not that of the catalog.");
        Err(error.with_code("MaintenanceInfoConflict"))
    }
}

pub(crate) fn rejected(rejection: &CatalogRejection) -> ErrorReply {
    ErrorReply::bad_request(format!("The request does not match the catalog: {rejection}."))
}

/// Returns the fields of a request that only platforms of this kind send, with the user in the header.
pub(crate) fn details(call: &Call<Osb>, extra: Map<String, Value>) -> Fields {
    let mut details = Fields::from(extra);
    if let Some(identity) = originating_identity(call.header("x-broker-api-originating-identity")) {
        details.insert("originating_identity", identity);
    }
    details
}

/// Checks that a body with a content type is JSON. A body without one is parsed, too.
pub(crate) fn check_json(call: &Call<Osb>) -> Result<(), ErrorReply> {
    match call.header("content-type") {
        Some(content_type) if !content_type.to_ascii_lowercase().contains("json") => {
            Err(ErrorReply::bad_request("The body must have the content type application/json."))
        }
        _ => Ok(()),
    }
}
