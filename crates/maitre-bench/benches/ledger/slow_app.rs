//! A slow add-on written with `maitre`, and a handler that sleeps and answers 202.

use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use maitre::platform::Client;
use maitre::{
    Addon, Deprovision, Deprovisioned, Heroku, Ledger, Listener, PlanChange, PlanChanged, Platform, Provision,
    Provisioned, Result, SignOn, SignedOn,
};
use maitre_bench_support::Outcome;
use maitre_bench_support::requests::{PASSWORD, SALT, USER};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::baseline::CONNECTIONS;
use crate::maitre_app::keys;

/// Time after which a provision is answered asynchronously.
pub(crate) const ASYNC_AFTER: Duration = Duration::from_secs(2);

/// Duration of the add-on's work.
pub(crate) const WORK: Duration = Duration::from_secs(8);

/// OAuth client secret of the add-on and the fake Heroku.
pub(crate) const CLIENT_SECRET: &str = "2c9f0e5b7a614d3f8e1b6c0d9a4f7e21";

struct Forge;

impl Listener for Forge {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        sleep(WORK).await;
        let url = format!("https://tally.example/counters/{}", request.resource);
        Ok(Provisioned::new(request.resource).with_config("TALLY_URL", url))
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

pub(crate) async fn app(url: &str, heroku: &str) -> Outcome<Router> {
    Ledger::migrate(url).await?;
    let ledger = Ledger::builder(url).keys(keys()?).connections(CONNECTIONS).open().await?;
    let client = Client::builder(CLIENT_SECRET).base_url(heroku).user_agent("tally/1.0").no_proxy().build()?;
    let platform = Platform::builder(USER, client, ledger.store()).build();
    let addon = Addon::new(Heroku::new(USER, PASSWORD, SALT)?, ledger.wrap(Forge).with_platform(platform));
    let addon = addon.with_async_after(ASYNC_AFTER);
    tokio::spawn(ledger.worker([addon.clone()]).run(std::future::pending()));
    Ok(Router::new().nest("/heroku", maitre::heroku(addon)))
}

pub(crate) fn sleeps() -> Router {
    Router::new().route(
        "/heroku/resources",
        post(async |Json(order): Json<Value>| {
            sleep(ASYNC_AFTER).await;
            (StatusCode::ACCEPTED, Json(json!({ "id": order["uuid"], "message": "It is being provisioned." })))
        }),
    )
}
