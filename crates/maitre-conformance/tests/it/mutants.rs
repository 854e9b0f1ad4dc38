//! Runs the checks on add-ons with one fault each, and requires that the corresponding check fails.

use std::net::TcpListener;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use maitre_conformance::{Capability, Check, Level, Marketplace, Outcome, Report, Suite, SuiteBuilder, checks};

use crate::sample_addon::{CLIENT_SECRET, Fault, MUTANTS, SampleAddon};

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
    Suite::builder(addon.manifest()).plans(["basic", "premium"]).service(addon.router())
}

/// An add-on that answers 202, and the suite that plays Heroku for it.
fn asynchronous(fault: Fault) -> (SampleAddon, SuiteBuilder) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let addon = SampleAddon::asynchronous(fault, &format!("http://{}", socket.local_addr().unwrap()));
    asynchronous_suite(addon, socket)
}

fn asynchronous_suite(addon: SampleAddon, socket: TcpListener) -> (SampleAddon, SuiteBuilder) {
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
        let of_version_3 = |check: &Check| !check.needs.contains(&Capability::Version1);
        let mut of_group = report.results.iter().filter(|it| it.check.group() == group && of_version_3(it.check));
        of_group.all(|it| matches!(it.outcome, Outcome::Passed))
    };
    assert!(passed("heroku.async") && passed("heroku.platform"), "{report}");
    assert!(passed("heroku.plan-change") && passed("heroku.sso-token"), "a completed resource is like any other");
    assert_eq!((addon.active(), report.left_behind.len()), (0, 0));
}

/// An add-on whose manifest has no version and plain URLs is called by version 1, and single sign-on is a GET.
#[tokio::test(flavor = "multi_thread")]
async fn a_correct_add_on_of_version_1_passes() {
    let addon = SampleAddon::with(Fault::Nothing).of_version_1();
    let report = suite(&addon).skip(["manifest"]).build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report, Level::Info), Vec::<&str>::new(), "{report}");
    assert!(report.is_conformant(true));
    let passed = |group: &str| {
        let of_group = report.results.iter().filter(|result| result.check.group().starts_with(group));
        of_group.filter(|result| matches!(result.outcome, Outcome::Passed)).count()
    };
    assert_eq!(passed("heroku.sso-"), 28, "{report}");
    assert_eq!((addon.active(), report.left_behind.len()), (0, 0));

    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let addon = SampleAddon::asynchronous(Fault::Nothing, "version 1").of_version_1();
    let (addon, suite) = asynchronous_suite(addon, socket);
    let report = suite.skip(["manifest"]).build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report, Level::Info), Vec::<&str>::new(), "{report}");
    let outcome = |id: &str| &report.results.iter().find(|result| result.check.id == id).unwrap().outcome;
    for id in ["heroku.async.callback", "heroku.async.survives-callback-outage", "heroku.async.replay-when-done"] {
        assert!(matches!(outcome(id), Outcome::Passed), "{report}");
    }
    assert_eq!((addon.active(), report.left_behind.len()), (0, 0));
}

/// Maximum number of failed musts of one fault.
const MAX_MUSTS: usize = 3;

/// Returns an add-on with a fault, and the suite for it.
fn faulty(fault: Fault) -> (SampleAddon, SuiteBuilder) {
    let (addon, suite) = if fault.is_asynchronous() {
        let (addon, suite) = asynchronous(fault);
        (addon, suite.async_timeout(Duration::from_secs(2)))
    } else {
        let addon = SampleAddon::with(fault);
        let suite = suite(&addon);
        (addon, suite)
    };
    let suite = suite.allow_remote(fault == Fault::LocalUrl);
    let suite = if fault == Fault::NeverAnswers { suite.timeout(Duration::from_millis(300)) } else { suite };
    // other checks have to fail for the manifest of version 1
    (addon, suite.skip(["manifest"]))
}

