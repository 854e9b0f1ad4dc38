//! Runs the checks on service brokers with one fault each, and requires that the corresponding check fails.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use maitre_conformance::{Level, Suite, SuiteBuilder};

use crate::mutants::{CONCURRENCY, failed, is_long};
use crate::sample_broker::{FAULTS, Fault, PASSWORD, SampleBroker, USER};

/// Maximum number of checks of level must that one fault may fail.
const MAX_MUSTS: usize = 3;

/// Faults of DELETEs, which leave something behind.
const LEAVES_RESOURCES: [Fault; 7] = [
    Fault::DeleteIs500,
    Fault::DeleteIs204,
    Fault::UnbindIs204,
    Fault::DeleteNeedsFirstPlan,
    Fault::DisabledStays,
    Fault::StuckDelete,
    Fault::AnyService,
];

pub(crate) fn suite(broker: &SampleBroker) -> SuiteBuilder {
    Suite::broker(USER, PASSWORD).service(broker.router()).async_timeout(Duration::from_secs(10))
}

/// Returns what is wrong with the report about a faulty broker.
async fn problems(fault: Fault, description: &str, id: &str) -> Vec<String> {
    let broker = SampleBroker::new(fault.style(), fault);
    let suite = if is_long() { suite(&broker) } else { suite(&broker).only([id]) };
    let report = suite.build().unwrap().run().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
    let mut problems = Vec::new();
    if !failed(&report, Level::Info).contains(&id) {
        let result = report.results.iter().find(|result| result.check.id == id);
        let outcome = result.map(ToString::to_string).unwrap_or_default();
        problems.push(format!("a broker that {description} ({fault:?}): {outcome}"));
    }
    let musts = failed(&report, Level::Must);
    if musts.len() > MAX_MUSTS {
        problems.push(format!("{fault:?} fails {musts:?}"));
    }
    if (broker.active() > 0 || !report.left_behind.is_empty()) && !LEAVES_RESOURCES.contains(&fault) {
        problems.push(format!("{} things of {fault:?} are left behind: {:?}", broker.active(), report.left_behind));
    }
    problems
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_broker_is_detected_by_its_check() {
    let runs = stream::iter(FAULTS).map(|(fault, description, id)| problems(*fault, description, id));
    let problems: Vec<_> = runs.buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await.concat();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
