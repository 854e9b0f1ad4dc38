//! Runs the checks of DigitalOcean, Clever Cloud and Scalingo on add-ons with one fault each.

use futures_util::{StreamExt as _, stream};
use maitre_conformance::{Level, Marketplace, Suite, SuiteBuilder, checks};

use crate::mutants::{CONCURRENCY, failed, is_long};
use crate::sample_market::{Fault, SampleMarket, faults};

pub(crate) const MARKETPLACES: [Marketplace; 3] =
    [Marketplace::DigitalOcean, Marketplace::CleverCloud, Marketplace::Scalingo];

/// Maximum number of checks of level must that one fault may fail.
const MAX_MUSTS: usize = 4;

/// Faults that leave something behind, or delete what they should not: of two resources with one key, a repeated DELETE of
/// the first also deletes the second, whose own DELETE is then answered 404.
const LEAVES_RESOURCES: [Fault; 12] = [
    Fault::CheckThenInsert,
    Fault::SecondResource,
    Fault::OtherPlanIsNew,
    Fault::DeletesBeforePassword,
    Fault::DeletesAll,
    Fault::DeprovisionIs500,
    Fault::ChangedStays,
    Fault::SuspendedStays,
    Fault::OneIdForAll,
    Fault::ChangeOfRemovedSucceeds,
    Fault::TextBody,
    Fault::NotFoundLater,
];

fn suite(addon: &SampleMarket, marketplace: Marketplace) -> SuiteBuilder {
    Suite::builder_for(marketplace, addon.manifest()).plans(["basic", "premium"]).service(addon.router())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correct_add_on_of_each_marketplace_passes_twice_in_a_row() {
    for marketplace in MARKETPLACES {
        let addon = SampleMarket::new(marketplace, Fault::Nothing);
        for _ in 0..2 {
            let report = suite(&addon, marketplace).build().unwrap().run().await.unwrap();
            assert_eq!(failed(&report, Level::Info), Vec::<&str>::new(), "{report}");
            assert!(report.is_conformant(true), "{report}");
            assert_eq!(report.summary().skipped, 0, "{report}");
            assert_eq!((addon.active(), report.left_behind.len()), (0, 0));
        }
        assert!(addon.created() > 100 && checks(marketplace).count() >= 35);
    }
}

/// Returns what is wrong with the report about a faulty add-on.
async fn problems(marketplace: Marketplace, fault: Fault, description: &str, id: &str) -> Vec<String> {
    let addon = SampleMarket::new(marketplace, fault);
    let suite = suite(&addon, marketplace);
    let suite = if is_long() { suite } else { suite.only([id]) };
    let report = suite.build().unwrap().run().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
    let mut problems = Vec::new();
    if !failed(&report, Level::Must).into_iter().chain(failed(&report, Level::Should)).any(|failed| failed == id) {
        let result = report.results.iter().find(|result| result.check.id == id);
        let outcome = result.map(ToString::to_string).unwrap_or_default();
        problems.push(format!("an add-on that {description} ({fault:?}): {outcome}"));
    }
    let musts = failed(&report, Level::Must);
    if musts.len() > MAX_MUSTS {
        problems.push(format!("{marketplace} {fault:?} fails {musts:?}"));
    }
    if (addon.active() > 0 || !report.left_behind.is_empty()) && !LEAVES_RESOURCES.contains(&fault) {
        problems.push(format!("{} resources of {fault:?} are left behind: {:?}", addon.active(), report.left_behind));
    }
    problems
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_an_add_on_of_each_marketplace_is_detected_by_its_check() {
    let rows: Vec<_> = MARKETPLACES
        .into_iter()
        .flat_map(|marketplace| faults(marketplace).into_iter().map(move |row| (marketplace, row)))
        .collect();
    assert!(rows.len() > 280, "{}", rows.len());
    let runs = stream::iter(&rows)
        .map(|(marketplace, (fault, description, id))| problems(*marketplace, *fault, description, id));
    let problems: Vec<_> = runs.buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await.concat();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
