//! The first requests of a run, and what they show about the add-on.

use std::sync::atomic::Ordering;

use super::addon::{Addon, ONE_PLAN, Version};
use super::resource::Resource;
use super::target::{ProvisionMode, Target, Unusable};
use crate::check::{Capability, Check};
use crate::error::SetupError;
use crate::marketplace::Marketplace;
use crate::response::Response;
use crate::rules::{self, id_text};
use crate::run::CheckTarget;
use crate::wire::Wire;

const NO_PLAN_CHANGE: &str = "plan changes are not supported: the add-on refuses them for every plan";
const SERVER_ERRORS: &str = "every response is a server error (see heroku.provision.succeeds)";
const NO_ANSWER: &str = "a provision is not answered (see heroku.provision.succeeds)";
const LOCAL: &str = "the add-on is checked locally, without --allow-remote";
const NO_SSO: &str = "the manifest has no sso_url";
const NO_SALT: &str = "the manifest has no api.sso_salt";
const BY_GET: &str = "single sign-on is a GET, as the manifest's URLs are plain strings";
const ONE_TOKEN: &str = "single sign-on has only the token of version 1, as the manifest has no version \"3\"";
const VERSION_1: &str = "the add-on is called by version 1, as the manifest has no version \"3\"";
const VERSION_3: &str = "the add-on is called by version 3";
const LATER: &str = "the add-on answers 202 and sends its config vars later";

impl Addon {
    /// Returns the id of the check whether an asynchronous provision completes.
    pub(super) fn completion_check(&self) -> &'static str {
        match self.version {
            Version::One => "heroku.async.callback",
            Version::Three => "heroku.async.completes",
        }
    }

    fn lacks_sign_on(&self) -> Option<&'static str> {
        if self.salt.is_empty() { Some(NO_SALT) } else { self.sso.is_none().then_some(NO_SSO) }
    }

    fn lacks_form(&self) -> Option<&'static str> {
        let by_get = self.sso.as_ref().is_some_and(|endpoint| endpoint.by_get);
        self.lacks_sign_on().or(by_get.then_some(BY_GET))
    }
}

impl Target {
    /// Determines whether the add-on supports plan changes, which Heroku does not require.
    async fn detect_plan_change(&self, resource: &Resource) {
        let refuses = |response: &Response| match response.status() {
            404 | 405 | 501 => true,
            _ => response.require(rules::is_refused_with_message).is_ok(),
        };
        for plan in &self.plans {
            match self.wire.send(self.plan_change(resource, plan)).await {
                Ok(response) if refuses(&response) => {}
                _ => return,
            }
        }
        let _ = self.seen.lacks_plan_change.set(()); // set only here
    }

    /// Recognizes an add-on that is not mounted at this URL, and one that answers 5xx to every request.
    async fn diagnose(&self, status: u16) -> Result<(), SetupError> {
        if status != 404 && status < 500 {
            return Ok(());
        }
        let wrong = self.provision().credentials(&self.slug, "a-wrong-password");
        let deprovision = self.heroku.deprovision(&self.heroku.new_uuid());
        let (Ok(wrong), Ok(deprovision)) = (self.wire.try_send(wrong).await, self.wire.try_send(deprovision).await)
        else {
            return Ok(());
        };
        if status == 404 && wrong.status() == 404 {
            return Err(SetupError::new(format!(
                "nothing is mounted at {}: POST is answered 404 with right and wrong credentials alike. Is the nest path \
                 right? Compare the manifest's base_url with the add-on's routes, or pass its address with --url",
                self.url()
            )));
        }
        if [status, wrong.status(), deprovision.status()].iter().all(|status| *status >= 500) {
            let _ = self.seen.unusable.set(Unusable::ServerErrors);
        }
        Ok(())
    }

