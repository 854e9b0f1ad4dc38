//! Single sign-on by a link with a JWT, which names the account and the user, but no endpoint.

use std::time::Duration;

use axum::http::StatusCode;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use maitre_axum::core::sso::{TokenError, TokenKind, VerifiedToken};
use maitre_axum::core::{Backend, FailureKind, FetchAccount, Identity, ResourceId, Salt, SignOn};
use maitre_axum::{Head, SingleSignOn};
use serde::Deserialize;

use crate::QuickNode;

/// Time after `exp` in which a token is still accepted.
const LEEWAY: i64 = 60;

impl SingleSignOn for QuickNode {
    async fn sign_on(&self, request: &Head<Self>) -> Result<SignOn, TokenError> {
        let mut sign_on = self.verify(request)?;
        if let Some(resource) = live_resource(request, sign_on.resource.as_str()).await {
            sign_on.resource = resource;
        }
        Ok(sign_on)
    }

    fn refused_status(&self) -> StatusCode {
        StatusCode::UNAUTHORIZED
    }

    fn failure_status(&self, failure: FailureKind) -> StatusCode {
        match failure {
            FailureKind::Refused | FailureKind::Conflict | FailureKind::Unknown | FailureKind::Gone => {
                StatusCode::UNAUTHORIZED
            }
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// QuickNode's test tool follows redirects, but keeps no cookies.
    fn continues_by_page(&self) -> bool {
        true
    }
}

/// Returns the first live resource of an account, which only a ledger knows.
async fn live_resource(request: &Head<QuickNode>, account: &str) -> Option<ResourceId> {
    let resources = request.addon().account_resources(FetchAccount::new(request.addon_id(), account)).await.ok()?;
    resources.into_iter().find(|resource| resource.lives).map(|resource| resource.resource)
}

#[derive(Deserialize)]
struct Claims {
    quicknode_id: String,
    iat: i64,
    /// Sent by the test tool.
    exp: Option<i64>,
    /// Sent by the portal, `<iat>/<hex>`.
    jti: Option<String>,
    name: Option<String>,
    email: Option<String>,
    organization_name: Option<String>,
}

impl QuickNode {
    /// Returns a sign-on whose resource is the account.
    fn verify(&self, request: &Head<Self>) -> Result<SignOn, TokenError> {
        let (now, mut window) = (request.now(), request.addon().sso_window());
        let mut query = request.form();
        let jwt = query.require("jwt")?;
        let read = |secrets: &[Salt]| {
            let mut active = secrets.iter().filter(|secret| secret.is_active(now));
            active.find_map(|secret| claims(&jwt, secret)).ok_or(TokenError::Wrong)
        };
        self.basic.verify_by(request, |secrets| read(secrets).map(drop))?;
        let claims = read(&self.basic.salts())?;
        if claims.quicknode_id.is_empty() {
            return Err(TokenError::Incomplete);
        }
        let end = claims.exp.map(|exp| exp.saturating_add(LEEWAY).saturating_sub(now.unix_timestamp()));
        if end.is_some_and(|left| left < 0) {
            return Err(TokenError::TooOld);
        }
        if let Some(left) = end {
            window = window.with_max_age(Duration::MAX); // the token has an end of its own
            window.check_unix(claims.iat, now)?;
            window = window.with_max_age(Duration::from_secs(left.unsigned_abs()));
        } else {
            window.check_unix(claims.iat, now)?;
        }
        let id = claims.jti.as_deref().unwrap_or(&jwt);
        let token = VerifiedToken::from_unix(TokenKind::User, claims.iat, window).with_id(id);
        let identity = match claims.email {
            Some(email) => Identity::verified(String::new(), email),
            None => Identity::claimed(None, None),
        };
        let mut sign_on = SignOn::new(request.addon_id(), claims.quicknode_id.as_str(), identity, token);
        sign_on.extra = query.into_remaining();
        let optional = [("name", claims.name), ("organization_name", claims.organization_name)];
        let extra = optional.into_iter().filter_map(|(name, value)| Some((name, value?)));
        sign_on.extra.extend(extra.map(|(name, value)| (name.to_owned(), value)));
        sign_on.extra.insert("quicknode_id".to_owned(), claims.quicknode_id);
        Ok(sign_on)
    }
}

/// Verifies the signature and reads the claims. `exp` is optional, so that it is checked separately.
fn claims(jwt: &str, secret: &Salt) -> Option<Claims> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let key = DecodingKey::from_secret(secret.expose().as_bytes());
    decode::<Claims>(jwt, &key, &validation).ok().map(|token| token.claims)
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::http::Request;
    use maitre_axum::core::Addon;
    use maitre_axum::core::doctest::Widgets;
    use time::OffsetDateTime;

    use super::*;

    /// As the portal sends it, without `exp`.
    const LIVE: &str = "eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImp0aSI6IjE3MDAwMDAwMDAvYWIxMmNkMzQiLCJuYW1lIjoiQWRhIEV4YW1wbGUiLCJlbWFpbCI6ImFkYUBjdXN0b21lci5leGFtcGxlIiwib3JnYW5pemF0aW9uX25hbWUiOiJFeGFtcGxlIE9yZyIsInF1aWNrbm9kZV9pZCI6InFuLWFjYy0xIn0.zU0wXuvoPjb3dQIN7_EUQ5Pm9IoX6G2yGZbT5xIU5n0";
    /// As the test tool sends it, with `exp`.
    const TOOL: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJlbWFpbCI6ImFkYUBjdXN0b21lci5leGFtcGxlIiwiZXhwIjoxNzAwMDAwNjAwLCJpYXQiOjE3MDAwMDAwMDAsIm5hbWUiOiJBZGEgRXhhbXBsZSIsIm9yZ2FuaXphdGlvbl9uYW1lIjoiRXhhbXBsZSBPcmciLCJxdWlja25vZGVfaWQiOiJxbi1hY2MtMSJ9.fff8vPimG89pJlAJk3qZyDu5WGnusg0NB_lQhd2iypA";
    const ALG_NONE: &str = "eyJhbGciOiJub25lIn0.eyJpYXQiOjE3MDAwMDAwMDAsInF1aWNrbm9kZV9pZCI6InFuLWFjYy0xIn0.";

    fn verify(secret: &str, jwt: &str, seconds_later: i64) -> Result<SignOn, TokenError> {
        let now = OffsetDateTime::from_unix_timestamp(1_700_000_000 + seconds_later).unwrap();
        let quicknode = QuickNode::new("pomelo", "pomelo-pass", secret).unwrap();
        let addon = Addon::new(quicknode.clone(), Widgets).with_clock(move || now);
        quicknode.verify(&Head::new(addon, Request::get(format!("/sso?jwt={jwt}")).body(Bytes::new()).unwrap()))
    }

    #[test]
    fn the_published_tokens_sign_in_within_their_time() {
        let (ok, early, old) = (None, Some(TokenError::TooFarAhead), Some(TokenError::TooOld));
        for (jwt, seconds_later, error) in [
            (LIVE, 0, ok),
            (LIVE, -60, ok),
            (LIVE, -61, early),
            (LIVE, 600, ok),
            (LIVE, 601, old),
            (TOOL, 0, ok),
            (TOOL, -61, early),
            (TOOL, 660, ok),
            (TOOL, 661, old),
        ] {
            assert_eq!(verify("pomelo-jwt-secret", jwt, seconds_later).err(), error, "{seconds_later}");
        }
        let sign_on = verify("pomelo-jwt-secret", LIVE, 0).unwrap();
        assert_eq!((sign_on.resource.as_str(), sign_on.identity.is_verified()), ("qn-acc-1", true));
        assert_eq!(sign_on.identity.email(), Some("ada@customer.example"));
        assert_eq!(sign_on.extra["organization_name"], "Example Org");
        assert_eq!(sign_on.token.replay_window, Duration::from_mins(11));
    }

    #[test]
    fn a_token_of_another_key_or_algorithm_is_refused() {
        assert_eq!(verify("another", LIVE, 0).unwrap_err(), TokenError::Wrong);
        for jwt in [ALG_NONE, &LIVE.replace("zU0w", "zU0x"), &LIVE[..LIVE.len() - 43], "a.b.c", "x"] {
            assert_eq!(verify("pomelo-jwt-secret", jwt, 0).unwrap_err(), TokenError::Wrong, "{jwt}");
        }
        assert_eq!(verify("pomelo-jwt-secret", "", 0).unwrap_err(), TokenError::Incomplete);
    }

    #[test]
    fn a_token_signed_with_an_old_secret_is_valid_until_its_end() {
        let at = |second| OffsetDateTime::from_unix_timestamp(second).unwrap();
        for (now, error) in [(1_700_000_009, None), (1_700_000_010, Some(TokenError::Wrong))] {
            let old = Salt::new("pomelo-jwt-secret").unwrap().with_expiry(at(1_700_000_010));
            let quicknode = QuickNode::new("pomelo", "pomelo-pass", "new").unwrap().with_jwt_secret(old);
            let addon = Addon::new(quicknode.clone(), Widgets).with_clock(move || at(now));
            let request = Request::get(format!("/sso?jwt={LIVE}")).body(Bytes::new()).unwrap();
            assert_eq!(quicknode.verify(&Head::new(addon, request)).err(), error, "{now}");
        }
    }
}
