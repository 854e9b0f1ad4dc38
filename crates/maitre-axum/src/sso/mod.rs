//! Single sign-on: verifies a token, calls the listener and creates a session.

mod page;
mod session;

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, HOST, LOCATION, REFERRER_POLICY, SET_COOKIE};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};
use maitre_core::sso::TokenError;
use maitre_core::{Addon, Backend, Failure, FailureKind, SignOn, SignedOn};

use crate::contract::{Contract, Head};
use crate::cookie::Cookie;
use crate::incoming::Incoming;
use crate::log::record_resource;
use crate::payload::Payload;
use crate::route::{admit_all, route};
use crate::task;
use crate::text::is_valid_id;
use session::SessionHandle;

/// The same message for every invalid token; the reason is only logged.
const EXPIRED_LINK: &str = "This sign-in link has expired or was already used. Please open the add-on again from your \
                            dashboard.";

/// A contract whose users come from the marketplace with a token.
///
/// The token may be in a signed form, in the query or path of a link, or in a JSON body. A contract whose sign-on has
/// several steps, such as an authorization code, has [open routes](crate::Routes::open) for them and ends with
/// [`complete_sign_on`].
pub trait SingleSignOn: Contract {
    /// Verifies the token of a request. The user only sees that it failed.
    ///
    /// # Errors
    /// Returns the reason for the log.
    fn sign_on(&self, request: &Head<Self>) -> impl Future<Output = Result<SignOn, TokenError>> + Send;

    /// Returns whether a body can be read. The default accepts HTML forms; others are answered 415.
    fn accepts(&self, body: &Payload) -> bool {
        body.is_form()
    }

    /// Returns the status of a refused token. The default is 403.
    fn refused_status(&self) -> StatusCode {
        StatusCode::FORBIDDEN
    }

    /// Returns the status of the page that shows a failure of the listener or the ledger. The default is 403 if it declined,
    /// 404 for a resource that does not exist, and 503.
    fn failure_status(&self, failure: FailureKind) -> StatusCode {
        match failure {
            FailureKind::Refused | FailureKind::Conflict => StatusCode::FORBIDDEN, // browsers do not know 422 and 410
            FailureKind::Unknown | FailureKind::Gone => StatusCode::NOT_FOUND,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the status of the redirect after a sign-on. The default is 302.
    fn redirect_status(&self) -> StatusCode {
        StatusCode::FOUND
    }

    /// Returns whether a user is sent on by a page with status 200 in place of a redirect. The default is `false`.
    fn continues_by_page(&self) -> bool {
        false
    }

    /// Returns a cookie to set in addition to the session. `host` is the host in the browser's request. The default is
    /// none.
    fn cookie(&self, request: &SignOn, host: Option<&str>) -> Option<Cookie> {
        let _ = (request, host);
        None
    }
}

/// Builds only the single sign-on route, for any path of the host.
pub fn single_sign_on<M, S>(addon: Addon<M>, method: MethodFilter) -> MethodRouter<S>
where
    M: SingleSignOn,
    S: Clone + Send + Sync + 'static,
{
    sign_on_route(&Arc::new(addon), method)
}

pub(crate) fn sign_on_route<M, S>(addon: &Arc<Addon<M>>, method: MethodFilter) -> MethodRouter<S>
where
    M: SingleSignOn,
    S: Clone + Send + Sync + 'static,
{
    route(addon, method, "single_sign_on", |head: Head<M>, body: Body| async move {
        let by_get = matches!(*head.method(), Method::GET | Method::HEAD);
        let head = admit_all(head, body, !by_get).await?;
        if !by_get && !head.addon().marketplace().accepts(head.body()) {
            return Ok(page::response(StatusCode::UNSUPPORTED_MEDIA_TYPE, "This page only accepts form submissions."));
        }
        let request = match *head.method() {
            Method::HEAD => Err(TokenError::NotAccepted), // `HEAD` (a prefetch) must not sign anyone in
            _ => head.addon().marketplace().sign_on(&head).await,
        };
        Ok(complete_sign_on(&head, request).await)
    })
}

/// Completes a sign-on after its token was verified: calls the listener, stores its values in a new session, and
/// redirects. Errors become a page.
pub async fn complete_sign_on<M: SingleSignOn, C: Sync>(
    call: &Incoming<M, C>,
    request: Result<SignOn, TokenError>,
) -> Response {
    let addon = call.shared_addon();
    let request = match request {
        Ok(request) => request,
        Err(reason) => {
            crate::metrics::authentication_failure(addon.id(), "single_sign_on");
            tracing::warn!(%reason, "refused a single sign-on");
            return page::response(addon.marketplace().refused_status(), EXPIRED_LINK);
        }
    };
    if !is_valid_id(request.resource.as_str()) {
        return page::failure(StatusCode::NOT_FOUND, &Failure::unknown());
    }
    record_resource(&request.resource);
    let age = call.now().unix_timestamp().saturating_sub(request.token.issued_at);
    crate::metrics::sign_on_age(addon.id(), age);
    let cookie = addon.marketplace().cookie(&request, host(&call.parts().uri, call.headers()));
    let session = SessionHandle::of(&call.parts().extensions);
    let (work, request) = (addon.clone(), Box::new(request));
    match task::run(addon, async move { work.single_sign_on(*request).await }).await {
        Ok(signed_on) if addon.allows_redirect(&signed_on) => {
            send_on(addon.marketplace(), &signed_on, cookie, session).await
        }
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
        Err(failure) => page::failure(addon.marketplace().failure_status(failure.kind()), &failure),
    }
}

/// Returns the host, which is in the URI in HTTP/2 and in a header in HTTP/1.1.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let header = || headers.get(HOST).and_then(|host| host.to_str().ok());
    uri.authority().map(Authority::as_str).or_else(header)
}

async fn send_on<M: SingleSignOn>(
    contract: &M,
    signed_on: &SignedOn,
    cookie: Option<Cookie>,
    session: SessionHandle,
) -> Response {
    if let Err(error) = session.store(signed_on).await {
        tracing::error!("{error}");
        return page::failure(error.status(), &Failure::unavailable(error));
    }
    let Ok(location) = HeaderValue::try_from(signed_on.location()) else {
        tracing::error!("the listener's redirect is not a valid header value");
        return page::failure(StatusCode::SERVICE_UNAVAILABLE, &Failure::unavailable("invalid redirect"));
    };
    let mut response = if contract.continues_by_page() {
        page::moving_on(signed_on.location())
    } else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = contract.redirect_status();
        response.headers_mut().insert(LOCATION, location);
        response
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer")); // the legacy URL contains a token
    if let Some(cookie) = cookie {
        headers.append(SET_COOKIE, cookie.into_header());
    }
    response
}
