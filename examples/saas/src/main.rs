//! Tally: hosted counters, sold as an add-on on several marketplaces.
//!
//! A customer gets `TALLY_URL` and `TALLY_TOKEN` as config vars, counts with
//! `curl -X POST -H "Authorization: Bearer $TALLY_TOKEN" $TALLY_URL/visits`, and sees the counters on a dashboard that
//! opens from the marketplace. The integration with the marketplaces is in `listener.rs` and
//! `marketplaces/`; the rest is an ordinary Axum app.

mod app;
mod banner;
mod counters;
mod dashboard;
mod error_response;
mod files;
mod listener;
mod marketplaces;
mod plan;
#[cfg(feature = "sandbox")]
mod sandbox;
mod settings;
mod socket;
mod store;

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

use anyhow::bail;
use axum::serve::Listener as _;
use maitre::Ledger;
use tracing_subscriber::EnvFilter;

use settings::Settings;
use socket::Socket;
use store::Store;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(is_terminal)
        .log_internal_errors(false) // reporting that stderr cannot be written would write to stderr, and panic
        .init();

    // installed before the banner is printed: its reader may stop the process immediately
    let terminated = maitre::shutdown_signal()?;
    let settings = Settings::from_env()?;
    let url = &settings.database_url;
    Ledger::migrate(url).await?;
    let store = Store::open(url).await?;
    store.migrate().await?;
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("migrate") => return Ok(()), // for a rollout whose processes must not migrate
        Some(other) => bail!("unknown command {other}: use migrate or no command"),
    }

    settings.reject_public_development_secrets()?;
    let ledger = Ledger::builder(url);
    let ledger = match &settings.keys {
        Some(keys) => ledger.keys(keys.clone()),
        None => ledger,
    };
    let ledger = ledger.open().await?;
    let socket = Socket::bind(&settings.host, settings.port).await?;
    let address = socket.local_addr()?;
    let origin = settings.origin(address);
    #[cfg(feature = "sandbox")]
    let (sandbox, settings) = sandbox::open(settings, &origin).await?;
    let app = app::build(&settings, &store, &ledger, &origin)?;
    let mut message = banner::text(&settings, address, &origin);
    #[cfg(feature = "sandbox")]
    writeln!(message, "\nOpen {} in a browser for a local marketplace.", sandbox.url())?;
    writeln!(message, "\nPress Ctrl-C to stop.")?;
    let _ = std::io::stdout().write_all(message.as_bytes()); // the service runs without a reader, too

    let secret_files = match settings.keys {
        Some(keys) => settings.files.watch(app.secret_files, "MAITRE_KEY", keys),
        None => app.secret_files,
    };
    let serve = maitre::serve(socket, app.router).worker(app.worker).ledger(ledger).secret_files(secret_files);
    serve.drain_delay(settings.drain_delay).until(terminated).await?;
    store.close().await;
    Ok(())
}
