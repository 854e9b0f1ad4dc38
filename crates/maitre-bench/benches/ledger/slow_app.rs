//! An add-on whose work takes its time, as a vendor writes it with `maitre`; and a handler that sleeps and says 202.

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use maitre::platform::Client;
use maitre::{
    Addon, Deprovision, Deprovisioned, Heroku, Ledger, Listener, PlanChange, PlanChanged, Platform, Provision,
    Provisioned, Result, SignOn, SignedOn,
};
use maitre_workbench::Outcome;
use maitre_workbench::asks::{PASSWORD, SALT, USER};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::by_hand::CONNECTIONS;
use crate::give_way::{CLIENT_SECRET, GIVE_WAY, WORK};
use crate::with_maitre::keys;

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
    let addon = addon.with_async_after(GIVE_WAY);
    tokio::spawn(ledger.worker([addon.clone()]).run(std::future::pending()));
    Ok(Router::new().nest("/heroku", maitre::heroku(addon)))
}

pub(crate) fn sleeps() -> Router {
    Router::new().route(
        "/heroku/resources",
        post(async |Json(order): Json<Value>| {
            sleep(GIVE_WAY).await;
            (StatusCode::ACCEPTED, Json(json!({ "id": order["uuid"], "message": "It is being made." })))
        }),
    )
}
