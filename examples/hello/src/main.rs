//! Hello: the smallest add-on. It sells a greeting on Heroku, and keeps nothing, so it needs no ledger and no database.
//!
//! Run it with `cargo run -p hello`, and its marketplace with
//! `cargo run -p maitre-cli -- sandbox --manifest examples/hello/addon-manifest.json --plan formal,warm`.

use axum::{Router, routing::get};
use maitre::{Addon, Deprovision, Deprovisioned, Heroku, Listener, PlanChange, PlanChanged};
use maitre::{Provision, Provisioned, SignOn, SignedOn};

struct Hello;

impl Listener for Hello {
    async fn provision(&self, request: Provision) -> maitre::Result<Provisioned> {
        Ok(Provisioned::new(request.resource).with_config("HELLO_GREETING", format!("A {} hello!", request.plan)))
    }
    async fn plan_change(&self, request: PlanChange) -> maitre::Result<PlanChanged> {
        Ok(PlanChanged::new().with_config("HELLO_GREETING", format!("A {} hello!", request.plan)))
    }
    async fn deprovision(&self, _: Deprovision) -> maitre::Result<Deprovisioned> {
        Ok(Deprovisioned::new())
    }
    async fn single_sign_on(&self, _: SignOn) -> maitre::Result<SignedOn> {
        Ok(SignedOn::redirect("/"))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let shutdown = maitre::shutdown_signal()?;
    let manifest = std::env::var("ADDON_MANIFEST").unwrap_or_else(|_| "examples/hello/addon-manifest.json".into());
    let addon = Addon::<Heroku>::from_manifest(manifest, Hello)?;
    let app = Router::new().nest("/heroku", maitre::heroku(addon)).route("/", get(async || "Hello!\n"));
    let port = std::env::var("PORT").map_or(Ok(8300), |port| port.parse())?;
    let socket = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", socket.local_addr()?);
    maitre::serve(socket, app).until(shutdown).await?;
    Ok(())
}
