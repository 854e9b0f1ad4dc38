//! Parts that the optional routes share.

use axum::http::StatusCode;
use maitre_axum::core::{Backend, Failure, FailureKind, FetchAccount, OperationKind, ResourceId, ResourceSummary};
use maitre_axum::{Call, Contract, ErrorReply, ReadError};

use crate::Vercel;

/// Returns the error of an optional route, which a failure of the vendor's function or of the ledger has caused.
pub(crate) fn failed(call: &Call<Vercel>, failure: &Failure, refused: StatusCode) -> ReadError {
    let vercel = call.addon().marketplace();
    let error = vercel.failure(OperationKind::Update, failure);
    if failure.kind() != FailureKind::Refused {
        return error.into();
    }
    let details = error.details().clone();
    let refused = ErrorReply::from_failure(refused, failure);
    details.into_iter().fold(refused, |error, (name, value)| error.with_detail(name, value)).into()
}

/// Returns the resources of the installation in the path.
pub(crate) async fn live_resources(call: &Call<Vercel>) -> Result<Vec<ResourceSummary>, ReadError> {
    let request = FetchAccount::new(call.addon_id(), call.id("iid")?);
    let mut resources = call.addon().account_resources(request).await?;
    resources.retain(|resource| resource.lives);
    Ok(resources)
}

/// Returns the key of a resource, by the key itself or the vendor's id.
pub(crate) fn find_resource(resources: &[ResourceSummary], id: &str) -> Result<ResourceId, ErrorReply> {
    let is_named = |known: &&ResourceSummary| known.provider_id.as_deref() == Some(id) || known.resource.as_str() == id;
    let found = resources.iter().find(is_named);
    let found = found.ok_or_else(|| ErrorReply::new(StatusCode::NOT_FOUND, "This resource does not exist."))?;
    Ok(found.resource.clone())
}
