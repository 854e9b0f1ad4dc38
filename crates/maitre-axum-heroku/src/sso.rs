//! Single sign-on with three kinds of token. Only the strongest one of a form is verified.

use axum::http::Method;
use maitre_axum::core::sso::{SignedFields, TokenError, TokenKind, VerifiedToken};
use maitre_axum::core::{Identity, SignOn};
use maitre_axum::{Cookie, Head, SingleSignOn};

use crate::Heroku;

impl SingleSignOn for Heroku {
    async fn sign_on(&self, request: &Head<Self>) -> Result<SignOn, TokenError> {
        self.verify(request)
    }

    fn cookie(&self, request: &SignOn, host: Option<&str>) -> Option<Cookie> {
        self.basic.nav_cookie("heroku-nav-data", request, host)
    }
}

impl Heroku {
    fn verify(&self, request: &Head<Self>) -> Result<SignOn, TokenError> {
        let window = request.addon().sso_window();
        let mut form = request.form();
        let (sent_resource_id, sent_id) = (form.take("resource_id")?, form.take("id")?);
        // in a legacy request by `GET` the id in the path is used, and the ones in the query are ignored
        let (resource_id, id) = match request.parameter("id").filter(|_| *request.method() == Method::GET) {
            Some(id) => (id, id),
            None => (sent_resource_id.as_deref().unwrap_or_default(), sent_id.as_deref().unwrap_or_default()),
        };
        let timestamp = form.require("timestamp")?;
        let user_id = form.take("user_id")?;
        let email = form.take("email")?;
        let user_scoped = form.take("user_scoped_resource_token")?;
        let resource_token = form.take("resource_token")?;
        let token = form.take("token")?;

        let verify =
            |covers: SignedFields<'_>, token: &str| self.basic.verify_token(request, covers, token, &timestamp);
        let (resource, identity, strength) = match (user_scoped, resource_token, token) {
            (Some(strongest), _, _) => {
                let (user_id, email) = (user_id.unwrap_or_default(), email.unwrap_or_default());
                verify(SignedFields::User { resource_id, user_id: &user_id, email: &email }, &strongest)?;
                (resource_id, Identity::verified(user_id, email), TokenKind::User)
            }
            (None, Some(middle), _) if !self.user_scoped_only => {
                verify(SignedFields::Id(resource_id), &middle)?;
                (resource_id, Identity::claimed(user_id, email), TokenKind::Resource)
            }
            (None, None, Some(weakest)) if self.legacy_token && !self.user_scoped_only => {
                verify(SignedFields::Id(id), &weakest)?;
                (id, Identity::claimed(user_id, email), TokenKind::Legacy)
            }
            (None, None, None) => return Err(TokenError::Incomplete),
            _ => return Err(TokenError::NotAccepted),
        };

        let token = VerifiedToken::new(strength, &timestamp, window)?;
        let mut sign_on = SignOn::new(request.addon_id(), resource, identity, token);
        sign_on.app = form.take("app")?;
        sign_on.context_app = form.take("context_app")?;
        sign_on.nav_data = form.take("nav-data")?;
        sign_on.extra = form.into_remaining();
        Ok(sign_on)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::http::Request;
    use maitre_axum::core::doctest::Widgets;
    use maitre_axum::core::{Addon, Salt};
    use time::macros::datetime;

    use super::*;

    const SALT: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

    fn heroku() -> Heroku {
        Heroku::new("lantern", "s3cr3t-example", SALT).unwrap()
    }

    fn tokens() -> [String; 3] {
        let salt = Salt::new(SALT).unwrap();
        let user = SignedFields::User { resource_id: "r", user_id: "u", email: "ada@example.org" };
        [
            format!("user_scoped_resource_token={}", user.sign(&salt, "1772000000")),
            format!("resource_token={}", SignedFields::Id("r").sign(&salt, "1772000000")),
            format!("token={}", SignedFields::Id("4711").sign(&salt, "1772000000")),
        ]
    }

    fn sign_on(heroku: &Heroku, fields: &[&str]) -> Result<SignOn, TokenError> {
        let form = format!(
            "resource_id=r&id=4711&user_id=u&email=ada%40example.org&timestamp=1772000000&{}",
            fields.join("&")
        );
        let addon = Addon::new(heroku.clone(), Widgets).with_clock(|| datetime!(2026-02-25 06:13:30 UTC));
        heroku.verify(&Head::new(addon, Request::post("/resources/sso").body(Bytes::from(form)).unwrap()))
    }

    #[test]
    fn each_token_signs_in_to_the_resource_that_it_covers() {
        let [user_scoped, resource_token, token] = tokens();
        let verified = sign_on(&heroku(), &[&user_scoped, &resource_token, &token]).unwrap();
        assert_eq!((verified.resource.as_str(), verified.identity.is_verified()), ("r", true));
        let claimed = sign_on(&heroku(), &[&resource_token, &token]).unwrap();
        assert_eq!((claimed.resource.as_str(), claimed.identity.is_verified()), ("r", false));
        let legacy = sign_on(&heroku().with_legacy_token(true), &[&token]).unwrap();
        assert_eq!((legacy.resource.as_str(), legacy.identity.is_verified()), ("4711", false));
    }

    #[test]
    fn only_the_strongest_token_is_verified() {
        let [user_scoped, resource_token, token] = &tokens();
        let lenient = heroku().with_legacy_token(true);
        for fields in [
            vec!["user_scoped_resource_token=0", resource_token, token],
            vec!["user_scoped_resource_token=", resource_token, token],
            vec!["resource_token=0", token],
            vec!["resource_token=", token],
        ] {
            assert!(sign_on(&lenient, &fields).is_err(), "{fields:?}");
        }
        assert!(sign_on(&lenient, &[user_scoped, "resource_token=0", "token=0"]).is_ok());
    }

    #[test]
    fn the_settings_determine_the_accepted_tokens() {
        let [user_scoped, resource_token, token] = &tokens();
        let strict = heroku().with_legacy_token(true).with_user_scoped_token_only(true);
        assert!(sign_on(&strict, &[user_scoped]).is_ok());
        for (heroku, fields) in
            [(&strict, vec![resource_token, token]), (&strict, vec![token]), (&heroku(), vec![token])]
        {
            let fields: Vec<&str> = fields.into_iter().map(String::as_str).collect();
            assert_eq!(sign_on(heroku, &fields).unwrap_err(), TokenError::NotAccepted);
        }
        assert_eq!(sign_on(&strict, &[]).unwrap_err(), TokenError::Incomplete);
    }

    #[test]
    fn a_relevant_field_must_not_be_duplicate() {
        let [_, resource_token, _] = &tokens();
        assert_eq!(sign_on(&heroku(), &[resource_token, "resource_id=other"]).unwrap_err(), TokenError::Incomplete);
        assert!(sign_on(&heroku(), &[resource_token, "tab=a", "tab=b"]).is_ok());
    }
}
