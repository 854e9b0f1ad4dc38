//! Runs the checks on add-ons with one fault each, and requires that the corresponding check fails.

use std::net::TcpListener;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use maitre_conformance::{Check, Level, Marketplace, Outcome, Report, Suite, SuiteBuilder, checks};

use crate::sample_addon::{CLIENT_SECRET, Fault, MUTANTS, SampleAddon, manifest};

/// Maximum number of concurrent runs.
pub(crate) const CONCURRENCY: usize = 8;

/// Faults of deprovisions, and faults that create resources with unknown ids.
const LEAVES_RESOURCES: [Fault; 8] = [
    Fault::NoDeleteRoute,
    Fault::DeprovisionIs500,
    Fault::DeprovisionNeedsType,
    Fault::ChangedStays,
    Fault::StuckDeprovision,
    Fault::OnlyDecimalIds,
    Fault::OneIdForAll,
    Fault::SecondResource,
];

pub(crate) fn suite(addon: &SampleAddon) -> SuiteBuilder {
    Suite::builder(manifest()).plans(["basic", "premium"]).service(addon.router())
}

/// A addon that answers 202, and the suite that plays Heroku for it.
fn asynchronous(fault: Fault) -> (SampleAddon, SuiteBuilder) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let addon = SampleAddon::asynchronous(fault, &format!("http://{}", socket.local_addr().unwrap()));
    let suite = suite(&addon).platform(socket, CLIENT_SECRET);
    (addon, suite)
}

pub(crate) fn failed(report: &Report, level: Level) -> Vec<&'static str> {
    report.failed(level).map(|result| result.check.id).collect()
}

fn check(id: &str) -> &'static Check {
    checks(Marketplace::Heroku).find(|check| check.id == id).unwrap_or_else(|| panic!("unknown check {id}"))
}

/// Returns whether to run the whole suite on every add-on, to print which other checks detect the fault. Takes minutes.
pub(crate) fn is_long() -> bool {
    std::env::var_os("MAITRE_LONG").is_some()
}

#[tokio::test]
async fn a_correct_add_on_passes_twice_in_a_row() {
    let addon = SampleAddon::with(Fault::Nothing);
    for _ in 0..2 {
        let report = suite(&addon).build().unwrap().run().await.unwrap();
        assert_eq!(failed(&report, Level::Info), Vec::<&str>::new(), "{report}");
        assert!(report.is_conformant(true));
        assert_eq!((addon.active(), report.left_behind.len()), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correct_asynchronous_add_on_passes() {
    let (addon, suite) = asynchronous(Fault::Nothing);
    let report = suite
        .slow(true)
        .skip(["sso-window.one-use-lasts", "robustness.very-slow-caller"])
        .build()
        .unwrap()
        .run()
        .await
        .unwrap();
    assert_eq!(failed(&report, Level::Info), Vec::<&str>::new(), "{report}");
    let passed = |group: &str| {
        report.results.iter().filter(|it| it.check.group() == group).all(|it| matches!(it.outcome, Outcome::Passed))
    };
    assert!(passed("heroku.async") && passed("heroku.platform"), "{report}");
    assert!(passed("heroku.plan-change") && passed("heroku.sso-token"), "a completed resource is like any other");
    assert_eq!((addon.active(), report.left_behind.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_detected_by_its_check() {
    let mutants = MUTANTS.iter().filter(|(fault, ..)| is_long() || *fault != Fault::ReplayLater); // takes 90 s
    let runs = stream::iter(mutants).map(|(fault, description, id)| async move {
        let (addon, suite) = if fault.is_asynchronous() {
            let (addon, suite) = asynchronous(*fault);
            (addon, suite.async_timeout(Duration::from_secs(2)))
        } else {
            let addon = SampleAddon::with(*fault);
            let suite = suite(&addon);
            (addon, suite)
        };
        let suite = suite.allow_remote(*fault == Fault::LocalUrl);
        let run_all = is_long() && !check(id).slow && !matches!(fault, Fault::Slow | Fault::NeverAnswers);
        let suite = if run_all { suite } else { suite.only([*id]) };
        let suite = if *fault == Fault::NeverAnswers { suite.timeout(Duration::from_millis(300)) } else { suite };
        let report = suite.build().unwrap().run().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        let detected = failed(&report, Level::Info);
        if run_all {
            let others: Vec<_> = detected.iter().filter(|other| *other != id).collect();
            println!("{fault:?}: {id}, and {others:?}");
        }
        let mut problems = Vec::new();
        if !detected.contains(id) {
            problems.push(format!("an add-on that {description} ({fault:?}) passes {id}"));
        }
        if addon.active() > 0 && !LEAVES_RESOURCES.contains(fault) && *fault != Fault::IdHoldsTheGrant {
            problems.push(format!("{} resources of {fault:?} are left behind", addon.active()));
        }
        problems
    });
    let problems: Vec<_> = runs.buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await.concat();
    assert_eq!(problems, Vec::<String>::new());
}

/// Behavior that the documentation leaves open is only reported as info.
#[tokio::test(flavor = "multi_thread")]
async fn permitted_variants_only_fail_info_checks() {
    let permitted = MUTANTS.iter().filter(|(_, _, id)| check(id).level == Level::Info);
    assert!(permitted.clone().count() >= 8);
    let runs = stream::iter(permitted).map(|(fault, _, id)| async move {
        let report = suite(&SampleAddon::with(*fault)).build().unwrap().run().await.unwrap();
        assert_eq!(failed(&report, Level::Should), Vec::<&str>::new(), "{fault:?}\n{report}");
        assert_eq!(failed(&report, Level::Info), [*id], "{fault:?}\n{report}");
    });
    runs.buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await;
}
