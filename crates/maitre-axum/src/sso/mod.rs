//! Single sign-on: a person comes with a token and leaves with a session.

mod form;
mod page;
mod session;

pub use form::Form;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HOST, LOCATION, REFERRER_POLICY, SET_COOKIE};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use axum_extra::extract::cookie::{Cookie, SameSite};
use maitre_core::sso::{TokenError, is_cookie_safe};
use maitre_core::{Addon, Backend, Failure, FailureKind, SignOn, SignedOn};

use crate::contract::SingleSignOn;
use crate::layers::{Open, payload, route};
use crate::lifecycle::PathId;
use crate::log::about;
use crate::reply::ErrorResponse;
use crate::task;
use session::HandOver;

/// Single sign-on as browsers send it today: a form `POST`. Mount it at any path.
pub fn by_post<M, S>(addon: &Addon<M>) -> MethodRouter<S>
where
    M: SingleSignOn,
    S: Clone + Send + Sync + 'static,
{
    route(MethodFilter::POST, &Arc::new(addon.clone()), Open, post::<M>)
}

/// Single sign-on in its legacy form: a `GET` on a path with an `{id}`. `HEAD` signs nobody in.
pub fn by_get<M, S>(addon: &Addon<M>) -> MethodRouter<S>
where
    M: SingleSignOn,
    S: Clone + Send + Sync + 'static,
{
    route(MethodFilter::GET, &Arc::new(addon.clone()), Open, get::<M>)
}

async fn post<M: SingleSignOn>(State(addon): State<Arc<Addon<M>>>, request: Request) -> Response {
    let door = Door::of(&request);
    let body = match payload(request, addon.body_limit()).await {
        Ok(body) => body,
        Err(malformed) => return ErrorResponse::from(malformed).into_response(),
    };
    if !body.is_form() {
        return page::answer(StatusCode::UNSUPPORTED_MEDIA_TYPE, "This page is reached by a form alone.");
    }
    let request =
        addon.marketplace().sign_on(addon.id().clone(), Form::parse(body.bytes()), addon.sso_window(), addon.now());
    sign_on(&addon, request, door).await
}

async fn get<M: SingleSignOn>(State(addon): State<Arc<Addon<M>>>, PathId(id): PathId, request: Request) -> Response {
    let door = Door::of(&request);
    let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
    let request = if request.method() == Method::HEAD {
        Err(TokenError::NotAccepted) // whoever looks ahead has not come yet
    } else {
        addon.marketplace().sign_on_by_get(addon.id().clone(), id, query, addon.sso_window(), addon.now())
    };
    sign_on(&addon, request, door).await
}

/// What the browser's request says beside its fields.
struct Door {
    host: Option<String>,
    session: HandOver,
}

impl Door {
    fn of(request: &Request) -> Self {
        Self { host: host(request.uri(), request.headers()), session: HandOver::of(request.extensions()) }
    }
}

/// HTTP/2 carries it in the URI, HTTP/1.1 in a header.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let header = || headers.get(HOST).and_then(|host| host.to_str().ok());
    uri.authority().map(Authority::as_str).or_else(header).map(ToOwned::to_owned)
}

async fn sign_on<M: SingleSignOn>(addon: &Arc<Addon<M>>, request: Result<SignOn, TokenError>, door: Door) -> Response {
    let request = match request {
        Ok(request) => request,
        Err(why) => {
            tracing::warn!(%why, "refused a single sign-on");
            return page::answer(StatusCode::FORBIDDEN, "Please go back and open the add-on once more.");
        }
    };
    about(&request.resource);
    let cookie = addon.marketplace().cookie(&request, door.host.as_deref());
    let work = addon.clone();
    match task::run(addon, async move { work.single_sign_on(request).await }).await {
        Ok(signed_on) if addon.allows_redirect(&signed_on) => enter(&signed_on, cookie, door.session).await,
        Ok(signed_on) => {
            // a query may hold a token of the vendor's
            let location = signed_on.location().split(['?', '#']).next().unwrap_or_default();
            let location = maitre_core::mask_urls(location);
            tracing::error!(
                location,
                "the listener sends people off this site: return a path that begins with one slash, or list the origin \
                 with Addon::with_redirect_origin"
            );
            page::failure(StatusCode::SERVICE_UNAVAILABLE, &Failure::unavailable("a redirect off this site"))
        }
        Err(failure) => page::failure(status(failure.kind()), &failure),
    }
}

/// A page's statuses: 422 means nothing to a person, and what was removed is not there.
fn status(failure: FailureKind) -> StatusCode {
    match failure {
        FailureKind::Refused | FailureKind::Conflict => StatusCode::FORBIDDEN,
        FailureKind::Unknown | FailureKind::Gone => StatusCode::NOT_FOUND,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn enter(signed_on: &SignedOn, cookie: Option<Cookie<'static>>, session: HandOver) -> Response {
    if let Err(error) = session.hand_over(signed_on).await {
        tracing::error!("{error}");
        return page::failure(error.status(), &Failure::unavailable(error));
    }
    let Ok(location) = HeaderValue::try_from(signed_on.location()) else {
        tracing::error!("the listener's redirect does not fit into a header");
        return page::failure(StatusCode::SERVICE_UNAVAILABLE, &Failure::unavailable("an odd redirect"));
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer")); // the legacy URL holds a token
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::try_from(cookie.to_string()).ok()) {
        headers.append(SET_COOKIE, cookie);
    }
    response
}

/// The nav-data cookie, if the data is [plain enough](is_cookie_safe) to become one.
///
/// For the whole site, out of the reach of scripts, sent along when the person comes over from the marketplace.
///
/// ```
/// let cookie = maitre_axum::nav_cookie("fair-nav", Some("eyJhIjoxfQ"), true).unwrap();
/// assert_eq!(cookie.to_string(), "fair-nav=eyJhIjoxfQ; HttpOnly; SameSite=Lax; Secure; Path=/");
/// assert!(maitre_axum::nav_cookie("fair-nav", Some("a;b"), true).is_none());
/// ```
#[must_use]
pub fn nav_cookie(name: &'static str, nav_data: Option<&str>, secure: bool) -> Option<Cookie<'static>> {
    let nav_data = nav_data.filter(|nav_data| is_cookie_safe(nav_data))?;
    let cookie =
        Cookie::build((name, nav_data.to_owned())).path("/").http_only(true).same_site(SameSite::Lax).secure(secure);
    Some(cookie.build())
}
