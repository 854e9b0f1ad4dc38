//! The checks of service brokers on our router.

use std::time::Duration;

use axum::Router;
use maitre::catalog::{Catalog, Plan, Service};
use maitre::{Addon, Osb};
use maitre_conformance::{Level, Report, Suite, SuiteBuilder};
use maitre_ledger::Ledger;

use super::PASSWORD;
use crate::support::{Folder, SLUG, Server, Vendor, host};

fn catalog() -> Catalog {
    let basic =
        Plan::new("8d1c6c2e-basic", "basic", "Three widgets").with_maintenance_version("1.0.0", "The first version");
    let premium = Plan::new("a96d1d0e-premium", "premium", "All widgets");
    let service =
        Service::new("4a70f9d1-lantern", "lantern", "Widgets as a service").with_plan(basic).with_plan(premium);
    let service = service.with_bindable(true).with_plan_updateable(true).with_instances_retrievable(true);
    Catalog::new([service.with_bindings_retrievable(true)]).unwrap()
}

fn suite(server: &Server) -> SuiteBuilder {
    Suite::broker(SLUG, PASSWORD).url(server.url("/osb")).async_timeout(Duration::from_secs(20))
}

fn failed(report: &Report, level: Level) -> Vec<&'static str> {
    report.failed(level).map(|finding| finding.check.id).collect()
}

/// A broker of our router on a ledger, and the vendor behind it.
struct Broker {
    vendor: Vendor,
    server: Server,
    ledger: Ledger,
    worker: tokio::task::JoinHandle<()>,
    _folder: Folder,
}

impl Broker {
    async fn start(set_up: impl FnOnce(&Vendor, Addon<Osb>) -> Addon<Osb>) -> Self {
        let folder = Folder::new();
        let url = format!("sqlite://{}", folder.0.join("maitre.db").display());
        Ledger::migrate(&url).await.unwrap();
        let ledger = Ledger::open(&url).await.unwrap();
        let vendor = Vendor::default();
        let osb = Osb::new(SLUG, PASSWORD, catalog()).unwrap();
        let addon = set_up(&vendor, Addon::new(osb, ledger.wrap(vendor.clone())));
        let worker = tokio::spawn(ledger.worker([addon.clone()]).run(std::future::pending()));
        let server = Server::start(host(Router::new().nest("/osb", maitre::osb(addon)))).await;
        Self { vendor, server, ledger, worker, _folder: folder }
    }

    async fn stop(self) {
        self.worker.abort();
        self.server.stop().await;
        self.ledger.close().await;
    }
}

/// Returns the report of a run without a failed check.
async fn passes(broker: &Broker) -> Report {
    let report = suite(&broker.server).build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report, Level::Info), Vec::<&str>::new(), "{report}");
    assert!(report.is_conformant(true), "{report}");
    assert!(report.tried() > 150, "{} checks were tried", report.tried());
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn our_broker_with_a_ledger_passes_twice() {
    let broker = Broker::start(|_, addon| addon).await;
    passes(&broker).await;
    passes(&broker).await;
    let provisioned = broker.vendor.provisions().len();
    assert!(provisioned > 100);
    assert!(broker.vendor.deprovisions().len() >= provisioned);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_broker_that_completes_provisions_later_passes() {
    let broker = Broker::start(|vendor, addon| {
        // no provision completes before its answer, on a busy machine either
        vendor.delay_provisions(Duration::from_millis(200));
        addon.with_async_after(Duration::ZERO)
    })
    .await;
    passes(&broker).await;
    broker.stop().await;
}
