//! Panics and errors in the vendor's code: 503 for this request, no effect on the next.

use std::io;
use std::time::Duration;

use maitre::{Failure, Heroku, Opperator, Provisioned};
use maitre_testkit::Reply;
use serde_json::json;

use crate::support::{App, Log, SECRET, SLUG, UUID, heroku, opperator};

const SENTENCE: &str = "The add-on cannot answer at the moment. Please try again in a few minutes.";

async fn every_call(app: &App<Heroku>) -> Vec<Reply> {
    vec![
        app.client.provision("basic").uuid(UUID).await,
        app.client.plan_change(UUID, "premium").await,
        app.client.deprovision(UUID).await,
    ]
}

#[tokio::test]
async fn a_panicking_listener_is_503_and_the_next_request_succeeds() {
    let log = Log::open();
    let app = heroku().await;
    app.vendor.on_provision(async |_| panic!("secret-of-the-panic"));
    app.vendor.on_plan_change(async |_| {
        tokio::task::yield_now().await;
        panic!("secret-of-the-panic")
    });
    app.vendor.on_deprovision(async |_| panic!("secret-of-the-panic"));
    app.vendor.on_single_sign_on(async |_| panic!("secret-of-the-panic"));
    for reply in every_call(&app).await {
        assert_eq!(reply.expect(503).json(), json!({ "message": SENTENCE }));
    }
    let page = app.client.single_sign_on(UUID).await;
    assert!(page.expect(503).text().contains(SENTENCE));
    assert_eq!(page.cookies().count(), 0);
    let failed = log.events_containing("the listener failed");
    assert_eq!(failed.iter().map(|line| line.get("cause").unwrap()).collect::<Vec<_>>(), ["the listener panicked"; 4]);
    assert!(!log.text().contains("secret-of-the-panic"));

    app.vendor.on_provision(async |request| Ok(Provisioned::new(request.resource)));
    app.client.provision("basic").await.expect(200);
    assert_eq!(maitre::drain([app.addon.in_flight()], Duration::ZERO).await, 0, "a panic leaves nothing in flight");
}

#[tokio::test]
async fn a_propagated_error_is_503_and_its_cause_appears_only_in_the_log() {
    #[derive(Debug)]
    struct Outer(io::Error);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("cannot store the widget")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    fn store() -> Result<(), Outer> {
        Err(Outer(io::Error::other("disk full at postgres://app:hunter2@db/widgets")))
    }

    let log = Log::open();
    let app = heroku().await;
    app.vendor.on_provision(async |_| {
        store()?;
        Ok(Provisioned::new(1))
    });
    app.vendor.on_plan_change(async |_| {
        store()?;
        Ok(maitre::PlanChanged::new())
    });
    app.vendor.on_deprovision(async |_| {
        store()?;
        Ok(maitre::Deprovisioned::new())
    });
    for reply in every_call(&app).await {
        assert_eq!(reply.expect(503).json(), json!({ "message": SENTENCE }));
    }
    let causes: Vec<_> =
        log.events_containing("the listener failed").iter().map(|line| line.get("cause").unwrap().to_owned()).collect();
    assert_eq!(causes, ["cannot store the widget: disk full at postgres://***@db/widgets"; 3]);
    assert!(!log.text().contains("hunter2"));
}

#[tokio::test]
async fn causes_that_are_not_errors_are_logged_too() {
    let log = Log::open();
    let app = heroku().await;
    app.vendor.on_provision(async |_| Err(Failure::from_display("queue full")));
    assert_eq!(app.client.provision("basic").await.expect(503).message(), SENTENCE);
    assert_eq!(log.events_containing("the listener failed")[0].get("cause"), Some("queue full"));
}

#[tokio::test]
async fn failures_after_the_response_are_logged_too() {
    let log = Log::open();
    let app = App::heroku(|addon| addon.with_answer_budget(Duration::from_millis(20))).await;
    let gate = crate::support::Gate::closed();
    app.vendor.on_provision(gate.before(|| Err(Failure::from_display("too late"))));
    app.client.provision("basic").uuid(UUID).await.expect(503);
    assert!(log.events_containing("the listener failed").is_empty());
    gate.open();
    assert_eq!(maitre::drain([app.addon.in_flight()], Duration::from_hours(1)).await, 0);
    let [failed] = &log.events_containing("the listener failed")[..] else { panic!("one line: {}", log.text()) };
    assert_eq!((failed.get("cause"), failed.get("resource")), (Some("too late"), Some(UUID)));
}

#[tokio::test]
async fn a_failing_or_panicking_plan_warning_is_503() {
    let app = opperator().await;
    app.vendor.on_notice(async |_| panic!("boom"));
    app.client.plan_warning("inst-77").await.expect(503);
    app.vendor.on_notice(async |_| Err(io::Error::other("disk full").into()));
    assert_eq!(app.client.plan_warning("inst-77").await.expect(503).json(), json!({ "message": SENTENCE }));
    app.vendor.on_notice(async |_| Ok(()));
    app.client.plan_warning("inst-77").await.expect(200);
}

#[tokio::test]
async fn a_panic_outside_the_listener_is_503_too() {
    let marketplace = Opperator::new(SLUG, SECRET, |features| match features.get("seats") {
        Some(_) => panic!("a vendor's closure"),
        None => Some("basic".to_owned()),
    });
    let app = App::start(marketplace.unwrap(), |addon| addon).await;
    let reply = app.client.provision(json!({ "seats": 1 })).await;
    assert_eq!(reply.expect(503).header("content-type"), Some("application/json"));
    assert!(!reply.message().is_empty());
    app.client.provision(json!({})).await.expect(201);

    let clocks = App::heroku(|addon| addon.with_clock(|| panic!("a vendor's clock"))).await;
    clocks.client.provision("basic").await.expect(503);
    clocks.client.single_sign_on(UUID).await.expect(503);
}
