//! Two add-ons of one vendor, lamps and candles, in one process.
//!
//! They have separate credentials, state and sessions. They share the ledger, in which each operation belongs to an add-on,
//! and its worker. Run them with `cargo run -p two-addons`, and a marketplace for one of them with
//! `cargo run -p maitre-cli -- sandbox --manifest examples/two-addons/lamp-manifest.json --plan small,large`.

mod lights;

use std::env;

use anyhow::Context;
use axum::{Router, extract::State, http::StatusCode, routing::get};
use maitre::{Addon, Heroku, Ledger};
use tower_sessions::{Session, SessionManagerLayer, cookie::SameSite};

use crate::lights::Lights;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let shutdown = maitre::shutdown_signal()?;
    let database = env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite://two-addons.db".into());
    Ledger::migrate(&database).await?;
    let ledger = Ledger::open(&database).await?;

    let (lamps, candles) = (Lights::new("lamp"), Lights::new("candle"));
    let (lamp, candle) = (addon(&lamps, &ledger)?, addon(&candles, &ledger)?);
    let worker = ledger.worker([lamp.clone(), candle.clone()]);
    let app = Router::new()
        .nest("/lamps", shop(lamps, lamp, &ledger))
        .nest("/candles", shop(candles, candle, &ledger))
        .route("/", get(async || "Lamps and candles.\n"));

    let port = env::var("PORT").map_or(Ok(8300), |port| port.parse()).context("PORT must be a number")?;
    let socket = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", socket.local_addr()?);
    maitre::serve(socket, app).worker(worker).ledger(ledger).until(shutdown).await?;
    Ok(())
}

/// Returns an add-on with the credentials of its own manifest.
fn addon(lights: &Lights, ledger: &Ledger) -> anyhow::Result<Addon<Heroku>> {
    let folder = env::var("MANIFESTS").unwrap_or_else(|_| "examples/two-addons".into());
    Ok(Addon::from_manifest(format!("{folder}/{}-manifest.json", lights.kind), ledger.wrap(lights.clone()))?)
}

/// Returns the routes of one add-on. The cookie of its sessions has its own name, and is only sent to its paths.
fn shop(lights: Lights, addon: Addon<Heroku>, ledger: &Ledger) -> Router {
    // Lax, as browsers do not send a Strict cookie after the cross-site POST of single sign-on
    let sessions = SessionManagerLayer::new(ledger.sessions())
        .with_name(lights.kind)
        .with_path(format!("/{}s", lights.kind))
        .with_same_site(SameSite::Lax)
        .with_secure(false);
    Router::new()
        .route("/dashboard", get(dashboard))
        .with_state(lights)
        .nest("/heroku", maitre::heroku(addon))
        .layer(sessions)
}

async fn dashboard(State(lights): State<Lights>, session: Session) -> Result<String, StatusCode> {
    let key: Option<String> = session.get("resource").await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let key = key.ok_or(StatusCode::FORBIDDEN)?;
    let size = lights.size(&key).ok_or(StatusCode::NOT_FOUND)?;
    Ok(format!("This is your {size} {}, one of {}.\n", lights.kind, lights.count()))
}
