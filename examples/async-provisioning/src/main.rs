//! Smithy: an add-on whose anvils take half a minute each, and are ordered at Heroku all the same.
//!
//! To see it, with nothing to set up, start it, and then Heroku, as the test kit plays it:
//!
//! ```sh
//! cargo run -p async-provisioning
//! cargo run -p maitre-testkit --features platform --example order     # in another terminal
//! ```
//!
//! Or click on its orders: `maitre sandbox` is Heroku with a page, and `HEROKU_URL=http://127.0.0.1:7000` leads there.
//!
//! ```sh
//! cargo run -p maitre-cli -- sandbox --manifest examples/async-provisioning/addon-manifest.json --plan basic --plan premium
//! ```
//!
//! The order is answered 202 after two seconds, and asking again tells how far it is. When the anvil is ready, Heroku is
//! told: config vars, then `actions/provision`. End this program in the middle by `kill -9` and start it again: it goes on
//! when the lease of the dead one has ended, after half a minute at most.
//!
//! | setting | default | what |
//! | --- | --- | --- |
//! | `DELAY` | `30` | how many seconds an anvil takes |
//! | `HEROKU_URL` | `http://127.0.0.1:5001` | what it takes for Heroku's API, token endpoint and inventory |
//! | `ADDON_MANIFEST` | `examples/async-provisioning/addon-manifest.json` | slug, password and salt |
//! | `CLIENT_SECRET`, `WEBHOOK_SECRET` | development ones | what the partner portal and the subscription would tell |
//! | `PORT` | `5000` | where it listens, on this machine alone; 0 takes a free port |
//! | `DATABASE_URL` | `sqlite://async-provisioning.db` | its ledger |
//!
//! For the real Heroku leave `base_url` out below, and turn on the feature `tls` of `maitre`.

use std::env;
use std::io::IsTerminal;
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
    /// Asked again after a crash it has to get what it began to create. An anvil of this example is nothing but its name,
    /// so it is the same one.
    async fn provision(&self, request: Provision) -> maitre::Result<Provisioned> {
        is_sold(&request.plan)?;
        for tenth in 0..10 {
            request.context.progress.report(format!("Your anvil is being forged: {} % is done.", tenth * 10));
            sleep(self.delay / 10).await;
        }
        Ok(Provisioned::new(&request.resource)
            .with_config("SMITHY_URL", format!("https://anvils.example/{}", request.resource))
            .with_config("SMITHY_PLAN", request.plan)
            .with_message("Your anvil is ready."))
    }

    async fn plan_change(&self, request: PlanChange) -> maitre::Result<PlanChanged> {
        is_sold(&request.plan)?;
        sleep(self.delay).await;
        Ok(PlanChanged::new().with_config("SMITHY_PLAN", request.plan).with_message("Your anvil is another one now."))
    }

    async fn deprovision(&self, _: Deprovision) -> maitre::Result<Deprovisioned> {
        Ok(Deprovisioned::new())
    }

    async fn single_sign_on(&self, _: SignOn) -> maitre::Result<SignedOn> {
        Ok(SignedOn::redirect("/"))
    }
}

fn is_sold(plan: &str) -> maitre::Result<()> {
    match plan {
        "basic" | "premium" => Ok(()),
        other => Err(Failure::refused(format!("There is no plan named {other}: choose basic or premium."))),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    let terminated = maitre::shutdown_signal()?;

    let database = setting("DATABASE_URL", "sqlite://async-provisioning.db");
    Ledger::migrate(&database).await?;
    let ledger = Ledger::open(&database).await?;

    let manifest = Manifest::read(setting("ADDON_MANIFEST", "examples/async-provisioning/addon-manifest.json"))?;
    let heroku = setting("HEROKU_URL", "http://127.0.0.1:5001");
    let client = Client::builder(setting("CLIENT_SECRET", "development-only-client-secret"));
    let client = client.base_url(&heroku).user_agent("smithy/1.0").build()?;
    let platform = Platform::builder(&manifest.id, client, ledger.store()).on_event(|event: Event| async move {
        tracing::info!(action = %event.action, resource = %event.resource, "Heroku tells of a change");
        Ok(())
    });
    let platform = platform.build();
    let receiver =
        platform.webhook_receiver([WebhookSecret::new(setting("WEBHOOK_SECRET", "development-only-webhook-secret"))?]);

    let delay = setting("DELAY", "30").parse().map(Duration::from_secs).context("DELAY is a number of seconds")?;
    let smithy = ledger.wrap(Smithy { delay }).with_platform(platform);
    let addon = Addon::new(Heroku::from_manifest(&manifest)?, smithy).with_async_after(Duration::from_secs(2));
    let worker = ledger.worker([addon.clone()]);
    let app = Router::new()
        .route("/", get(async || "Smithy: anvils that take their time.\n"))
        .nest("/heroku", maitre::heroku(addon))
        .nest("/webhooks/heroku", maitre::heroku_webhooks(receiver));

    // anyone can read the secrets in this repository, so nobody but this machine may call
    let port = setting("PORT", "5000").parse::<u16>().context("PORT is a number from 0 to 65535")?;
    let socket = TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("cannot listen on port {port}: choose another PORT"))?;
    println!("Smithy listens on http://{} and takes {heroku} for Heroku. Ctrl-C stops it.", socket.local_addr()?);
    maitre::serve(socket, app).worker(worker).ledger(ledger).until(terminated).await?;
    Ok(())
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}
