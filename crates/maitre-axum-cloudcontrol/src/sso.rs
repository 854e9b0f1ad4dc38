//! Single sign-on with one token over the id that the listener returned: by `GET` until 2014, then by form.

use maitre_axum::core::sso::{SignedFields, TokenError, TokenKind, VerifiedToken, Window};
use maitre_axum::core::{AddonId, Identity, ResourceId, SignOn};
use maitre_axum::{Cookie, Form, SingleSignOn};
use time::OffsetDateTime;

use crate::CloudControl;

impl SingleSignOn for CloudControl {
    fn sign_on(
        &self,
        addon: AddonId,
        mut form: Form,
        window: Window,
        now: OffsetDateTime,
    ) -> Result<SignOn, TokenError> {
        let id = ResourceId::from(form.require("id")?);
        self.verify(addon, id, form, window, now)
    }

    /// The resource id in the path is used, and the one in the query is ignored.
    fn sign_on_by_get(
        &self,
        addon: AddonId,
        id: ResourceId,
        mut query: Form,
        window: Window,
        now: OffsetDateTime,
    ) -> Result<SignOn, TokenError> {
        query.take("id")?;
        self.verify(addon, id, query, window, now)
    }

    /// cloudControl used Heroku's name of the cookie.
    fn cookie(&self, request: &SignOn, host: Option<&str>) -> Option<Cookie> {
        self.basic.nav_cookie("heroku-nav-data", request, host)
    }
}

impl CloudControl {
    fn verify(
        &self,
        addon: AddonId,
        id: ResourceId,
        mut form: Form,
        window: Window,
        now: OffsetDateTime,
    ) -> Result<SignOn, TokenError> {
        let token = form.require("token")?;
        let timestamp = form.require("timestamp")?;
        SignedFields::Id(id.as_str()).verify(&token, &timestamp, self.basic.salts(), window, now)?;

        let user = Identity::claimed(None, form.take("email")?);
        let mut request = SignOn::new(addon, id, user, VerifiedToken::new(TokenKind::Legacy, &timestamp, window)?);
        request.app = form.take("app")?;
        request.nav_data = form.take("nav-data")?;
        request.extra = form.into_remaining();
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_token_is_valid_only_for_its_id() {
        let cloudcontrol = CloudControl::new("papaya", "s3cr3t-example", "rock salt").unwrap();
        let now = OffsetDateTime::from_unix_timestamp(1_700_000_300).unwrap();
        let sign_on = |id: &str| {
            let form = format!("id={id}&token=9b65f5836299bfe5dce9af06e2fa59d3044a8cc9&timestamp=1700000000");
            let addon = AddonId::new("cloudcontrol", "papaya");
            cloudcontrol.sign_on(addon, Form::parse(form.as_bytes()), Window::default(), now)
        };
        assert_eq!(sign_on("789").unwrap().resource.as_str(), "789");
        assert_eq!(sign_on("788").unwrap_err(), TokenError::Wrong);
        assert_eq!(sign_on("").unwrap_err(), TokenError::Incomplete);
    }
}
