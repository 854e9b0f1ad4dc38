//! Installations: a team accepts the terms, changes its plan, and leaves.

use axum::http::StatusCode;
use axum::response::Response;
use maitre_axum::core::{
    Account, AccountState, Backend, CloseAccount, Failure, FailureKind, FetchAccount, Fields, OpenAccount,
    OperationKind,
};
use maitre_axum::{Call, Contract, ErrorReply, ReadError, ReadResult, json, no_content};
use serde_json::{Map, Value, json};

use crate::Vercel;
use crate::contract::invalid;
use crate::past_plans::past_plans;
use crate::plan::PlanBody;
use crate::wire::{InstallBody, InstallationPlanBody, UninstallBody, details, optional_json};

/// Detail of an account with the name of its plan, if the catalog has plans of installations.
const PLAN: &str = "billing_plan_id";

/// Opens an installation, or replaces its credentials and details. Its plan and its resources are kept.
pub(crate) async fn install(call: Call<Vercel>) -> ReadResult {
    let sent = call.json::<InstallBody>()?;
    let token = sent.fields.credentials.access_token;
    if token.expose().is_empty() {
        return Err(ErrorReply::bad_request("The access_token is empty.").into());
    }
    let vercel = call.addon().marketplace();
    let mut request = OpenAccount::new(call.addon_id(), call.id("iid")?);
    request.credentials = Some(token);
    request.details = details(&call, sent.extra);
    if let Some(default) = vercel.installation_plans().next() {
        let plan = match find(&call).await? {
            Some(account) => account.details.text(PLAN).map(str::to_owned),
            None => None,
        };
        request.details.insert(PLAN, plan.unwrap_or_else(|| default.name().to_owned()));
    }
    let opened = open(&call, request).await?;
    let status = if vercel.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(match (billing_plan(vercel, &opened.details), vercel.created) {
        (Some(plan), _) => json(status, &json!({ "billingPlan": plan })),
        (None, true) => json(status, &json!({})),
        (None, false) => no_content(),
    })
}

/// Answers with an installation.
pub(crate) async fn read(call: Call<Vercel>) -> ReadResult {
    let account = find(&call).await?.filter(|account| account.state != AccountState::Gone);
    let account = account.ok_or_else(no_installation)?;
    Ok(shown(call.addon().marketplace(), &account))
}

/// Changes the plan of an installation.
pub(crate) async fn update(call: Call<Vercel>) -> ReadResult {
    let body: InstallationPlanBody = optional_json(&call)?;
    let vercel = call.addon().marketplace();
    let account = find(&call).await?.filter(|account| account.state.is_open()).ok_or_else(no_installation)?;
    let Some(plan) = body.billing_plan_id else { return Ok(shown(vercel, &account)) };
    if !vercel.installation_plans().any(|known| known.name() == plan) {
        return Err(invalid("billingPlanId", "This plan does not exist.").into());
    }
    let mut request = OpenAccount::new(call.addon_id(), account.id);
    (request.credentials, request.details) = (account.credentials, account.details);
    request.details.insert(PLAN, plan);
    let opened = open(&call, request).await?;
    Ok(shown(vercel, &opened))
}

/// Closes an installation. Its deletion is final immediately unless a plan of it has ever cost something, or it still has
/// resources. Also answered 204 if it is unknown or was closed before.
pub(crate) async fn uninstall(call: Call<Vercel>) -> ReadResult {
    let body: UninstallBody = optional_json(&call)?;
    let vercel = call.addon().marketplace();
    let account = find(&call).await?.filter(|account| account.state != AccountState::Gone);
    let Some(account) = account else { return Ok(no_content()) };
    let mut request = CloseAccount::new(call.addon_id(), account.id);
    request.cascade = body.cascade_resource_deletion.unwrap_or_default();
    let own_plan = account.details.text(PLAN).map(str::to_owned);
    let moved = past_plans(&call, &request.account).await?;
    request.finalizing = vercel.is_paid(account.plans.iter().chain(own_plan.as_ref()).chain(&moved));
    request.details = details(&call, Map::new());
    request.details.extend_some([("reason", body.reason)]);
    match call.addon().close_account(request).await {
        Ok(closed) => Ok(json(StatusCode::OK, &json!({ "finalized": closed.state == AccountState::Gone }))),
        Err(failure) if matches!(failure.kind(), FailureKind::Unknown | FailureKind::Gone) => Ok(no_content()),
        Err(failure) => Err(failed(vercel, OperationKind::CloseAccount, &failure)),
    }
}

async fn open(call: &Call<Vercel>, request: OpenAccount) -> Result<Account, ReadError> {
    let opened = call.addon().open_account(request).await;
    opened.map_err(|failure| failed(call.addon().marketplace(), OperationKind::OpenAccount, &failure))
}

/// Finds the installation in the path.
pub(crate) async fn find(call: &Call<Vercel>) -> Result<Option<Account>, ReadError> {
    match call.addon().fetch_account(FetchAccount::new(call.addon_id(), call.id("iid")?)).await {
        Ok(account) => Ok(Some(account)),
        Err(failure) if failure.kind() == FailureKind::Unknown => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

fn failed(vercel: &Vercel, operation: OperationKind, failure: &Failure) -> ReadError {
    tracing::warn!(%failure, %operation, "the installation is not changed");
    vercel.failure(operation, failure).into()
}

fn billing_plan(vercel: &Vercel, details: &Fields) -> Option<Value> {
    let name = details.text(PLAN)?;
    vercel.installation_plans().find(|plan| plan.name() == name).map(|plan| json!(PlanBody(plan)))
}

fn shown(vercel: &Vercel, account: &Account) -> Response {
    let plan = billing_plan(vercel, &account.details);
    json(StatusCode::OK, &plan.map_or_else(|| json!({}), |plan| json!({ "billingPlan": plan })))
}

fn no_installation() -> ErrorReply {
    ErrorReply::new(StatusCode::NOT_FOUND, "This installation does not exist.")
}
