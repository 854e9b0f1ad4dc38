//! Single sign-on: one token over the id that the listener answered, by `GET` until 2014 and by form afterwards.

use maitre_axum::core::manifest::is_loopback;
use maitre_axum::core::sso::{SignedFields, TokenError, TokenKind, VerifiedToken, Window};
use maitre_axum::core::{AddonId, Identity, ResourceId, SignOn};
use maitre_axum::{Cookie, Form, SingleSignOn, nav_cookie};
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
        let id = ResourceId::from(form.need("id")?);
        self.decide(addon, id, form, window, now)
    }

    /// The path alone names the resource, whatever the query says.
    fn sign_on_by_get(
        &self,
        addon: AddonId,
        id: ResourceId,
        mut query: Form,
        window: Window,
        now: OffsetDateTime,
    ) -> Result<SignOn, TokenError> {
        query.take("id")?;
        self.decide(addon, id, query, window, now)
    }

    /// cloudControl used Heroku's name for it, unchanged.
    fn cookie(&self, request: &SignOn, host: Option<&str>) -> Option<Cookie<'static>> {
        let plain = self.loopback && host.is_some_and(is_loopback);
        nav_cookie("heroku-nav-data", request.nav_data.as_deref(), !plain)
    }
}

impl CloudControl {
    fn decide(
        &self,
        addon: AddonId,
        id: ResourceId,
        mut form: Form,
        window: Window,
        now: OffsetDateTime,
    ) -> Result<SignOn, TokenError> {
        let token = form.need("token")?;
        let timestamp = form.need("timestamp")?;
        SignedFields::Id(id.as_str()).verify(&token, &timestamp, self.credentials.salts(), window, now)?;

        let who = Identity::claimed(None, form.take("email")?);
        let mut request = SignOn::new(addon, id, who, VerifiedToken::new(TokenKind::Legacy, &timestamp, window)?);
        request.app = form.take("app")?;
        request.nav_data = form.take("nav-data")?;
        request.extra = form.rest();
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_token_lets_in_for_its_id_alone() {
        let cloudcontrol = CloudControl::new("papaya", "s3cr3t-example", "rock salt").unwrap();
        let now = OffsetDateTime::from_unix_timestamp(1_700_000_300).unwrap();
        let enter = |id: &str| {
            let form = format!("id={id}&token=9b65f5836299bfe5dce9af06e2fa59d3044a8cc9&timestamp=1700000000");
            let addon = AddonId::new("cloudcontrol", "papaya");
            cloudcontrol.sign_on(addon, Form::parse(form.as_bytes()), Window::default(), now)
        };
        assert_eq!(enter("789").unwrap().resource.as_str(), "789");
        assert_eq!(enter("788").unwrap_err(), TokenError::Wrong);
        assert_eq!(enter("").unwrap_err(), TokenError::Incomplete);
    }
}
