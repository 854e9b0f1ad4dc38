//! Correct brokers that differ in what the specification leaves open, and runs that are interrupted.

use std::time::Duration;

use futures_util::future::join_all;
use maitre_conformance::{Level, Marketplace, Outcome, Suite, checks};

use crate::broker_mutants::suite;
use crate::mutants::failed;
use crate::sample_broker::{Fault, SampleBroker, Style, USER};

async fn passes(name: &str, style: Style) {
    let broker = SampleBroker::new(style, Fault::Nothing);
    let report = suite(&broker).build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report, Level::Should), Vec::<&str>::new(), "{name}\n{report}");
    assert!(report.is_conformant(true), "{name}\n{report}");
    assert_eq!((broker.active(), report.left_behind.len()), (0, 0), "{name}");
    assert!(report.tried() > 80, "{name}: {} checks were tried", report.tried());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correct_broker_passes_twice_in_a_row() {
    let broker = SampleBroker::new(Style::default(), Fault::Nothing);
    for _ in 0..2 {
        let report = suite(&broker).build().unwrap().run().await.unwrap();
        assert_eq!(failed(&report, Level::Info), Vec::<&str>::new(), "{report}");
        assert_eq!(report.marketplace, Marketplace::OpenServiceBroker);
        assert_eq!((broker.active(), report.left_behind.len()), (0, 0));
    }
    assert!(broker.created() > 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correct_asynchronous_broker_passes() {
    let broker = SampleBroker::new(Style { asynchronous: true, ..Style::default() }, Fault::Nothing);
    let report = suite(&broker).build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report, Level::Info), Vec::<&str>::new(), "{report}");
    let polled = report.results.iter().filter(|result| result.check.group() == "osb.polling");
    let skipped: Vec<_> =
        polled.filter(|result| !matches!(result.outcome, Outcome::Passed)).map(|it| it.check.id).collect();
    assert_eq!(skipped, ["osb.polling.synchronous", "osb.polling.retry-after"], "{report}");
    assert_eq!((broker.active(), report.left_behind.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn permitted_variants_pass() {
    let plain = Style { etag: false, maintenance: false, suspension: false, retrievable: false, ..Style::default() };
    let styles = [
        (
            "repeats are answered 201, dashboards are null",
            Style { repeats_201: true, null_dashboard: true, ..Style::default() },
        ),
        ("extra fields, an app is required", Style { extra_fields: true, requires_app: true, ..Style::default() }),
        ("only what is required", plain),
        ("no bindings, no updates", Style { bindable: false, updates: false, ..plain }),
        ("the organization is optional", Style { strict: false, ..plain }),
    ];
    join_all(styles.map(|(name, style)| passes(name, style))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn permitted_asynchronous_variants_pass() {
    let asynchronous = Style { asynchronous: true, ..Style::default() };
    let styles = [
        ("a delete ends with 200", Style { ends_with_200: true, extra_fields: true, ..asynchronous }),
        (
            "one request at a time, without operations",
            Style { one_at_a_time: true, names_operations: false, ..asynchronous },
        ),
    ];
    join_all(styles.map(|(name, style)| passes(name, style))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_leaves_nothing_behind() {
    for milliseconds in [0, 5, 30, 100, 400, 1_200] {
        let broker = SampleBroker::new(Style::default(), Fault::Nothing);
        let end = tokio::time::sleep(Duration::from_millis(milliseconds));
        let report = suite(&broker).build().unwrap().run_until(end).await.unwrap();
        assert_eq!((broker.active(), report.left_behind.len()), (0, 0), "stopped after {milliseconds} ms");
        assert!(!report.interrupted || report.results.len() < checks(Marketplace::OpenServiceBroker).count());
    }
}

#[tokio::test]
async fn a_refused_password_is_one_failure() {
    let broker = SampleBroker::new(Style::default(), Fault::Nothing);
    let suite = Suite::broker(USER, "another-password-altogether").service(broker.router()).build().unwrap();
    let report = suite.run().await.unwrap();
    assert_eq!(failed(&report, Level::Info), ["osb.auth.right-credentials"], "{report}");
    let skipped = checks(Marketplace::OpenServiceBroker).count() - 1;
    assert_eq!(
        report.begin_with().map(|(result, count)| (result.check.id, count)),
        Some(("osb.auth.right-credentials", skipped))
    );
    assert!(!report.to_string().contains("another-password-altogether"));
}

#[tokio::test]
async fn an_unknown_plan_is_an_error_that_lists_the_plans() {
    let broker = SampleBroker::new(Style::default(), Fault::Nothing);
    let error = suite(&broker).plans(["gold"]).build().unwrap().run().await.unwrap_err();
    assert_eq!(error.to_string(), "no service of the catalog has the plans gold: it has basic, premium");
    let report = suite(&broker)
        .plans(["premium"])
        .only(["conflict", "provision.succeeds"])
        .build()
        .unwrap()
        .run()
        .await
        .unwrap();
    let reason = "the service has only one plan, or only one was named with --plan";
    let is_skipped = |id: &str| {
        report
            .results
            .iter()
            .any(|it| it.check.id == id && matches!(&it.outcome, Outcome::Skipped(why) if why == reason))
    };
    assert!(is_skipped("osb.conflict.other-plan"), "{report}");
}
