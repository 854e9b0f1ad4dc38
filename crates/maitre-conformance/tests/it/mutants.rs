//! A checker is worth what it sees: one fault at a time, and the check that is there for it.

use std::net::TcpListener;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use maitre_conformance::{Check, Level, Marketplace, Outcome, Report, Suite, SuiteBuilder, checks};

use crate::sample_addon::{CLIENT_SECRET, Fault, MUTANTS, SampleAddon, manifest};

/// As many shops are open at the same time.
const AT_ONCE: usize = 8;

/// Faults of the removal itself, and those that make resources nobody is told the name of.
const LEAVES_BEHIND: [Fault; 7] = [
    Fault::DeprovisionIs500,
    Fault::DeprovisionNeedsType,
    Fault::ChangedStays,
    Fault::StuckDeprovision,
    Fault::DigitsAlone,
    Fault::OneIdForAll,
    Fault::SecondResource,
];

pub(crate) fn suite(addon: &SampleAddon) -> SuiteBuilder {
    Suite::builder(manifest()).plans(["basic", "premium"]).service(addon.router())
}

/// A addon that answers 202, and the suite that plays Heroku for it.
fn later(fault: Fault) -> (SampleAddon, SuiteBuilder) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let addon = SampleAddon::later(fault, &format!("http://{}", socket.local_addr().unwrap()));
    let suite = suite(&addon).platform(socket, CLIENT_SECRET);
    (addon, suite)
}

fn failed(report: &Report, level: Level) -> Vec<&'static str> {
    report.failed(level).map(|result| result.check.id).collect()
}

fn check(id: &str) -> &'static Check {
    checks(Marketplace::Heroku).find(|check| check.id == id).unwrap_or_else(|| panic!("no check is named {id}"))
}

/// Whether the whole suite is run on every addon, to see what else notices the fault: minutes.
fn is_long() -> bool {
    std::env::var_os("MAITRE_LONG").is_some()
}

