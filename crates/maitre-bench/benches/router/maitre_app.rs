//! The same add-on written with `maitre`: a listener that answers immediately, nested into an app.

use axum::Router;
use maitre::{
    Addon, CredentialsError, Deprovision, Deprovisioned, Heroku, Listener, PlanChange, PlanChanged, Provision,
    Provisioned, Result, SignOn, SignedOn,
};

struct Counters;

impl Listener for Counters {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let url = format!("https://tally.example/counters/{}", request.resource);
        Ok(Provisioned::new(request.resource)
            .with_config("TALLY_URL", url)
            .with_config("TALLY_TOKEN", "9b1e7c04d5f24e0fa6d8c3b2a1907f5e")
            .with_message("Tally is ready."))
    }

    async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> {
        Ok(PlanChanged::new())
    }

    async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> {
        Ok(Deprovisioned::new())
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        Ok(SignedOn::redirect(format!("/dashboard/{}", request.resource)))
    }
}

pub(crate) fn app(user: &str, password: &str, salt: &str) -> std::result::Result<Router, CredentialsError> {
    let addon = Addon::new(Heroku::new(user, password, salt)?, Counters);
    Ok(Router::new().nest("/heroku", maitre::heroku(addon)))
}
