//! Sign-on attempts, and requirements on their responses.

use std::sync::atomic::Ordering;

use maitre_testkit::Browser;

use super::forms::{Form, forged};
use crate::check::Capability;
use crate::heroku::resource::Resource;
use crate::heroku::target::Target;
use crate::response::Response;
use crate::sign_on::{SignedIn, must_be_signed_in};
use crate::verdict::{Stop, Verdict};

pub(super) const NEEDS: &[Capability] = &[Capability::SingleSignOn];

/// Capabilities of a check of the tokens of version 3.
pub(super) const USER_TOKEN: &[Capability] = &[Capability::UserToken];

impl Target {
    pub(in crate::heroku) fn browser(&self) -> Result<Browser, Stop> {
        Ok(self.sso_endpoint()?.browser())
    }

    /// Sends a form without a browser.
    pub(in crate::heroku) async fn post(&self, form: Form) -> Result<Response, Stop> {
        self.wire.send(form).await
    }

    /// Signs on as a browser does and follows the redirects.
    pub(in crate::heroku) async fn sign_in(&self, browser: Browser, form: Form) -> Result<SignedIn, Stop> {
        self.sso_endpoint()?.sign_in(&self.wire, browser, &form).await
    }

    /// Returns a resource whose valid tokens are accepted, and a valid form to modify.
    pub(in crate::heroku) async fn valid_form(&self) -> Result<(Resource, Form), Stop> {
        let resource = self.shared_resource().await?;
        if !self.works.tokens.load(Ordering::Relaxed) {
            self.signed_in(&resource).await?;
            self.works.tokens.store(true, Ordering::Relaxed);
        }
        let form = self.sso_form(&resource)?;
        Ok((resource, form))
    }

    /// Returns a valid form to forge; skips the check unless a wrong token is answered 403.
    pub(super) async fn form_to_forge(&self) -> Result<(Resource, Form), Stop> {
        let (resource, form) = self.valid_form().await?;
        if !self.works.refusals.load(Ordering::Relaxed) {
            let status = self.post(forged(self.sso_form(&resource)?)).await?.status();
            if status != 403 {
                return Err(Stop::skipped(format!("a wrong token is answered {status} (see heroku.sso-token.wrong)")));
            }
            self.works.refusals.store(true, Ordering::Relaxed);
        }
        Ok((resource, form))
    }

    /// Signs in with a valid form; skips the check if that fails.
    pub(super) async fn signed_in(&self, resource: &Resource) -> Result<SignedIn, Stop> {
        let form = self.sso_form(resource)?;
        self.require_sign_in(form).await
    }

    pub(super) async fn require_sign_in(&self, form: Form) -> Result<SignedIn, Stop> {
        let signed_in = self.sign_in(self.browser()?, form).await?;
        if must_be_signed_in(&signed_in, "").is_err() {
            return Err(Stop::skipped("a valid token is not accepted (see heroku.sso-token.lets-in)"));
        }
        Ok(signed_in)
    }
}

/// Requires the status for a request without a valid token.
pub(super) fn must_be_forbidden(response: &Response, advice: &str) -> Verdict {
    response.must_be(&[403], advice).map(drop)
}

/// Requires that the sign-on is refused with any client error.
pub(super) fn must_not_be_signed_in(response: &Response, advice: &str) -> Verdict {
    if (400..500).contains(&response.status()) { Ok(()) } else { Err(response.wrong_status("403", advice)) }
}
