//! Tally: hosted counters, sold as an add-on on three marketplaces.
//!
//! A customer gets `TALLY_URL` and `TALLY_TOKEN` as config vars, counts with
//! `curl -X POST -H "Authorization: Bearer $TALLY_TOKEN" $TALLY_URL/visits`, and sees the counters on a dashboard that
//! opens from the marketplace. Everything that marketplaces ask for is in `listener.rs`; the rest is an Axum app as any.

mod app;
mod counters;
mod dashboard;
mod greeting;
mod listener;
mod plan;
mod settings;
mod store;

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use settings::Settings;
use store::Store;

/// How long connections, and then listener calls, may take to end; platforms kill after 30 s.
const PATIENCE: Duration = Duration::from_secs(12);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();

    // listened to before anybody is told that the server is there
    let signals = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
    let settings = Settings::from_env()?;
    settings.refuse_development_secrets_in_public()?;
    let store = Store::open(&settings.database_url).await?;
    let address = (settings.host.as_str(), settings.port);
    let socket = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {}:{}: choose another HOST or PORT", address.0, address.1))?;
    let origin = settings.origin(socket.local_addr()?);
    let app = app::build(&settings, &store, &origin)?;
    greeting::print(&settings, &origin);

    let (stop, mut stopped) = watch::channel(());
    tokio::spawn(async move {
        terminated(signals).await;
        drop(stop);
    });
    let mut told = stopped.clone();
    let server = axum::serve(socket, app.router).with_graceful_shutdown(async move {
        let _ = told.changed().await;
    });
    tokio::select! {
        result = server => result?,
        () = async {
            let _ = stopped.changed().await;
            tokio::time::sleep(PATIENCE).await;
        } => tracing::warn!("some connections did not end in time"),
    }
    let left = maitre::drain(&app.in_flight, PATIENCE).await;
    if left > 0 {
        tracing::warn!(left, "some listener calls did not end in time");
    }
    store.close().await;
    Ok(())
}

/// What a platform sends before it kills, or Ctrl-C.
async fn terminated([mut terminate, mut interrupt]: [Signal; 2]) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
}
