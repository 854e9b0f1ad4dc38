//! Single sign-on with one token over the id that the listener returned: by `GET` until 2014, then by form.

use axum::http::Method;
use maitre_axum::core::sso::{SignedFields, TokenError, TokenKind, VerifiedToken};
use maitre_axum::core::{Identity, ResourceId, SignOn};
use maitre_axum::{Cookie, Head, SingleSignOn};

use crate::CloudControl;

impl SingleSignOn for CloudControl {
    async fn sign_on(&self, request: &Head<Self>) -> Result<SignOn, TokenError> {
        self.verify(request)
    }

    /// cloudControl used Heroku's name of the cookie.
    fn cookie(&self, request: &SignOn, host: Option<&str>) -> Option<Cookie> {
        self.basic.nav_cookie("heroku-nav-data", request, host)
    }
}

impl CloudControl {
    fn verify(&self, request: &Head<Self>) -> Result<SignOn, TokenError> {
        let window = request.addon().sso_window();
        let mut form = request.form();
        let sent_id = form.take("id")?;
        // in a `GET` the id in the path is used, and the one in the query is ignored
        let id = if *request.method() == Method::GET { request.parameter("id") } else { sent_id.as_deref() };
        let id = ResourceId::from(id.filter(|id| !id.is_empty()).ok_or(TokenError::Incomplete)?);
        let token = form.require("token")?;
        let timestamp = form.require("timestamp")?;
        self.basic.verify_token(request, SignedFields::Id(id.as_str()), &token, &timestamp)?;

        let user = Identity::claimed(None, form.take("email")?);
        let token = VerifiedToken::new(TokenKind::Legacy, &timestamp, window)?;
        let mut sign_on = SignOn::new(request.addon_id(), id, user, token);
        sign_on.app = form.take("app")?;
        sign_on.nav_data = form.take("nav-data")?;
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
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_published_token_is_valid_only_for_its_id() {
        let cloudcontrol = CloudControl::new("papaya", "s3cr3t-example", "rock salt").unwrap();
        let addon = Addon::new(cloudcontrol, Widgets).with_clock(|| datetime!(2023-11-14 22:18:20 UTC));
        let sign_on = |id: &str| {
            let form = format!("id={id}&token=9b65f5836299bfe5dce9af06e2fa59d3044a8cc9&timestamp=1700000000");
            let request = Request::post("/sso").body(Bytes::from(form)).unwrap();
            addon.marketplace().verify(&Head::new(addon.clone(), request))
        };
        assert_eq!(sign_on("789").unwrap().resource.as_str(), "789");
        assert_eq!(sign_on("788").unwrap_err(), TokenError::Wrong);
        assert_eq!(sign_on("").unwrap_err(), TokenError::Incomplete);
    }
}
