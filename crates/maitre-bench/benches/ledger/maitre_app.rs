//! An add-on written with `maitre`: a listener that answers immediately, with and without a ledger.

use axum::Router;
use maitre::{
    Addon, Deprovision, Deprovisioned, Heroku, Listener, PlanChange, PlanChanged, Provision, Provisioned, Result,
    SignOn, SignedOn,
};
use maitre_bench_support::Outcome;
use maitre_bench_support::requests::{PASSWORD, SALT, USER};
use maitre_ledger::{Keys, Ledger};

use crate::baseline::CONNECTIONS;

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

pub(crate) fn keys() -> Outcome<Keys> {
    Ok(Keys::parse(&"5a".repeat(32))?)
}

fn app(listener: impl maitre_core::Backend) -> Outcome<Router> {
    let addon = Addon::new(Heroku::new(USER, PASSWORD, SALT)?, listener);
    Ok(Router::new().nest("/heroku", maitre::heroku(addon)))
}

pub(crate) fn bare() -> Outcome<Router> {
    app(Counters)
}

pub(crate) async fn kept(url: &str) -> Outcome<Router> {
    Ledger::migrate(url).await?;
    let ledger = Ledger::builder(url).keys(keys()?).connections(CONNECTIONS).open().await?;
    app(ledger.wrap(Counters))
}
