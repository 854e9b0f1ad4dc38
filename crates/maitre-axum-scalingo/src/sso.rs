//! Single sign-on by a link with the resource, the time and a token. The user is not sent.

use maitre_axum::core::sso::{SignedFields, TokenError, TokenKind, VerifiedToken};
use maitre_axum::core::{Identity, SignOn};
use maitre_axum::{Head, SingleSignOn};

use crate::Scalingo;

impl SingleSignOn for Scalingo {
    async fn sign_on(&self, request: &Head<Self>) -> Result<SignOn, TokenError> {
        self.verify(request)
    }
}

impl Scalingo {
    fn verify(&self, request: &Head<Self>) -> Result<SignOn, TokenError> {
        let mut query = request.form();
        let (id, timestamp) = (query.require("id")?, query.require("timestamp")?);
        let token = query.require("token")?;
        self.basic.verify_token(request, SignedFields::Id(&id), &token, &timestamp)?;
        let token = VerifiedToken::new(TokenKind::Legacy, &timestamp, request.addon().sso_window())?;
        let mut sign_on = SignOn::new(request.addon_id(), id, Identity::claimed(None, None), token);
        sign_on.extra = query.into_remaining();
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

    fn verify(token: &str, seconds_later: i64) -> Result<SignOn, TokenError> {
        let now = OffsetDateTime::from_unix_timestamp(1_700_000_000 + seconds_later).unwrap();
        let scalingo = Scalingo::new("lychee", "s3cr3t-example", "orange-salt").unwrap();
        let addon = Addon::new(scalingo.clone(), Widgets).with_clock(move || now);
        let link = format!("/sso?token={token}&timestamp=1700000000&id=ad-7d0c2b8e");
        scalingo.verify(&Head::new(addon, Request::get(link).body(Bytes::new()).unwrap()))
    }

    #[test]
    fn the_published_token_signs_in_for_five_minutes() {
        let token = "3a751389dfbbb8db220922b22026a2cf27aa814f";
        let sign_on = verify(token, 300).unwrap();
        assert_eq!((sign_on.resource.as_str(), sign_on.identity.email()), ("ad-7d0c2b8e", None));
        assert_eq!(verify(token, 301).unwrap_err(), TokenError::TooOld);
        assert_eq!(verify("3a751389dfbbb8db220922b22026a2cf27aa8140", 0).unwrap_err(), TokenError::Wrong);
        assert_eq!(verify("", 0).unwrap_err(), TokenError::Incomplete);
    }
}
