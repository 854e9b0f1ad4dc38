//! Who is let in to the Platform API: version, token, and pool of requests, in this order.

use axum::{
    extract::{Extension, Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

use super::{
    Platform,
    addon::Cause,
    problem::{Problem, json_text},
    record::ExchangeId,
    violation::Rule,
    world::PlatformState,
};

/// The add-on whose token came, for the handlers.
#[derive(Clone)]
pub(super) struct Caller(pub(super) String);

/// Lets in who asks for the version of the API that is played here.
pub(super) async fn version(
    State(platform): State<Platform>,
    Extension(arrived): Extension<ExchangeId>,
    request: Request,
    next: Next,
) -> Response {
    if asks_for_version_3(request.headers()) {
        return next.run(request).await;
    }
    let sentence = format!("{} asked for no version 3 of the API", arrived.line);
    platform.world().general_violation(Rule::NotAcceptable, sentence);
    Problem::not_acceptable().into_response()
}

/// Lets in who has a live token and requests left, and tells the handler which add-on it is.
pub(super) async fn token(
    State(platform): State<Platform>,
    Extension(arrived): Extension<ExchangeId>,
    mut request: Request,
    next: Next,
) -> Response {
    let (caller, left) = match admit(&platform, &arrived, &request) {
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

fn admit(platform: &Platform, arrived: &ExchangeId, request: &Request) -> Result<(Caller, Option<u32>), Problem> {
    let token = bearer(request.headers()).ok_or_else(Problem::unauthorized)?;
    let mut world = platform.world();
    let uuid = world.token_owner(token).ok_or_else(Problem::unauthorized)?.to_owned();
    let is_live = world.is_live(token);
    world.called(&uuid, arrived)?;
    if !is_live {
        world.addon_mut(&uuid).call_counts.expired_tokens += 1;
        return Err(Problem::unauthorized());
    }
    let free = request.uri().path().ends_with("/account/rate-limits");
    let (size, refill, now) = (world.settings.rate_limit, world.settings.rate_refill, world.now);
    let addon = world.addon_mut(&uuid);
    let left = if free { Some(addon.pool.left()) } else { addon.pool.take(size, refill, now) };
    if left.is_none() {
        addon.call_counts.rate_limited += 1;
    }
    Ok((Caller(uuid), left))
}

impl PlatformState {
    /// Puts a call down to an add-on. Its token died with it.
    pub(super) fn called(&mut self, uuid: &str, arrived: &ExchangeId) -> Result<(), Problem> {
        self.journal.about(arrived.seq, uuid);
        let addon = self.addon_mut(uuid);
        addon.call_counts.calls += 1;
        let Some(removal) = addon.removal else { return Ok(()) };
        if arrived.seq >= removal.before {
            addon.call_counts.calls_after_deprovision += 1;
            let is_known = match removal.cause {
                Cause::Answer => true,
                Cause::Call(seq) => !self.journal.is_response_dropped(seq),
                Cause::Heroku => false,
            };
            if is_known {
                let what = format!("{} came after it was deprovisioned", arrived.line);
                self.violation(uuid, Rule::CallAfterDeprovision, &what);
            }
        }
        Err(Problem::unauthorized())
    }
}

/// `GET /account/rate-limits`, which takes nothing from the pool.
pub(super) async fn rate_limits(
    State(platform): State<Platform>,
    Extension(Caller(own)): Extension<Caller>,
) -> Response {
    let left = platform.world().addon(&own).pool.left();
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

/// Whether the add-on's slug and password came as Basic credentials, as the inventory asks for.
pub(super) fn is_vendor(headers: &HeaderMap, world: &PlatformState) -> bool {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    let Some((scheme, encoded)) = sent else { return false };
    let expected = format!("{}:{}", world.service.slug, world.service.password);
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
