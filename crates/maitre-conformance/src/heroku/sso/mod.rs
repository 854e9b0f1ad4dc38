//! A person signs on from the marketplace.

mod session;
mod tokens;
mod window;

pub(super) use session::CASES as SESSION;
pub(super) use tokens::CASES as TOKENS;
pub(super) use window::CASES as WINDOW;

use std::sync::atomic::Ordering;

use maitre_testkit::heroku::LaunchForm;
use maitre_testkit::{Call, SignOn, Visitor};

use super::{Resource, Subject};
use crate::check::Capability;
use crate::seen::Seen;
use crate::sign_on::{Entered, must_be_in};
use crate::verdict::{Stop, Verdict};

pub(super) const NEEDS: &[Capability] = &[Capability::SingleSignOn];

type Form = Call<SignOn<LaunchForm>>;

impl Subject {
    pub(super) fn visitor(&self) -> Result<Visitor, Stop> {
        Ok(self.door()?.visitor())
    }

    /// Posts a form without a browser.
    pub(super) async fn post(&self, form: Form) -> Result<Seen, Stop> {
        self.wire.send(form).await
    }

    /// Posts the form as a browser does, and goes where it is led.
    pub(super) async fn enter(&self, visitor: Visitor, form: Form) -> Result<Entered, Stop> {
        self.door()?.enter(&self.wire, visitor, &form).await
    }

    /// A resource whose good tokens let in, and such a form, to be spoiled.
    pub(super) async fn good_form(&self) -> Result<(Resource, Form), Stop> {
        let resource = self.shared().await?;
        if !self.lets_in.load(Ordering::Relaxed) {
            self.entered(&resource).await?;
            self.lets_in.store(true, Ordering::Relaxed);
        }
        let form = self.form(&resource)?;
        Ok((resource, form))
    }

    /// A sign-on that works, or nothing to look at.
    pub(super) async fn entered(&self, resource: &Resource) -> Result<Entered, Stop> {
        let entered = self.enter(self.visitor()?, self.form(resource)?).await?;
        if must_be_in(&entered).is_err() {
            return Err(Stop::skipped("a good token does not let in (see heroku.sso-token.lets-in)"));
        }
        Ok(entered)
    }
}

/// Insists on the status for those who have no good token.
pub(super) fn must_be_forbidden(seen: &Seen, advice: &str) -> Verdict {
    seen.must_be(&[403], advice).map(drop)
}

/// Insists that nobody was let in, whatever the refusal looks like.
pub(super) fn must_be_out(seen: &Seen, advice: &str) -> Verdict {
    if (400..500).contains(&seen.status()) { Ok(()) } else { Err(seen.wrong_status("403", advice)) }
}
