//! The resource in the path of a request.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use maitre_core::ResourceId;

use crate::error_response::ErrorResponse;
use crate::log::record_resource;
use crate::text::is_valid_id;

/// The resource id in the path, unchanged.
pub(crate) struct PathId(pub(crate) ResourceId);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ErrorResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ErrorResponse> {
        // the last one of this name, as the host's path prefix may contain parameters; ids that are not UTF-8, or not valid, never exist
        let parameters = RawPathParams::from_request_parts(parts, state).await.ok();
        let id = parameters.as_ref().and_then(|all| all.iter().filter(|(name, _)| *name == "id").last());
        let Some((_, id)) = id.filter(|(_, id)| is_valid_id(id)) else {
            return Err(ErrorResponse::new(StatusCode::NOT_FOUND, "This resource does not exist."));
        };
        let id = ResourceId::from(id);
        record_resource(&id);
        Ok(Self(id))
    }
}
