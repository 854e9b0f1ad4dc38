//! Vercel's contract, with a ledger, Vercel's keys and its API on loopback.

mod billing_processes;
mod completions;
mod console;
mod installations;
mod keys;
mod purchases;
mod resources;
mod sso;
mod tokens;
mod transfers;
mod vectors;
mod webhooks;

use std::time::Duration;

use maitre::catalog::{Catalog, Plan, Price, Service};
use maitre::platforms::vercel::{Client as ApiClient, Platform as Api, connect};
use maitre::{Addon, Capability, Ledger, Vercel};
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
    addon: Addon<Vercel>,
    api: Api,
    server: Server,
    serving: PlatformServer,
    folder: Folder,
}

async fn market() -> Market {
    market_with(|vercel| vercel).await
}

async fn market_with(change: impl FnOnce(Vercel) -> Vercel) -> Market {
    market_of(|vercel, _, _| change(vercel), None).await
}

/// Market whose add-on reports to Vercel's API what completes later. Operations are accepted after this time.
async fn connected(async_after: Duration) -> Market {
    market_of(|vercel, _, _| vercel, Some(async_after)).await
}

async fn market_of(change: impl FnOnce(Vercel, &Ledger, &Api) -> Vercel, async_after: Option<Duration>) -> Market {
    let platform = Platform::new(INTEGRATION, CLIENT_SECRET);
    let serving = platform.serve().await.expect("a port");
    let vercel = Vercel::new(INTEGRATION, CLIENT_SECRET, catalog()).expect("settings");
    let vercel =
        vercel.with_issuer(serving.url()).and_then(|it| it.with_api(serving.url())).expect("a loopback address");
    let vercel = vercel.with_key_cache(Duration::from_mins(10), Duration::from_millis(50));
    let (vendor, folder) = (Vendor::default(), Folder::new());
    let url = format!("sqlite://{}", folder.0.join("ledger.db").display());
    vendor.declare(Capability::Rotate);
    Ledger::migrate(&url).await.expect("tables");
    let ledger = open(&url).await;
    let api = api(serving.url(), &ledger);
    let vercel = change(vercel, &ledger, &api);
    let addon = match async_after {
        None => Addon::new(vercel, ledger.wrap(vendor.clone())),
        Some(after) => {
            Addon::new(vercel, ledger.wrap(vendor.clone()).with_platform(api.clone())).with_async_after(after)
        }
    };
    let server = Server::start(host(axum::Router::new().nest("/vercel", maitre::vercel(addon.clone())))).await;
    let client = Client::new(&server.url("/vercel"), &platform);
    Market { platform, client, vendor, ledger, addon, api, server, serving, folder }
}

/// Opens a ledger that repeats failed attempts soon.
async fn open(url: &str) -> Ledger {
    let ledger = Ledger::builder(url).backoff(Duration::from_millis(5), Duration::from_millis(20));
    ledger.open().await.expect("a ledger")
}

/// Connects to Vercel's API at this URL.
fn api(url: &str, ledger: &Ledger) -> Api {
    let http = connect().url(url).no_proxy().build().expect("a client");
    Api::builder(ApiClient::new(INTEGRATION, CLIENT_SECRET, http).expect("a secret"), ledger.store()).build()
}

impl Market {
    async fn installed(&self) -> Installation {
        let installation = self.platform.new_installation();
        self.client.install(&installation).await.expect(204);
        installation
    }

    /// Runs a worker in the background.
    fn work(&self) -> tokio::task::JoinHandle<()> {
        let worker = self.ledger.worker([self.addon.clone()]).poll_interval(Duration::from_millis(5));
        tokio::spawn(worker.run(std::future::pending()))
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
