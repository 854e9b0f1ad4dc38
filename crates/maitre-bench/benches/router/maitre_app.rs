//! The same add-on written with `maitre`: a listener that answers immediately, nested into an app.

use axum::Router;
use maitre::catalog::{Catalog, Plan, Service};
use maitre::{
    Addon, Deprovision, Deprovisioned, Heroku, Listener, Osb, PlanChange, PlanChanged, Provision, Provisioned, Result,
    SignOn, SignedOn, Vercel,
};
use maitre_bench_support::requests::{OSB_PLANS, OSB_SERVICE};
use maitre_bench_support::{Outcome, vercel};
use time::OffsetDateTime;

use crate::keys;

struct Counters;

impl Listener for Counters {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        if let (Some(_), Some(name)) = (&request.account, &request.name) {
            let url = format!("https://tally.example/counters/{name}"); // Vercel
            let reply = Provisioned::new(name.as_str()).with_config("TALLY_URL", url);
            return Ok(reply.with_config("TALLY_TOKEN", "9b1e7c04d5f24e0fa6d8c3b2a1907f5e"));
        }
        let url = format!("https://tally.example/counters/{}", request.resource);
        let reply = Provisioned::new(request.resource);
        if request.service.is_some() {
            return Ok(reply.with_dashboard_url(url)); // a service broker
        }
        Ok(reply
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

pub(crate) fn app(user: &str, password: &str, salt: &str) -> Outcome<Router> {
    let heroku = Addon::new(Heroku::new(user, password, salt)?, Counters);
    let plans = OSB_PLANS.map(|id| Plan::new(id, id, "Counters for a team"));
    let service =
        plans.into_iter().fold(Service::new(OSB_SERVICE, "tally", "Counters as a service"), Service::with_plan);
    let catalog = Catalog::new([service])?;
    let osb = Addon::new(Osb::new(user, password, catalog.clone())?, Counters);
    let vercel = Vercel::new(vercel::INTEGRATION, password, catalog)?.with_jwks_url(&keys::serve()?)?;
    let now = OffsetDateTime::from_unix_timestamp(vercel::NOW)?;
    let vercel = Addon::new(vercel, Counters).with_clock(move || now);
    let app = Router::new().nest("/heroku", maitre::heroku(heroku)).nest("/osb", maitre::osb(osb));
    Ok(app.nest("/vercel", maitre::vercel(vercel)))
}
