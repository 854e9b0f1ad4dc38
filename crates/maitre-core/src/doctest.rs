//! A marketplace and a listener for examples in the documentation. Not part of the public API.

use std::borrow::Cow;

use crate::{
    Credentials, Deprovision, Deprovisioned, Listener, Marketplace, PlanChange, PlanChanged, Provision, Provisioned,
    Result, SignOn, SignedOn, SupportsAsync,
};

/// Example marketplace.
#[derive(Debug)]
pub struct Bazaar(pub Credentials);

impl Marketplace for Bazaar {
    fn name(&self) -> Cow<'static, str> {
        "bazaar".into()
    }

    fn slug(&self) -> &str {
        self.0.user()
    }
}

impl SupportsAsync for Bazaar {}

/// Example listener, which accepts every request.
#[derive(Debug, Clone)]
pub struct Widgets;

impl Listener for Widgets {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        Ok(Provisioned::new(request.resource))
    }
    async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> {
        Ok(PlanChanged::new())
    }
    async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> {
        Ok(Deprovisioned::new())
    }
    async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> {
        Ok(SignedOn::redirect("/"))
    }
}
