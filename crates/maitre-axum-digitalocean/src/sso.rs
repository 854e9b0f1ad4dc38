//! Single sign-on with an HMAC over the time and the resource. The user is not signed.

use axum::http::StatusCode;
use maitre_axum::core::sso::{Algorithm, Part, SignedFields, TokenError, TokenKind, VerifiedToken};
use maitre_axum::core::{Identity, SignOn};
use maitre_axum::{Head, SingleSignOn};

use crate::DigitalOcean;

impl SingleSignOn for DigitalOcean {
    async fn sign_on(&self, request: &Head<Self>) -> Result<SignOn, TokenError> {
        self.verify(request)
    }

    fn refused_status(&self) -> StatusCode {
        StatusCode::UNAUTHORIZED
    }
}

impl DigitalOcean {
    fn verify(&self, request: &Head<Self>) -> Result<SignOn, TokenError> {
        let mut form = request.form();
        let (uuid, timestamp) = (form.require("resource_uuid")?, form.require("timestamp")?);
        let (user_id, user_email) = (form.take("user_id")?, form.take("user_email")?);
        let legacy_email = form.take("email")?;
        let email = match (form.take("token")?, form.take("resource_token")?) {
            (Some(token), _) => {
                let parts = [Part::Timestamp, Part::Field(&uuid)];
                let fields = SignedFields::Parts(Algorithm::HmacSha256, &parts);
                // DigitalOcean's own sample accepts uppercase digits
                self.basic.verify_token(request, fields, &token.to_ascii_lowercase(), &timestamp)?;
                user_email
            }
            (None, Some(token)) if self.legacy_token => {
                self.basic.verify_token(request, SignedFields::Id(&uuid), &token, &timestamp)?;
                user_email.or(legacy_email)
            }
            (None, Some(_)) => return Err(TokenError::NotAccepted),
            (None, None) => return Err(TokenError::Incomplete),
        };
        let token = VerifiedToken::new(TokenKind::Resource, &timestamp, request.addon().sso_window())?;
        let mut sign_on = SignOn::new(request.addon_id(), uuid, Identity::claimed(user_id, email), token);
        sign_on.extra = form.into_remaining();
        Ok(sign_on)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::http::Request;
    use maitre_axum::core::Addon;
    use maitre_axum::core::doctest::Widgets;
    use time::OffsetDateTime;

    use super::*;

    const HMAC: &str = "token=0a5d00d652afcb4a327e61f05ccb04404d637af83fcb92eb011e423f9996f278";
    const SHA1: &str = "resource_token=ec39c4e1c6d6acfb8f9d7eee647098de72820031";

    fn verify(legacy: bool, token: &str, seconds_later: i64) -> Result<SignOn, TokenError> {
        let digitalocean = DigitalOcean::new("tamarind", "s3cr3t-example", "kelp-salt").unwrap();
        let now = OffsetDateTime::from_unix_timestamp(1_700_000_000 + seconds_later).unwrap();
        let addon = Addon::new(digitalocean.with_legacy_token(legacy), Widgets).with_clock(move || now);
        let form = format!(
            "resource_uuid=0f6a2c3e-5d41-4b7a-9c11-2f3e4d5c6b7a&timestamp=1700000000&user_id=u&user_email=a%40b.example&{token}"
        );
        let marketplace = addon.marketplace().clone();
        marketplace.verify(&Head::new(addon, Request::post("/sso").body(Bytes::from(form)).unwrap()))
    }

    #[test]
    fn the_published_hmac_signs_in_within_two_minutes_with_a_claimed_identity() {
        let sign_on = verify(false, HMAC, 0).unwrap();
        assert_eq!(sign_on.resource, "0f6a2c3e-5d41-4b7a-9c11-2f3e4d5c6b7a");
        assert_eq!((sign_on.identity.is_verified(), sign_on.identity.email()), (false, Some("a@b.example")));
        for (later, error) in
            [(120, None), (121, Some(TokenError::TooOld)), (-120, None), (-121, Some(TokenError::TooFarAhead))]
        {
            assert_eq!(verify(false, HMAC, later).err(), error, "{later}");
        }
        assert!(verify(false, &format!("token={}", HMAC[6..].to_uppercase()), 0).is_ok());
        assert_eq!(verify(false, &HMAC.replace("0a5d", "0a5e"), 0).unwrap_err(), TokenError::Wrong);
    }

    #[test]
    fn the_published_sha1_token_signs_in_only_if_enabled_and_alone() {
        assert_eq!(verify(false, SHA1, 0).unwrap_err(), TokenError::NotAccepted);
        assert!(verify(true, SHA1, 0).is_ok());
        assert_eq!(verify(true, &format!("token=0&{SHA1}"), 0).unwrap_err(), TokenError::Wrong);
        assert_eq!(verify(true, "", 0).unwrap_err(), TokenError::Incomplete);
    }
}
