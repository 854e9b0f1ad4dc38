//! Runs the checks of Vercel on integrations with one fault each.

use std::net::TcpListener;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use maitre_conformance::{Level, Marketplace, Outcome, Report, Suite, SuiteBuilder, checks};

use crate::mutants::{CONCURRENCY, failed, is_long};
use crate::sample_vercel::{CLIENT_SECRET, FAULTS, Fault, INTEGRATION, PRODUCT, SampleVercel};

/// Time in which what happens later must happen.
const LATER: Duration = Duration::from_secs(3);

/// Returns an integration, and the suite that plays Vercel for it.
fn suite(fault: Fault, change: fn(SampleVercel) -> SampleVercel) -> (SampleVercel, SuiteBuilder) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let addon = change(SampleVercel::new(fault, &format!("http://{}", socket.local_addr().unwrap())));
    let suite = Suite::vercel(INTEGRATION, PRODUCT).platform(socket, CLIENT_SECRET).service(addon.router());
    (addon, suite.plans(["basic", "premium"]).async_timeout(LATER))
}

fn skipped(report: &Report) -> Vec<&'static str> {
    let is_skipped = |outcome: &Outcome| matches!(outcome, Outcome::Skipped(_));
    report.results.iter().filter(|result| is_skipped(&result.outcome)).map(|result| result.check.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correct_integration_at_vercel_passes() {
    let (addon, suite) = suite(Fault::Nothing, |addon| addon);
    let report = suite.slow(true).build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report, Level::Info), Vec::<&str>::new(), "{report}");
    assert!(report.is_conformant(true), "{report}");
    let later = ["rotate.completes", "pending.read", "pending.repeated", "pending.reported", "pending.completes"];
    assert_eq!(skipped(&report), later.map(|id| format!("vercel.{id}")), "{report}");
    assert_eq!((addon.active(), report.left_behind.len()), (0, 0), "{:?}", report.left_behind);
    assert!(checks(Marketplace::Vercel).count() >= 200);
}

/// Plans are taken from the list, and provisions and rotations complete later.
#[tokio::test(flavor = "multi_thread")]
async fn a_correct_integration_at_vercel_that_completes_later_passes() {
    let (addon, suite) = suite(Fault::Nothing, |addon| addon.asynchronous().pending());
    let report = suite.plans(Vec::<String>::new()).build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report, Level::Info), Vec::<&str>::new(), "{report}");
    let later = skipped(&report);
    assert!(!later.iter().any(|id| id.starts_with("vercel.pending.")), "{report}");
    assert!(!later.contains(&"vercel.rotate.completes") && !later.contains(&"vercel.update.plan"), "{report}");
    assert_eq!((addon.active(), report.left_behind.len()), (0, 0), "{:?}", report.left_behind);
}

/// Returns what is wrong with the report about a faulty integration.
async fn problem(fault: Fault, description: &str, id: &str) -> Option<String> {
    let (_, suite) = suite(fault, |addon| addon);
    let suite = if is_long() { suite } else { suite.only([id]) };
    let report = suite.build().unwrap().run().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
    let found = failed(&report, Level::Info);
    if is_long() {
        println!("{fault:?}: {id} of {found:?}");
    }
    let outcome =
        report.results.iter().find(|result| result.check.id == id).map(ToString::to_string).unwrap_or_default();
    (!found.contains(&id)).then(|| format!("an integration that {description} ({fault:?}): {outcome}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_an_integration_at_vercel_is_detected_by_its_check() {
    let runs = stream::iter(FAULTS).map(|(fault, description, id)| problem(*fault, description, id));
    let problems: Vec<_> = runs.buffer_unordered(CONCURRENCY).filter_map(async |problem| problem).collect().await;
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[tokio::test]
async fn a_suite_for_vercel_needs_the_address_of_its_side() {
    let suite = Suite::vercel(INTEGRATION, PRODUCT).url("http://127.0.0.1:1").build().unwrap();
    let error = suite.run().await.unwrap_err();
    assert!(error.to_string().contains("--platform 127.0.0.1:5999"), "{error}");
}