/// Returns what the report gets wrong about a fault.
fn problems(fault: Fault, description: &str, id: &str, addon: &SampleAddon, report: &Report) -> Vec<String> {
    let mut problems = Vec::new();
    if !failed(report, Level::Info).contains(&id) {
        problems.push(format!("an add-on that {description} ({fault:?}) passes {id}"));
    }
    let musts = failed(report, Level::Must);
    if musts.len() > MAX_MUSTS {
        problems.push(format!("{fault:?} fails {} musts: {musts:?}", musts.len()));
    }
    if addon.active() > 0 && report.left_behind.is_empty() {
        problems.push(format!("{} resources of {fault:?} are left behind, and none is named", addon.active()));
    }
    if addon.active() > 0 && !LEAVES_RESOURCES.contains(&fault) && fault != Fault::IdHoldsTheGrant {
        problems.push(format!("{} resources of {fault:?} are left behind", addon.active()));
    }
    problems
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_detected_by_its_check() {
    let mutants = MUTANTS.iter().filter(|(fault, ..)| is_long() || *fault != Fault::ReplayLater); // takes 90 s
    let runs = stream::iter(mutants).map(|(fault, description, id)| async move {
        let (addon, suite) = faulty(*fault);
        let run_all = is_long() && !check(id).slow;
        let suite = if run_all { suite } else { suite.only([*id]) };
        let report = suite.build().unwrap().run().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        if run_all {
            let others: Vec<_> = failed(&report, Level::Info).into_iter().filter(|other| other != id).collect();
            println!("{fault:?}: {id}, and {others:?}, in {:.1} s", report.duration.as_secs_f32());
        }
        problems(*fault, description, id, &addon, &report)
    });
    let problems: Vec<_> = runs.buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await.concat();
    assert_eq!(problems, Vec::<String>::new());
}

/// Faults that many checks would notice: all musts, on each of them.
#[tokio::test(flavor = "multi_thread")]
async fn one_fault_fails_few_musts() {
    let faults = [
        Fault::ProvisionIsOpen,
        Fault::WrongPasswordIs403,
        Fault::OnlyDecimalIds,
        Fault::OneIdForAll,
        Fault::ReusesIds,
        Fault::ConfigIsAList,
        Fault::SecondResource,
        Fault::SecondTenant,
        Fault::Conflict,
        Fault::RemovedPlanChangeIsDone,
        Fault::SecondDeprovisionIs500,
        Fault::RemovesAll,
        Fault::AnyToken,
        Fault::RedirectsTheRefused,
        Fault::NoSignOnByGet,
        Fault::NeverAnswers,
    ];
    let musts: Vec<_> =
        checks(Marketplace::Heroku).filter(|check| check.level == Level::Must).map(|it| it.id).collect();
    let runs = stream::iter(MUTANTS.iter().filter(|(fault, ..)| faults.contains(fault)));
    let runs = runs.map(|(fault, description, id)| {
        let musts = musts.clone();
        async move {
            let (addon, suite) = faulty(*fault);
            let report = suite.only(musts).build().unwrap().run().await.unwrap();
            problems(*fault, description, id, &addon, &report)
        }
    });
    let problems: Vec<_> = runs.buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await.concat();
    assert_eq!(problems, Vec::<String>::new());
}

/// Neither the number of workers nor the order of the checks changes what fails.
#[tokio::test(flavor = "multi_thread")]
async fn the_failures_do_not_depend_on_the_number_of_workers() {
    let faults = [
        Fault::Nothing,
        Fault::RefusesEveryone,
        Fault::ReusesIds,
        Fault::RemovesAll,
        Fault::HalfPoisons,
        Fault::PlanChangeIs500,
        Fault::EmptyTokenLetsIn,
        Fault::Replay,
    ];
    let runs = stream::iter(faults).map(|fault| async move {
        let mut failures = Vec::new();
        for jobs in [1, 8] {
            let (_, suite) = faulty(fault);
            let report = suite.jobs(jobs).build().unwrap().run().await.unwrap();
            failures.push((failed(&report, Level::Info), report.conclusion(true)));
        }
        assert_eq!(failures[0], failures[1], "{fault:?}");
    });
    runs.buffer_unordered(2).collect::<Vec<_>>().await;
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
