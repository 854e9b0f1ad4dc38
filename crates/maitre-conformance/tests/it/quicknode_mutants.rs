//! Runs the checks of QuickNode on add-ons with one fault each.

use futures_util::{StreamExt as _, stream};
use maitre_conformance::{Level, Marketplace, Suite, SuiteBuilder, checks};

use crate::mutants::{CONCURRENCY, failed};
use crate::sample_quicknode::{FAULTS, Fault, JWT_SECRET, PASSWORD, SampleQuickNode, USER};

fn suite(addon: &SampleQuickNode) -> SuiteBuilder {
    let suite = Suite::quicknode(USER, PASSWORD, JWT_SECRET);
    suite.plans(["basic", "premium"]).service(addon.router())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correct_add_on_for_quicknode_passes_twice_in_a_row() {
    let addon = SampleQuickNode::new(Fault::Nothing);
    for _ in 0..2 {
        let report = suite(&addon).build().unwrap().run().await.unwrap();
        assert_eq!(failed(&report, Level::Info), Vec::<&str>::new(), "{report}");
        assert!(report.is_conformant(true), "{report}");
        assert_eq!(report.summary().skipped, 0, "{report}");
        assert_eq!((addon.active(), report.left_behind.len()), (0, 0));
    }
    assert!(checks(Marketplace::QuickNode).count() >= 35);
}

/// Returns what is wrong with the report about a faulty add-on.
async fn problem(fault: Fault, description: &str, id: &str) -> Option<String> {
    let addon = SampleQuickNode::new(fault);
    let report =
        suite(&addon).only([id]).build().unwrap().run().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
    let is_detected = failed(&report, Level::Must).into_iter().chain(failed(&report, Level::Should)).any(|it| it == id);
    let outcome =
        report.results.iter().find(|result| result.check.id == id).map(ToString::to_string).unwrap_or_default();
    (!is_detected).then(|| format!("an add-on that {description} ({fault:?}): {outcome}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_an_add_on_for_quicknode_is_detected_by_its_check() {
    let runs = stream::iter(FAULTS).map(|(fault, description, id)| problem(*fault, description, id));
    let problems: Vec<_> = runs.buffer_unordered(CONCURRENCY).filter_map(async |problem| problem).collect().await;
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