    fn refused_plan(&self, response: &Response) -> SetupError {
        let plan = self.plan();
        let message = response.json().and_then(|body| id_text(&body["message"])).unwrap_or_default();
        SetupError::new(format!(
            "the add-on refuses the plan {plan} with 422 {message:?}: pass plans that it sells with --plan, the first to \
             provision and the second to change to, and the options that it needs with --option"
        ))
    }
}

impl CheckTarget for Target {
    const MARKETPLACE: Marketplace = Marketplace::Heroku;

    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn url(&self) -> String {
        maitre_core::mask_urls(&format!("{}/resources", self.root))
    }

    fn fork(&self) -> Option<Self> {
        Some(self.fork_target())
    }

    fn lacks(&self, capability: Capability) -> Option<String> {
        let is_asynchronous = self.seen.first_provision.get() == Some(&ProvisionMode::Asynchronous);
        let https = || self.sso.as_ref().is_some_and(|endpoint| endpoint.origin.starts_with("https://"));
        let is = |missing: bool, reason: &'static str| missing.then_some(reason);
        let reason = match capability {
            Capability::SingleSignOn => self.lacks_sign_on(),
            Capability::SignOnForm => self.lacks_form(),
            Capability::UserToken => self.lacks_form().or(is(self.version == Version::One, ONE_TOKEN)),
            Capability::Version1 => is(self.version != Version::One, VERSION_3),
            Capability::Version3 => is(self.version != Version::Three, VERSION_1),
            Capability::ConfigVars => is(self.config_vars.is_empty(), "the manifest lists no config_vars"),
            Capability::LogDrain => is(!self.requires("syslog_drain"), "the manifest does not require syslog_drain"),
            Capability::SecondPlan => is(self.plans.len() < 2, ONE_PLAN),
            Capability::PlanChange => is(self.seen.lacks_plan_change.get().is_some(), NO_PLAN_CHANGE),
            Capability::Synchronous => is(is_asynchronous, LATER),
            Capability::Asynchronous => is(!is_asynchronous, "the add-on provisions synchronously, without a 202"),
            Capability::Https => is(!https(), "the single sign-on URL is not https"),
            Capability::Platform => {
                is(self.platform.is_none(), "the add-on has no fake platform to call: see --platform")
            }
            Capability::Remote => is(!self.allow_remote, LOCAL),
            _ => None, // no check needs another one that an add-on for Heroku may lack
        };
        reason.map(ToOwned::to_owned)
    }

    fn is_offline(check: &Check) -> bool {
        check.group() == "heroku.manifest"
    }

    fn blocked(&self, check: &Check) -> Option<String> {
        if check.id == "heroku.provision.succeeds" || Self::is_offline(check) {
            return None;
        }
        let reason = match self.seen.unusable.get()? {
            Unusable::ServerErrors => SERVER_ERRORS,
            Unusable::NoAnswer => NO_ANSWER,
        };
        Some(reason.to_owned())
    }

    async fn setup(&self) -> Result<(), SetupError> {
        let provision = self.provision();
        let response = match self.wire.try_send(provision.clone()).await {
            Ok(response) => response,
            Err(no_response) => {
                let _ = self.seen.unusable.set(Unusable::NoAnswer);
                return no_response.unless_connected(&self.url());
            }
        };
        if response.status() == 422 {
            return Err(self.refused_plan(&response));
        }
        self.diagnose(response.status()).await?;
        let mode = if response.status() == 202 { ProvisionMode::Asynchronous } else { ProvisionMode::Synchronous };
        if let Ok(resource) = Resource::from_response(provision, response) {
            let _ = self.seen.first_provision.set(mode); // set only here
            if mode == ProvisionMode::Synchronous {
                self.wire.created().keep(&resource.uuid);
                self.detect_plan_change(&resource).await;
                *self.shared.lock().await = Some(resource);
            }
        }
        Ok(())
    }

    fn take_reused(&self) -> bool {
        self.reused.swap(false, Ordering::Relaxed)
    }

    async fn teardown(&self) {
        self.doubt();
        *self.shared.lock().await = None;
        self.wire.created().release_kept();
    }
}
