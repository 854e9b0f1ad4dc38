//! A checker is worth what it sees: one fault at a time, and the check that is there for it.

use std::time::Duration;

use maitre_conformance::{Level, Outcome, Report, Suite};

use crate::shop::{Fault, MUTANTS, Shop, manifest};

fn suite(shop: &Shop) -> Suite {
    Suite::heroku(&manifest()).unwrap().plans(["basic", "premium"]).service(shop.router())
}

fn failed(report: &Report) -> Vec<&'static str> {
    report.failed(Level::Info).map(|finding| finding.check.id).collect()
}

#[tokio::test]
async fn a_shop_without_fault_fails_nothing() {
    let shop = Shop::with(Fault::Nothing);
    let report = suite(&shop).run().await.unwrap();
    assert_eq!(failed(&report), Vec::<&str>::new(), "{report}");
    let skipped: Vec<_> = report.findings.iter().filter(|it| matches!(it.outcome, Outcome::Skipped(_))).collect();
    for finding in skipped {
        println!("{finding}");
    }
    println!("{report} {:?} made {}", report.took, shop.made());
    assert_eq!(shop.alive(), 0);
    let _ = (MUTANTS.len(), Duration::ZERO);
}