#[tokio::test]
async fn a_shop_without_fault_fails_nothing_twice_in_a_row() {
    let addon = SampleAddon::with(Fault::Nothing);
    for _ in 0..2 {
        let report = suite(&addon).build().unwrap().run().await.unwrap();
        assert_eq!(failed(&report, Level::Info), Vec::<&str>::new(), "{report}");
        assert!(report.is_conformant(true));
        assert_eq!((addon.active(), report.left_behind.len()), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_finishes_later_fails_nothing() {
    let (addon, suite) = later(Fault::Nothing);
    let report = suite
        .slow(true)
        .skip(["sso-window.one-use-lasts", "robustness.very-slow-caller"])
        .build()
        .unwrap()
        .run()
        .await
        .unwrap();
    assert_eq!(failed(&report, Level::Info), Vec::<&str>::new(), "{report}");
    let tried = |group: &str| {
        report.results.iter().filter(|it| it.check.group() == group).all(|it| matches!(it.outcome, Outcome::Passed))
    };
    assert!(tried("heroku.async") && tried("heroku.platform"), "{report}");
    assert!(tried("heroku.plan-change") && tried("heroku.sso-token"), "what is ready is like any other");
    assert_eq!((addon.active(), report.left_behind.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_seen_by_the_check_that_is_there_for_it() {
    let tried = MUTANTS.iter().filter(|(fault, ..)| is_long() || *fault != Fault::ReplayLater); // it takes 90 s
    let runs = stream::iter(tried).map(|(fault, wrong, id)| async move {
        let (addon, suite) = if fault.is_later() {
            let (addon, suite) = later(*fault);
            (addon, suite.async_timeout(Duration::from_secs(2)))
        } else {
            let addon = SampleAddon::with(*fault);
            let suite = suite(&addon);
            (addon, suite)
        };
        let whole = is_long() && !check(id).slow && !matches!(fault, Fault::Slow | Fault::NeverAnswers);
        let suite = if whole { suite } else { suite.only([*id]) };
        let suite = if *fault == Fault::NeverAnswers { suite.timeout(Duration::from_millis(300)) } else { suite };
        let report = suite.build().unwrap().run().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        let seen = failed(&report, Level::Info);
        if whole {
            let others: Vec<_> = seen.iter().filter(|other| *other != id).collect();
            println!("{fault:?}: {id}, and {others:?}");
        }
        let mut wrongs = Vec::new();
        if !seen.contains(id) {
            wrongs.push(format!("a addon that {wrong} ({fault:?}) passes {id}"));
        }
        if addon.active() > 0 && !LEAVES_BEHIND.contains(fault) && *fault != Fault::IdHoldsTheGrant {
            wrongs.push(format!("{} resources of {fault:?} are left", addon.active()));
        }
        wrongs
    });
    let wrongs: Vec<_> = runs.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await.concat();
    assert_eq!(wrongs, Vec::<String>::new());
}

/// What a marketplace's text leaves open is no fault, whichever way the vendor goes.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_otherwise_and_may_fails_nothing_that_counts() {
    let lawful = MUTANTS.iter().filter(|(_, _, id)| check(id).level == Level::Info);
    assert!(lawful.clone().count() >= 8);
    let runs = stream::iter(lawful).map(|(fault, _, id)| async move {
        let report = suite(&SampleAddon::with(*fault)).build().unwrap().run().await.unwrap();
        assert_eq!(failed(&report, Level::Should), Vec::<&str>::new(), "{fault:?}\n{report}");
        assert_eq!(failed(&report, Level::Info), [*id], "{fault:?}\n{report}");
    });
    runs.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await;
}

#[test]
fn every_check_has_a_fault_that_it_is_there_for() {
    // the lint's table has one for each of these; cookies over https need a certificate, see the unit test
    let elsewhere = |check: &Check| check.group() == "heroku.manifest" || check.id == "heroku.sso-session.secure";
    let named = |check: &Check| MUTANTS.iter().any(|(_, _, id)| *id == check.id);
    let without: Vec<_> =
        checks(Marketplace::Heroku).filter(|check| !elsewhere(check) && !named(check)).map(|check| check.id).collect();
    assert_eq!(without, Vec::<&str>::new());
    assert!(MUTANTS.len() >= 60);
    assert!(MUTANTS.iter().all(|(_, _, id)| check(id).id == *id));
}

#[test]
fn only_what_the_marketplace_itself_says_is_a_must() {
    for check in checks(Marketplace::Heroku) {
        let said = check.citation.source.is_normative();
        assert!(check.level != Level::Must || said, "{} is a must of {}", check.id, check.citation.source);
    }
}

#[test]
fn ids_are_names_and_sentences_are_sentences() {
    let mut ids: Vec<_> = checks(Marketplace::Heroku).map(|check| check.id).collect();
    for check in checks(Marketplace::Heroku) {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(
            check.id.split('.').count() == 3 && check.id.split('.').all(|part| part.chars().all(plain)),
            "{}",
            check.id
        );
        assert!(
            check.requirement.ends_with('.') && check.requirement.starts_with(char::is_uppercase),
            "{}",
            check.requirement
        );
        assert!(
            !check.citation.summary.is_empty() && !check.citation.summary.ends_with('.'),
            "{}",
            check.citation.summary
        );
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "two checks have the same id");
}

/// The page that names them all. `MAITRE_WRITE=1 cargo test -p maitre-conformance the_page` writes it anew.
#[test]
fn the_page_of_the_mutants_is_as_they_are() {
    let mut page = String::from(PAGE);
    page.push_str("\n| the add-on … | caught by |\n| --- | --- |\n");
    page.extend(MUTANTS.iter().map(|(_, fault, id)| format!("| {fault} | `{id}` |\n")));
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/mutants.md");
    if std::env::var_os("MAITRE_WRITE").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(&file).unwrap_or_default() == page,
        "docs/mutants.md is not as the tests: see above"
    );
}

const PAGE: &str = "# Mutants

A checker is worth what it sees. Each line is a small add-on that is right but for one fault, and the check that is there to
see it; the tests of `maitre-conformance` start every one of them and insist that this check fails. The add-on without a
fault fails none, and no check is without a line here but those of the manifest, which have a table of their own, and the one
that needs https.

This page is written by `MAITRE_WRITE=1 cargo test -p maitre-conformance the_page`, and a test fails when it is old.
";
