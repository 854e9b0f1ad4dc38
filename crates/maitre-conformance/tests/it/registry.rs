//! Properties of all checks of all marketplaces, and the page of mutants.

use maitre_conformance::{Check, Level, Marketplace, checks};

use crate::market_mutants::MARKETPLACES;
use crate::{sample_addon, sample_broker, sample_market, sample_quicknode, sample_vercel};

/// Returns the fault descriptions of a marketplace, each with the check that detects the fault.
fn faults(marketplace: Marketplace) -> Vec<(&'static str, &'static str)> {
    match marketplace {
        Marketplace::Heroku => sample_addon::MUTANTS.iter().map(|(_, fault, id)| (*fault, *id)).collect(),
        Marketplace::OpenServiceBroker => sample_broker::FAULTS.iter().map(|(_, fault, id)| (*fault, *id)).collect(),
        Marketplace::QuickNode => sample_quicknode::FAULTS.iter().map(|(_, fault, id)| (*fault, *id)).collect(),
        Marketplace::Vercel => sample_vercel::FAULTS.iter().map(|(_, fault, id)| (*fault, *id)).collect(),
        other if MARKETPLACES.contains(&other) => {
            sample_market::faults(other).into_iter().map(|(_, fault, id)| (fault, id)).collect()
        }
        _ => Vec::new(),
    }
}

fn all_checks() -> impl Iterator<Item = &'static Check> {
    Marketplace::ALL.into_iter().flat_map(checks)
}

#[test]
fn every_check_has_a_fault() {
    // unit tests cover the manifest, and cookies over https, which need a certificate
    let has_unit_test = |check: &Check| check.group() == "heroku.manifest" || check.id == "heroku.sso-session.secure";
    for marketplace in Marketplace::ALL {
        let faults = faults(marketplace);
        let has_fault = |check: &Check| faults.iter().any(|(_, id)| *id == check.id);
        let without: Vec<_> = checks(marketplace)
            .filter(|check| !has_unit_test(check) && !has_fault(check))
            .map(|check| check.id)
            .collect();
        assert_eq!(without, Vec::<&str>::new());
        let unknown: Vec<_> =
            faults.iter().filter(|(_, id)| !checks(marketplace).any(|check| check.id == *id)).collect();
        assert_eq!(unknown, Vec::<&(&str, &str)>::new());
    }
    assert!(faults(Marketplace::Heroku).len() >= 60 && faults(Marketplace::OpenServiceBroker).len() >= 60);
}

#[test]
fn only_requirements_of_the_marketplace_are_musts() {
    for check in all_checks() {
        let is_normative = check.citation.source.is_normative();
        assert!(check.level != Level::Must || is_normative, "{} is a must from {}", check.id, check.citation.source);
    }
}

#[test]
fn ids_and_sentences_are_well_formed() {
    let mut ids: Vec<_> = all_checks().map(|check| check.id).collect();
    for marketplace in Marketplace::ALL {
        let prefix = format!("{marketplace}.");
        assert!(checks(marketplace).all(|check| check.id.starts_with(&prefix)), "{marketplace}");
    }
    for check in all_checks() {
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
    assert_eq!(ids.len(), all, "duplicate ids");
}

/// Checks docs/mutants.md. `MAITRE_WRITE=1 cargo test -p maitre-conformance the_page` regenerates it.
#[test]
fn the_page_of_mutants_is_current() {
    let mut page = String::from(PAGE);
    for marketplace in Marketplace::ALL {
        let faults = faults(marketplace);
        if !faults.is_empty() {
            page.extend(["\n## ", marketplace.title(), "\n\n| the add-on … | caught by |\n| --- | --- |\n"]);
            page.extend(faults.iter().map(|(fault, id)| format!("| {fault} | `{id}` |\n")));
        }
    }
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/mutants.md");
    if std::env::var_os("MAITRE_WRITE").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(&file).unwrap_or_default() == page,
        "docs/mutants.md is outdated: regenerate it as described above"
    );
}

const PAGE: &str = "# Mutants

Each line describes a small add-on that is correct except for one fault, and the check that must detect it. The tests of
`maitre-conformance` start every one of these add-ons and require that this check fails. The add-on without a fault passes all
checks. Every check has a line here, except for the checks of the manifest and the one that needs https, which have unit tests.

With `MAITRE_LONG=1` all checks run on every add-on. Then a fault of a service broker may fail at most three checks of level
must: checks that build on what does not work are skipped.

This page is generated by `MAITRE_WRITE=1 cargo test -p maitre-conformance the_page`, and a test fails if it is outdated.
";
