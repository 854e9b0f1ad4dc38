//! Checks before a handler of the Platform API: version, token, and rate limit, in this order.

use axum::{
    extract::{Extension, Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

use super::{
    super::state::{shared::SharedState, store::PlatformState, violation::Rule},
    exchange_id::ExchangeId,
    problem::{Problem, json_text},
    vendor::{Authorized, Vendor},
};

/// Rejects requests for another version of the API.
pub(crate) async fn version(
    State(state): State<SharedState>,
    Extension(exchange): Extension<ExchangeId>,
    request: Request,
    next: Next,
) -> Response {
    if asks_for_version_3(request.headers()) {
        return next.run(request).await;
    }
    let message = format!("{} did not request version 3 of the API", exchange.line);
    state.lock().record_general_violation(Rule::NotAcceptable, message);
    Problem::not_acceptable().into_response()
}

/// Rejects requests without a valid token or over the rate limit, and passes the add-on to the handler.
pub(crate) async fn token(
    State(state): State<SharedState>,
    Extension(exchange): Extension<ExchangeId>,
    mut request: Request,
    next: Next,
) -> Response {
    let (caller, left) = match admit(&state, &exchange, &request) {
        Ok(admitted) => admitted,
        Err(problem) => return problem.into_response(),
    };
    let response = match left {
        Some(_) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        None => Problem::rate_limit().into_response(),
    };
    ([("ratelimit-remaining", left.unwrap_or(0).to_string())], response).into_response()
}

fn admit(state: &SharedState, exchange: &ExchangeId, request: &Request) -> Result<(Authorized, Option<u32>), Problem> {
    let token = bearer(request.headers()).ok_or_else(Problem::unauthorized)?;
    let mut state = state.lock();
    let uuid = state.token_owner(token).ok_or_else(Problem::unauthorized)?.to_owned();
    let is_live = state.is_live(token);
    state.record_call(&uuid, exchange.number, &exchange.line)?;
    if !is_live {
        state.addon_mut(&uuid).call_counts.expired_tokens += 1;
        return Err(Problem::unauthorized());
    }
    let free = request.uri().path().ends_with("/account/rate-limits");
    let (size, refill, now) = (state.settings.rate_limit, state.settings.rate_refill, state.now);
    let addon = state.addon_mut(&uuid);
    let left = if free { Some(addon.pool.left()) } else { addon.pool.take(size, refill, now) };
    if left.is_none() {
        addon.call_counts.rate_limited += 1;
    }
    Ok((Authorized(uuid), left))
}

/// `GET /account/rate-limits`, which does not count against the rate limit.
pub(crate) async fn rate_limits(vendor: Vendor) -> Response {
    let left = vendor.state().addon(&vendor.own).pool.left();
    json_text(200, json!({ "remaining": left }).to_string())
}

/// Heroku's own clients ask for variants such as `version=3.sdk`.
fn asks_for_version_3(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_ours = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/vnd.heroku+json"));
        let version = parts.find_map(|parameter| parameter.strip_prefix("version="));
        is_ours && version.is_some_and(|version| version == "3" || version.starts_with("3."))
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Whether the request has the add-on's slug and password as Basic credentials.
pub(crate) fn is_vendor(headers: &HeaderMap, state: &PlatformState) -> bool {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    let Some((scheme, encoded)) = sent else { return false };
    let expected = format!("{}:{}", state.service.slug, state.service.password);
    scheme.eq_ignore_ascii_case("basic")
        && BASE64_STANDARD.decode(encoded.trim()).is_ok_and(|decoded| decoded == expected.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_version_3_is_acceptable() {
        for (accept, expected) in [
            ("application/vnd.heroku+json; version=3", true),
            ("application/vnd.heroku+json;version=3.sdk", true),
            ("text/html, application/vnd.heroku+json; version=3", true),
            ("application/vnd.heroku+json", false),
            ("application/vnd.heroku+json; version=30", false),
            ("application/json; version=3", false),
            ("*/*", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(asks_for_version_3(&headers), expected, "{accept}");
        }
    }
}
