//! Who may call: answered from the headers alone, before the body is read.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use headers::authorization::Basic;
use headers::{Authorization, HeaderMapExt};
use maitre_core::{Addon, Credentials};
use time::OffsetDateTime;
use tower_http::validate_request::ValidateRequest;

use crate::contract::Contract;
use crate::reply::ErrorResponse;

/// Whether the one `Authorization` header holds the add-on's Basic credentials (RFC 7617).
///
/// The scheme counts in any case, the first colon splits, the base64 is strict, the text UTF-8. Two headers are none:
/// nobody can say which one a proxy in front has looked at.
///
/// ```
/// use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
/// use maitre_axum::verify_basic;
/// use maitre_axum::core::Credentials;
/// use time::OffsetDateTime;
///
/// let credentials = Credentials::new("lantern", "s3cr3t-example", "salt")?;
/// let mut headers = HeaderMap::new();
/// assert!(!verify_basic(&headers, &credentials, OffsetDateTime::UNIX_EPOCH));
/// headers.insert(AUTHORIZATION, HeaderValue::from_static("basic bGFudGVybjpzM2NyM3QtZXhhbXBsZQ=="));
/// assert!(verify_basic(&headers, &credentials, OffsetDateTime::UNIX_EPOCH));
/// # Ok::<(), maitre_axum::core::CredentialsError>(())
/// ```
#[must_use]
pub fn verify_basic(headers: &HeaderMap, credentials: &Credentials, now: OffsetDateTime) -> bool {
    let alone = headers.get_all(AUTHORIZATION).iter().nth(1).is_none();
    let sent: Option<Authorization<Basic>> = headers.typed_get();
    alone && sent.is_some_and(|sent| credentials.verify(sent.username(), sent.password(), now))
}

/// [`Contract::authenticate`] as a layer.
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
        let sentence = "The credentials are missing or not those of this add-on.";
        let mut response = ErrorResponse::new(StatusCode::UNAUTHORIZED, sentence).into_response();
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(M::CHALLENGE));
        Err(response)
    }
}
