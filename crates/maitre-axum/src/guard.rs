//! Authentication from the headers, before the body is read.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use maitre_core::Addon;
use tower_http::validate_request::ValidateRequest;

use crate::contract::Contract;
use crate::error_response::ErrorResponse;

/// Layer that calls [`Contract::authenticate`].
pub(crate) struct Guard<M>(pub(crate) Arc<Addon<M>>);

impl<M> Clone for Guard<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Contract, B> ValidateRequest<B> for Guard<M> {
    type ResponseBody = Body;

    fn validate(&mut self, request: &mut Request<B>) -> Result<(), Response> {
        if self.0.marketplace().authenticate(request.headers(), self.0.now()) {
            return Ok(());
        }
        tracing::warn!("refused a caller without the add-on's credentials");
        let message = "The credentials are missing or wrong.";
        let mut response = ErrorResponse::new(StatusCode::UNAUTHORIZED, message).into_response();
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(M::CHALLENGE));
        Err(response)
    }
}
