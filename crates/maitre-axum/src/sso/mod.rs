//! Single sign-on: verifies a token, calls the listener and creates a session.

mod page;
mod session;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HOST, LOCATION, REFERRER_POLICY, SET_COOKIE};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use maitre_core::sso::TokenError;
use maitre_core::{Addon, Backend, Failure, FailureKind, SignOn, SignedOn};

use crate::contract::SingleSignOn;
use crate::cookie::Cookie;
use crate::error_response::ErrorResponse;
use crate::form::Form;
use crate::layers::{AllowAll, payload, route};
use crate::log::record_resource;
use crate::path::PathId;
use crate::task;
use crate::text::is_valid_id;
use session::SessionHandle;

/// The same message for every invalid token; the reason is only logged.
const EXPIRED_LINK: &str = "This sign-in link has expired or was already used. Please open the add-on again from your \
                            dashboard.";

/// Builds the single sign-on route for browsers: a form `POST`. Mount it at any path.
pub fn by_post<M, S>(addon: &Addon<M>) -> MethodRouter<S>
where
    M: SingleSignOn,
    S: Clone + Send + Sync + 'static,
{
    route(MethodFilter::POST, &Arc::new(addon.clone()), AllowAll, post::<M>)
}

/// Builds the legacy single sign-on route: a `GET` on a path with an `{id}`. `HEAD` does not sign the user in.
pub fn by_get<M, S>(addon: &Addon<M>) -> MethodRouter<S>
where
    M: SingleSignOn,
    S: Clone + Send + Sync + 'static,
{
    route(MethodFilter::GET, &Arc::new(addon.clone()), AllowAll, get::<M>)
}

async fn post<M: SingleSignOn>(State(addon): State<Arc<Addon<M>>>, request: Request) -> Response {
    let context = SsoContext::of(&request);
    let body = match payload(&addon, request).await {
        Ok(body) => body,
        Err(rejection) => return ErrorResponse::from(rejection).into_response(),
    };
    if !body.is_form() {
        return page::response(StatusCode::UNSUPPORTED_MEDIA_TYPE, "This page only accepts form submissions.");
    }
    let request =
        addon.marketplace().sign_on(addon.id().clone(), Form::parse(body.bytes()), addon.sso_window(), addon.now());
    sign_on(&addon, request, context).await
}

async fn get<M: SingleSignOn>(State(addon): State<Arc<Addon<M>>>, PathId(id): PathId, request: Request) -> Response {
    let context = SsoContext::of(&request);
    let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
    let request = if request.method() == Method::HEAD {
        Err(TokenError::NotAccepted) // `HEAD` (a prefetch) must not sign anyone in
    } else {
        addon.marketplace().sign_on_by_get(addon.id().clone(), id, query, addon.sso_window(), addon.now())
    };
    sign_on(&addon, request, context).await
}

/// Host and session of the SSO request.
struct SsoContext {
    host: Option<String>,
    session: SessionHandle,
}

impl SsoContext {
    fn of(request: &Request) -> Self {
        Self { host: host(request.uri(), request.headers()), session: SessionHandle::of(request.extensions()) }
    }
}

/// Returns the host, which is in the URI in HTTP/2 and in a header in HTTP/1.1.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let header = || headers.get(HOST).and_then(|host| host.to_str().ok());
    uri.authority().map(Authority::as_str).or_else(header).map(ToOwned::to_owned)
}

async fn sign_on<M: SingleSignOn>(
    addon: &Arc<Addon<M>>,
    request: Result<SignOn, TokenError>,
    context: SsoContext,
) -> Response {
    let request = match request {
        Ok(request) => request,
        Err(reason) => {
            tracing::warn!(%reason, "refused a single sign-on");
            return page::response(StatusCode::FORBIDDEN, EXPIRED_LINK);
        }
    };
    if !is_valid_id(request.resource.as_str()) {
        return page::failure(StatusCode::NOT_FOUND, &Failure::unknown());
    }
    record_resource(&request.resource);
    let cookie = addon.marketplace().cookie(&request, context.host.as_deref());
    let work = addon.clone();
    match task::run(addon, async move { work.single_sign_on(request).await }).await {
        Ok(signed_on) if addon.allows_redirect(&signed_on) => redirect(&signed_on, cookie, context.session).await,
        Ok(signed_on) => {
            // the query may contain a token of the vendor
            let location = signed_on.location().split(['?', '#']).next().unwrap_or_default();
            let location = maitre_core::mask_urls(location);
            tracing::error!(
                location,
                "the listener redirects to another site: return a path that begins with one slash, or add the origin with \
                 Addon::with_redirect_origin"
            );
            page::failure(StatusCode::SERVICE_UNAVAILABLE, &Failure::unavailable("redirect to another site"))
        }
        Err(failure) => page::failure(status(failure.kind()), &failure),
    }
}

/// Returns the status of the error page: browsers do not show 422 and 410 in a special way.
fn status(failure: FailureKind) -> StatusCode {
    match failure {
        FailureKind::Refused | FailureKind::Conflict => StatusCode::FORBIDDEN,
        FailureKind::Unknown | FailureKind::Gone => StatusCode::NOT_FOUND,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn redirect(signed_on: &SignedOn, cookie: Option<Cookie>, session: SessionHandle) -> Response {
    if let Err(error) = session.store(signed_on).await {
        tracing::error!("{error}");
        return page::failure(error.status(), &Failure::unavailable(error));
    }
    let Ok(location) = HeaderValue::try_from(signed_on.location()) else {
        tracing::error!("the listener's redirect is not a valid header value");
        return page::failure(StatusCode::SERVICE_UNAVAILABLE, &Failure::unavailable("invalid redirect"));
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer")); // the legacy URL contains a token
    if let Some(cookie) = cookie {
        headers.append(SET_COOKIE, cookie.into_header());
    }
    response
}
