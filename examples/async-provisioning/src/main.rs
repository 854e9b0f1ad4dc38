//! Smithy: an add-on on Heroku whose anvils take half a minute to provision.
//!
//! To try it, start the add-on and then Heroku, as simulated by the test kit. Neither needs any setup:
//!
//! ```sh
//! cargo run -p async-provisioning
//! cargo run -p maitre-testkit --features platform --example lifecycle     # in another terminal
//! ```
//!
//! For a Heroku with a web page, start the add-on with `HEROKU_URL=http://127.0.0.1:8400` and run
//!
//! ```sh
//! cargo run -p maitre-cli -- sandbox --manifest examples/async-provisioning/addon-manifest.json --plan basic,premium
//! ```
//!
//! The provision is answered 202 after two seconds, and a retry returns the progress. When the anvil is ready, the add-on
//! notifies Heroku: it sets the config vars, then calls `actions/provision`. If the process dies in the middle (`kill -9`),
//! the next one continues as soon as the lease of the dead process has expired, after at most half a minute.
//!
//! | setting | default | meaning |
//! | --- | --- | --- |
//! | `DELAY` | `30` | seconds that it takes to provision an anvil |
//! | `HEROKU_URL` | `http://127.0.0.1:5001` | address used for Heroku's API, token endpoint and install list |
//! | `ADDON_MANIFEST` | `examples/async-provisioning/addon-manifest.json` | manifest with slug, password and salt |
//! | `CLIENT_SECRET`, `WEBHOOK_SECRET` | development secrets | secrets from the partner portal and the webhook subscription |
//! | `PORT` | `8300` | port on 127.0.0.1; 0 takes a free port |
//! | `DATABASE_URL` | `sqlite://async-provisioning.db` | database of the ledger |
//!
//! For the real Heroku, omit `base_url` below and enable the feature `tls` of `maitre`.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::Context;
use axum::{Router, routing::get};
use maitre::platform::{Client, Event, WebhookSecret};
use maitre::{
    Addon, Deprovision, Deprovisioned, Failure, FromManifest, Heroku, Ledger, Listener, Manifest, PlanChange,
    PlanChanged, Platform, Provision, Provisioned, SignOn, SignedOn,
};
use tokio::{net::TcpListener, time::sleep};
use tracing_subscriber::EnvFilter;

struct Smithy {
    delay: Duration,
}

impl Listener for Smithy {
    /// May be called again after a crash, and must then return the same resource. The anvils of this example have no data
    /// but their name, so there is nothing to look up.
    async fn provision(&self, request: Provision) -> maitre::Result<Provisioned> {
        check_plan(&request.plan)?;
        for tenth in 0..10 {
            request.context.progress.report(format!("Your anvil is being forged: {} % done.", tenth * 10));
            sleep(self.delay / 10).await;
        }
        Ok(Provisioned::new(&request.resource)
            .with_config("SMITHY_URL", format!("https://anvils.example/{}", request.resource))
            .with_config("SMITHY_PLAN", request.plan)
            .with_message("Your anvil is ready."))
    }

    async fn plan_change(&self, request: PlanChange) -> maitre::Result<PlanChanged> {
        check_plan(&request.plan)?;
        sleep(self.delay).await;
        Ok(PlanChanged::new().with_config("SMITHY_PLAN", request.plan).with_message("Your anvil has been replaced."))
    }

    async fn deprovision(&self, _: Deprovision) -> maitre::Result<Deprovisioned> {
        Ok(Deprovisioned::new())
    }

    async fn single_sign_on(&self, _: SignOn) -> maitre::Result<SignedOn> {
        Ok(SignedOn::redirect("/"))
    }
}

fn check_plan(plan: &str) -> maitre::Result<()> {
    match plan {
        "test" | "basic" | "premium" => Ok(()),
        other => Err(Failure::refused(format!("The plan {other} does not exist: choose test, basic or premium."))),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let is_terminal = io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(is_terminal)
        .log_internal_errors(false) // reporting that stderr cannot be written would write to stderr, and panic
        .init();
    let terminated = maitre::shutdown_signal()?;

    let database = setting("DATABASE_URL", "sqlite://async-provisioning.db");
    Ledger::migrate(&database).await?;
    let ledger = Ledger::open(&database).await?;

    let manifest = Manifest::read(setting("ADDON_MANIFEST", "examples/async-provisioning/addon-manifest.json"))?;
    let heroku = setting("HEROKU_URL", "http://127.0.0.1:5001");
    let client = Client::builder(setting("CLIENT_SECRET", "development-only-client-secret"));
    let client = client.base_url(&heroku).user_agent("smithy/1.0").build()?;
    let platform = Platform::builder(&manifest.id, client, ledger.store())
        .on_event(|event: Event| async move {
            tracing::info!(action = %event.action, resource = %event.resource, "received a webhook");
            Ok(())
        })
        .build();
    let secret = WebhookSecret::new(setting("WEBHOOK_SECRET", "development-only-webhook-secret"))?;
    let receiver = platform.webhook_receiver([secret]);

    let delay = setting("DELAY", "30").parse().map(Duration::from_secs).context("DELAY must be a number of seconds")?;
    let smithy = ledger.wrap(Smithy { delay }).with_platform(platform);
    let addon = Addon::new(Heroku::from_manifest(&manifest)?, smithy).with_async_after(Duration::from_secs(2));
    let worker = ledger.worker([addon.clone()]);
    let app = Router::new()
        .route("/", get(async || "Smithy: anvils, forged to order.\n"))
        .nest("/heroku", maitre::heroku(addon))
        .nest("/webhooks/heroku", maitre::heroku_webhooks(receiver));

    // loopback only, as the secrets in this repository are public
    let port = setting("PORT", "8300").parse::<u16>().context("PORT must be a number from 0 to 65535")?;
    let socket = TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("cannot listen on port {port}: choose another PORT"))?;
    let address = socket.local_addr()?;
    let message =
        format!("Smithy is listening on http://{address} and uses {heroku} as Heroku. Press Ctrl-C to stop.\n");
    let _ = io::stdout().write_all(message.as_bytes()); // the service runs without a reader, too
    maitre::serve(socket, app).worker(worker).ledger(ledger).until(terminated).await?;
    Ok(())
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}
