//! Single sign-on with a signature over resource and user, and the legacy token over the resource.

use std::time::Duration;

use maitre_axum::core::sso::{Algorithm, Part, SignedFields, TokenError, TokenKind, VerifiedToken};
use maitre_axum::core::{Identity, SignOn};
use maitre_axum::{Head, SingleSignOn};

use crate::CleverCloud;

/// Timestamps from here on are in milliseconds: in seconds it is the year 5138.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

impl SingleSignOn for CleverCloud {
    async fn sign_on(&self, request: &Head<Self>) -> Result<SignOn, TokenError> {
        self.verify(request)
    }
}

impl CleverCloud {
    fn verify(&self, request: &Head<Self>) -> Result<SignOn, TokenError> {
        let (window, now) = (request.addon().sso_window(), request.now());
        let mut form = request.form();
        let (id, timestamp) = (form.require("id")?, form.require("timestamp")?);
        let issued_at = unix_seconds(&timestamp)?;
        let nav_data = form.take("nav-data")?;
        let (user_id, email) = (form.take("user_id")?, form.take("email")?);
        let (signature, token) = (form.take("signature")?, form.take("token")?);
        let (identity, kind, window) = match (signature, token) {
            (Some(signature), _) => {
                let (user_id, email) = (user_id.unwrap_or_default(), email.unwrap_or_default());
                let parts = [
                    Part::Field(&id),
                    Part::Field(&user_id),
                    Part::Field(&email),
                    Part::Optional(nav_data.as_deref().unwrap_or_default()),
                    Part::Salt,
                    Part::Timestamp,
                ];
                let fields = SignedFields::Parts(Algorithm::Sha512, &parts);
                self.basic.verify_by(request, |salts| fields.verify_hash(&signature, &timestamp, salts, now))?;
                (Identity::verified(user_id, email), TokenKind::User, window)
            }
            (None, Some(token)) if self.legacy_token => {
                let fields = SignedFields::Id(&id);
                self.basic.verify_by(request, |salts| fields.verify_hash(&token, &timestamp, salts, now))?;
                // valid for 15 minutes
                let window = window.with_max_age(Duration::from_mins(15));
                (Identity::claimed(user_id, email), TokenKind::Legacy, window)
            }
            (None, Some(_)) => return Err(TokenError::NotAccepted),
            (None, None) => return Err(TokenError::Incomplete),
        };
        window.check_unix(issued_at, now)?;
        let token = VerifiedToken::from_unix(kind, issued_at, window);
        let mut sign_on = SignOn::new(request.addon_id(), id, identity, token);
        sign_on.nav_data = nav_data.filter(|nav_data| !nav_data.is_empty());
        sign_on.extra = form.into_remaining();
        Ok(sign_on)
    }
}

/// Parses milliseconds or seconds since 1970, with or without a fraction.
fn unix_seconds(timestamp: &str) -> Result<i64, TokenError> {
    let (whole, fraction) = timestamp.split_once('.').unwrap_or((timestamp, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return Err(TokenError::Timestamp);
    }
    let whole: i64 = whole.parse().map_err(|_| TokenError::Timestamp)?;
    Ok(if whole >= FIRST_MILLISECONDS { whole / 1000 } else { whole })
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::http::Request;
    use maitre_axum::core::Addon;
    use maitre_axum::core::doctest::Widgets;
    use time::OffsetDateTime;

    use super::*;

    const USER: &str = "id=res_42&user_id=user_11111111-2222-3333-4444-555555555555&email=ada%40example.test";
    const IN_MILLISECONDS: &str = "timestamp=1700000000000&signature=9314c44dd5ea9305aecce39c7cbdb699778512e520e992e3042622\
        6f82ef01dbad3a75928900eacd82d8be696c9c66dc07a4efd71817df2cebe6bf70cfeacc11";
    const IN_SECONDS: &str = "timestamp=1700000000&signature=dee79ee94b72e6017a8d1a9da356d8fc850526febcf99b2a1d57155747c4de\
        3e58e3018d9f09b6a8b0a275705e810620ccef5f9b292c65973bbd2e0337c95abb";
    const LEGACY: &str = "timestamp=1700000000&token=8feec1fc3e51fc8e447cdf3b8c36ab44c6dc3cb4";

    fn verify(legacy: bool, fields: &str, seconds_later: i64) -> Result<SignOn, TokenError> {
        let now = OffsetDateTime::from_unix_timestamp(1_700_000_000 + seconds_later).unwrap();
        let clevercloud = CleverCloud::new("quince", "s3cr3t-example", "plum-salt").unwrap().with_legacy_token(legacy);
        let addon = Addon::new(clevercloud.clone(), Widgets).with_clock(move || now);
        let form = Bytes::from(format!("{USER}&{fields}"));
        clevercloud.verify(&Head::new(addon, Request::post("/sso").body(form).unwrap()))
    }

    #[test]
    fn the_published_signatures_verify_the_identity_in_milliseconds_and_seconds() {
        for fields in [IN_MILLISECONDS, IN_SECONDS, &format!("{IN_SECONDS}&nav-data=&token=0")] {
            let sign_on = verify(false, fields, 300).unwrap();
            assert_eq!((sign_on.resource.as_str(), sign_on.identity.is_verified()), ("res_42", true));
            assert_eq!(verify(false, fields, 301).unwrap_err(), TokenError::TooOld);
        }
        assert_eq!(verify(false, &format!("{IN_SECONDS}&nav-data=x"), 0).unwrap_err(), TokenError::Wrong);
        assert_eq!(verify(false, &format!("{LEGACY}&signature="), 0).unwrap_err(), TokenError::Incomplete);
    }

    #[test]
    fn the_published_legacy_token_signs_in_for_15_minutes_without_a_verified_identity_if_enabled() {
        assert_eq!(verify(false, LEGACY, 0).unwrap_err(), TokenError::NotAccepted);
        assert!(!verify(true, LEGACY, 900).unwrap().identity.is_verified());
        assert_eq!(verify(true, LEGACY, 901).unwrap_err(), TokenError::TooOld);
    }

    #[test]
    fn a_timestamp_is_a_number() {
        assert_eq!(unix_seconds("1700000000.25"), Ok(1_700_000_000));
        assert_eq!(unix_seconds("1700000000250"), Ok(1_700_000_000));
        for odd in ["", ".5", "1.", "-1", "1e9", "99999999999999999999"] {
            assert_eq!(unix_seconds(odd), Err(TokenError::Timestamp), "{odd}");
        }
    }
}
