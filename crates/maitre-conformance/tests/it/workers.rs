//! Concurrent checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::IntoResponse as _;
use maitre_conformance::{Level, Outcome, Report};
use tokio::sync::Mutex;

use crate::mutants::suite;
use crate::sample_addon::{Fault, SampleAddon};

/// Checks that run concurrently.
const GROUPS: [&str; 3] = ["auth", "provision.unknown-fields", "config"];

fn failed(report: &Report) -> Vec<&'static str> {
    report.failed(Level::Info).map(|result| result.check.id).collect()
}

/// Provisions in progress, and their maximum.
#[derive(Clone, Default)]
struct Load(Arc<AtomicUsize>, Arc<AtomicUsize>);

impl Load {
    fn begin(&self) -> usize {
        let now = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        self.1.fetch_max(now, Ordering::SeqCst);
        now
    }

    fn end(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }

    fn most(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

/// Returns the add-on with provisions that take 100 ms, and answers 503 to those above the limit.
fn slow(addon: &SampleAddon, load: &Load, limit: usize) -> Router {
    let load = load.clone();
    addon.router().layer(middleware::from_fn(move |request: Request, next: Next| {
        let load = load.clone();
        async move {
            if request.method() != Method::POST {
                return next.run(request).await;
            }
            let now = load.begin();
            tokio::time::sleep(Duration::from_millis(100)).await;
            let response =
                if now > limit { StatusCode::SERVICE_UNAVAILABLE.into_response() } else { next.run(request).await };
            load.end();
            response
        }
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn independent_checks_run_concurrently() {
    for (jobs, most) in [(1, 1..=1), (4, 3..=4)] {
        let (addon, load) = (SampleAddon::with(Fault::Nothing), Load::default());
        let suite = suite(&addon).service(slow(&addon, &load, usize::MAX)).only(GROUPS).jobs(jobs);
        let report = suite.build().unwrap().run().await.unwrap();
        assert!(report.is_conformant(true), "{report}");
        assert!(most.contains(&load.most()), "{jobs} jobs: {}", load.most());
        assert_eq!(addon.active(), 0);
    }
}

/// A check that fails because of the other checks runs again separately.
#[tokio::test(flavor = "multi_thread")]
async fn an_add_on_that_serves_few_requests_at_a_time_is_not_blamed() {
    let (addon, load) = (SampleAddon::with(Fault::Nothing), Load::default());
    let suite = suite(&addon).service(slow(&addon, &load, 2)).only(GROUPS);
    let report = suite.build().unwrap().run().await.unwrap();
    assert!(load.most() > 2, "the limit was not reached");
    assert_eq!(failed(&report), Vec::<&str>::new(), "{report}");
    assert!(
        report
            .results
            .iter()
            .all(|result| !matches!(&result.outcome, Outcome::Skipped(reason) if reason.contains("see ")))
    );
    assert_eq!((addon.active(), report.left_behind.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_add_on_with_one_thread_is_not_blamed() {
    let (addon, turn) = (SampleAddon::with(Fault::Nothing), Arc::new(Mutex::new(())));
    let server = addon.router().layer(middleware::from_fn(move |request: Request, next: Next| {
        let turn = turn.clone();
        async move {
            let _turn = turn.lock().await;
            next.run(request).await
        }
    }));
    let skip = ["robustness", "idempotency.lost-reply", "malformed.large-body", "malformed.large-unauthenticated-body"];
    let report = suite(&addon).service(server).skip(skip).build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report), Vec::<&str>::new(), "{report}");
    assert_eq!((addon.active(), report.left_behind.len()), (0, 0));
}

/// The report lists the checks in the order of the registry, whenever they finished.
#[tokio::test(flavor = "multi_thread")]
async fn the_report_is_in_the_order_of_the_registry() {
    let addon = SampleAddon::with(Fault::AnyUser);
    let builder = suite(&addon).only(["auth", "provision", "deprovision"]);
    let expected: Vec<_> = builder.checks().unwrap().iter().map(|check| check.id).collect();
    let report = builder.build().unwrap().run().await.unwrap();
    assert_eq!(report.results.iter().map(|result| result.check.id).collect::<Vec<_>>(), expected);
    assert!(failed(&report).contains(&"heroku.auth.wrong-user"));
}
