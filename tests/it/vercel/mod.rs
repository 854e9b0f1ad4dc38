//! Vercel's contract, with a ledger, Vercel's keys and its API on loopback.

mod installations;
mod keys;
mod resources;
mod sso;
mod tokens;
mod vectors;
mod webhooks;

use std::time::Duration;

use maitre::catalog::{Catalog, Plan, Price, Service};
use maitre::{Addon, Ledger, Vercel};
use maitre_testkit::vercel::{Installation, Platform, PlatformServer, Vercel as Client};
use serde_json::{Value, json};

use crate::support::{Folder, Server, Vendor, host};

const INTEGRATION: &str = "oac_lantern";
const CLIENT_SECRET: &str = "s3cr3t-example";

fn catalog() -> Catalog {
    let schema = json!({ "type": "object", "properties": { "region": { "enum": ["fra1", "iad1"] } } });
    let basic = Plan::new("p-1", "basic", "Three lanterns").with_provision_schema(schema);
    let premium = Plan::new("p-2", "premium", "Many lanterns").with_price(Price::monthly(2900, "USD"));
    let service = Service::new("s-1", "lantern", "Lanterns as a service").with_plan(basic).with_plan(premium);
    Catalog::new([service]).expect("a catalog")
}

/// Running add-on, and Vercel that calls it.
struct Market {
    platform: Platform,
    client: Client,
    vendor: Vendor,
    ledger: Ledger,
    server: Server,
    _platform: PlatformServer,
    _folder: Folder,
}

async fn market() -> Market {
    market_with(|vercel| vercel).await
}

async fn market_with(change: impl FnOnce(Vercel) -> Vercel) -> Market {
    let platform = Platform::new(INTEGRATION, CLIENT_SECRET);
    let serving = platform.serve().await.expect("a port");
    let vercel = Vercel::new(INTEGRATION, CLIENT_SECRET, catalog()).expect("settings");
    let vercel =
        vercel.with_issuer(serving.url()).and_then(|it| it.with_api(serving.url())).expect("a loopback address");
    let vercel = change(vercel.with_key_cache(Duration::from_mins(10), Duration::from_millis(50)));
    let (vendor, folder) = (Vendor::default(), Folder::new());
    let url = format!("sqlite://{}", folder.0.join("ledger.db").display());
    Ledger::migrate(&url).await.expect("tables");
    let ledger = Ledger::open(&url).await.expect("a ledger");
    let addon = Addon::new(vercel, ledger.wrap(vendor.clone()));
    let server = Server::start(host(axum::Router::new().nest("/vercel", maitre::vercel(addon)))).await;
    let client = Client::new(&server.url("/vercel"), &platform);
    Market { platform, client, vendor, ledger, server, _platform: serving, _folder: folder }
}

impl Market {
    async fn installed(&self) -> Installation {
        let installation = self.platform.new_installation();
        self.client.install(&installation).await.expect(204);
        installation
    }

    async fn provisioned(&self, installation: &Installation, plan: &str) -> Value {
        self.client.provision(installation, "lantern", plan).await.expect(200).json()
    }
}

/// Returns the code and the marked inputs of an error, whose body has Vercel's form.
fn error(body: &Value) -> (String, Vec<String>) {
    let error = &body["error"];
    assert!(error["message"].as_str().is_some_and(|message| message.ends_with('.')), "{body}");
    let fields = error["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
    let fields = fields.iter().map(|field| field["key"].as_str().expect("a key").to_owned()).collect();
    (error["code"].as_str().expect("a code").to_owned(), fields)
}
