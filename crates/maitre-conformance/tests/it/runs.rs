//! Behavior of a run besides the checks: interruption, cleanup, setup errors, masking and reports.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::IntoResponse as _;
use axum::routing::{delete, post};
use axum::{Json, Router};
use maitre_conformance::{Conclusion, Level, Marketplace, Outcome, Suite, checks};
use serde_json::{Value, json};

use crate::mutants::suite;
use crate::sample_addon::{Fault, PASSWORD, SALT, SLUG, SampleAddon, manifest};

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_leaves_nothing_behind() {
    for milliseconds in [0, 3, 10, 40, 150, 400, 900, 1_600] {
        let addon = SampleAddon::with(Fault::Nothing);
        let end = tokio::time::sleep(Duration::from_millis(milliseconds));
        let report = suite(&addon).build().unwrap().run_until(end).await.unwrap();
        assert_eq!((addon.active(), report.left_behind.len()), (0, 0), "stopped after {milliseconds} ms");
        if report.interrupted {
            assert!(!report.is_conformant(false), "an incomplete run is not conformant");
            assert!(report.results.len() < checks(Marketplace::Heroku).count());
        }
    }
}

/// The add-on is still working when the run is interrupted.
#[tokio::test(flavor = "multi_thread")]
async fn resources_created_during_an_interruption_are_deleted() {
    let addon = SampleAddon::with(Fault::BusyDuplicates);
    // a provision takes 300 ms: the first one is complete, the second one is not
    let end = tokio::time::sleep(Duration::from_millis(450));
    let report = suite(&addon).only(["robustness.many-at-once"]).build().unwrap().run_until(end).await.unwrap();
    assert!(report.interrupted);
    assert!(addon.created() > 0);
    assert_eq!((addon.active(), report.left_behind.len()), (0, 0));
}

/// The add-on answers 404 to a deprovision that arrives early, and creates the resource anyway.
#[tokio::test(flavor = "multi_thread")]
async fn resources_created_after_a_hang_up_are_deleted() {
    let runs = (4..10).map(|step| async move {
        let alive = Arc::new(Mutex::new(HashSet::new()));
        let (created, deleted) = (alive.clone(), alive.clone());
        let provision = async move |Json(body): Json<Value>| {
            let id = body["uuid"].as_str().unwrap_or_default().to_owned();
            let work = tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(200)).await;
                created.lock().unwrap().insert(id.clone());
                Json(json!({ "id": id }))
            });
            work.await.unwrap()
        };
        let deprovision = async move |Path(id): Path<String>| {
            if deleted.lock().unwrap().remove(&id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
        };
        let vendor = Router::new()
            .route("/heroku/resources", post(provision))
            .route("/heroku/resources/{id}", delete(deprovision));
        // the first two provisions take 200 ms each; the caller hangs up on the third one
        let end = tokio::time::sleep(Duration::from_millis(step * 100));
        let suite = Suite::builder(manifest()).service(vendor).only(["idempotency.lost-reply"]);
        let report = suite.build().unwrap().run_until(end).await.unwrap();
        assert_eq!(report.left_behind, Vec::<String>::new());
        tokio::time::sleep(Duration::from_millis(300)).await; // until all pending provisions are complete
        assert_eq!(alive.lock().unwrap().len(), 0, "stopped after {step}00 ms");
    });
    futures_util::future::join_all(runs).await;
}

/// Rows of an add-on that adds one for every POST of a uuid, by uuid.
type Rows = Arc<Mutex<Vec<String>>>;

/// An add-on with a row per POST. Its DELETE removes one row, up to the given number of all rows, and answers 404 if there
/// is none.
fn row_per_post(rows: &Rows, removable: usize) -> Router {
    let (created, changed, deleted) = (rows.clone(), rows.clone(), rows.clone());
    let provision = async move |Json(body): Json<Value>| {
        let Some(uuid) = body["uuid"].as_str().filter(|uuid| !uuid.is_empty()) else {
            return (StatusCode::BAD_REQUEST, Json(json!({})));
        };
        assert!(uuid.len() < 2_000, "{} characters", uuid.len());
        created.lock().unwrap().push(uuid.to_owned());
        (StatusCode::OK, Json(json!({ "id": uuid })))
    };
    let plan_change = async move |Path(id): Path<String>| {
        if changed.lock().unwrap().contains(&id) { StatusCode::OK } else { StatusCode::NOT_FOUND }
    };
    let left = Arc::new(Mutex::new(removable));
    let deprovision = async move |Path(id): Path<String>| {
        let (mut rows, mut left) = (deleted.lock().unwrap(), left.lock().unwrap());
        match rows.iter().rposition(|row| *row == id) {
            Some(position) if *left > 0 => {
                rows.remove(position);
                *left -= 1;
                StatusCode::NO_CONTENT
            }
            _ => StatusCode::NOT_FOUND,
        }
    };
    let resource = delete(deprovision).put(plan_change);
    Router::new().route("/heroku/resources", post(provision)).route("/heroku/resources/{id}", resource)
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_deleted_too() {
    let rows = Rows::default();
    let suite = Suite::builder(manifest()).service(row_per_post(&rows, usize::MAX));
    let report = suite.build().unwrap().run().await.unwrap();
    assert_eq!(report.left_behind, Vec::<String>::new());
    assert_eq!(*rows.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_that_delete_does_not_find_are_listed_and_counted() {
    let rows = Rows::default();
    let suite = Suite::builder(manifest()).service(row_per_post(&rows, 0)).only(["idempotency", "malformed.odd-uuid"]);
    let report = suite.build().unwrap().run().await.unwrap();
    let mut left = rows.lock().unwrap().clone();
    left.sort();
    left.dedup();
    for uuid in &left {
        let name = uuid.get(..36).unwrap_or(uuid);
        let entry = report.left_behind.iter().find(|entry| entry.starts_with(name));
        let entry = entry.unwrap_or_else(|| panic!("{uuid} is missing: {report}"));
        assert!(
            entry.contains("DELETE was answered 404, but the provision had succeeded") && entry.len() < 250,
            "{entry}"
        );
    }
    assert_eq!(report.left_behind.len(), left.len(), "{:#?} {left:#?}", report.left_behind);
    for requests in [32, 33] {
        let text = format!("it was provisioned by {requests} requests)");
        assert_eq!(report.left_behind.iter().filter(|entry| entry.ends_with(&text)).count(), 1, "{report}");
    }
}

/// DELETE answers 204, but only hides the resource from itself.
#[tokio::test(flavor = "multi_thread")]
async fn duplicates_that_survive_their_deprovision_are_listed() {
    let rows = Rows::default();
    let (created, changed) = (rows.clone(), rows.clone());
    let provision = async move |Json(body): Json<Value>| {
        created.lock().unwrap().push(body["uuid"].as_str().unwrap_or_default().to_owned());
        Json(json!({ "id": body["uuid"] }))
    };
    let plan_change = async move |Path(id): Path<String>| {
        if changed.lock().unwrap().contains(&id) { StatusCode::OK } else { StatusCode::NOT_FOUND }
    };
    let resource = delete(async || StatusCode::NO_CONTENT).put(plan_change);
    let app = Router::new().route("/heroku/resources", post(provision)).route("/heroku/resources/{id}", resource);
    let suite = Suite::builder(manifest()).service(app).only(["idempotency.same-uuid-again"]);
    let report = suite.build().unwrap().run().await.unwrap();
    assert_eq!(report.left_behind.len(), 1, "{report}");
    assert!(
        report.left_behind[0]
            .ends_with("(a plan change still succeeds after its DELETE; it was provisioned by 3 requests)"),
        "{report}"
    );
}

#[tokio::test]
async fn a_resource_without_a_name_is_counted() {
    let app = Router::new().fallback(async || Json(json!({ "config": {} })));
    let suite = Suite::builder(manifest()).service(app).only(["secrets.inner-life", "provision.id"]);
    let report = suite.build().unwrap().run().await.unwrap();
    assert_eq!(report.left_behind, Vec::<String>::new(), "{report}"); // DELETE by the uuid succeeds
    let app = Router::new()
        .route("/heroku/resources", post(async || Json(json!({ "id": "7" }))).fallback(StatusCode::NOT_FOUND))
        .fallback(StatusCode::NOT_FOUND);
    let suite = Suite::builder(manifest()).service(app).only(["malformed.no-uuid"]);
    let report = suite.build().unwrap().run().await.unwrap();
    assert!(!report.left_behind.is_empty() && !report.is_conformant(false), "{report}");
}

#[tokio::test]
async fn resources_that_cannot_be_deleted_are_listed() {
    let addon = SampleAddon::with(Fault::DeprovisionIs500);
    let report = suite(&addon).only(["provision.json"]).build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report), Vec::<&str>::new());
    assert_eq!(report.left_behind.len(), addon.active());
    assert!(report.left_behind[0].ends_with("(DELETE was answered 500)"), "{:?}", report.left_behind);
    assert!(!report.is_conformant(false));
    assert!(report.to_string().contains("left behind: "), "{report}");
}

fn failed(report: &maitre_conformance::Report) -> Vec<&'static str> {
    report.failed(Level::Info).map(|result| result.check.id).collect()
}

#[tokio::test]
async fn setup_errors_tell_what_to_do() {
    let unreachable = Suite::builder(manifest()).url("http://127.0.0.1:1").build().unwrap().run().await.unwrap_err();
    let message =
        "cannot connect to http://127.0.0.1:1/heroku/resources: start the add-on, or pass its address with --url";
    assert_eq!(unreachable.to_string(), message);

    let addon = SampleAddon::with(Fault::Nothing);
    let unknown_plan = suite(&addon).plans(["gold"]).build().unwrap().run().await.unwrap_err().to_string();
    assert!(
        unknown_plan.contains("refuses the plan gold with 422 \"Unknown plan: choose basic or premium.\""),
        "{unknown_plan}"
    );
    assert!(unknown_plan.contains("--plan"), "{unknown_plan}");

    let unknown = suite(&addon).only(["sso-token.wrong", "ssso"]).build().unwrap_err().to_string();
    assert!(unknown.contains("unknown check `ssso` for heroku"), "{unknown}");
    assert_eq!(addon.created(), 0);

    let remote = Suite::builder(manifest()).url("https://lantern.example").build().unwrap().run().await.unwrap_err();
    assert!(remote.to_string().contains("pass --allow-remote"), "{remote}");
}

#[tokio::test]
async fn checks_of_missing_capabilities_are_skipped() {
    let addon = SampleAddon::with(Fault::Nothing);
    let mut without: Value = serde_json::from_str(&manifest()).unwrap();
    let api = without["api"].as_object_mut().unwrap();
    for urls in ["test", "production"] {
        api[urls].as_object_mut().unwrap().remove("sso_url");
    }
    api.remove("requires");
    api.remove("sso_salt");
    let suite = Suite::builder(without.to_string()).plans(["basic"]).service(addon.router());
    let report = suite.build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report), ["heroku.manifest.habits"], "{report}");
    let reason = |id: &str| match &report.results.iter().find(|result| result.check.id == id).unwrap().outcome {
        Outcome::Skipped(reason) => reason.clone(),
        other => panic!("{id}: {other:?}"),
    };
    assert_eq!(reason("heroku.sso-token.lets-in"), "the manifest has no api.sso_salt");
    assert_eq!(reason("heroku.provision.log-drain-url"), "the manifest does not require syslog_drain");
    assert!(reason("heroku.plan-change.again").contains("--plan"));
    assert!(reason("heroku.robustness.very-slow-caller").contains("slow checks were not requested"));
}

#[tokio::test]
async fn checks_without_a_resource_are_skipped() {
    let addon = SampleAddon::with(Fault::ProvisionIs500);
    let report = suite(&addon).only(["plan-change", "sso-token", "config"]).build().unwrap().run().await.unwrap();
    let executed = report.results.iter().filter(|result| !matches!(result.outcome, Outcome::Skipped(_)));
    let executed: Vec<_> = executed.map(|result| result.check.id).collect();
    assert_eq!(executed, Vec::<&str>::new(), "{report}");
}

#[tokio::test]
async fn wrong_credentials_cause_few_failures() {
    let report =
        suite(&SampleAddon::with(Fault::RefusesEveryone)).skip(["manifest"]).build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report), ["heroku.auth.right-credentials", "heroku.provision.succeeds"], "{report}");
}

/// Plan changes are optional in Heroku's documentation.
#[tokio::test]
async fn an_add_on_with_one_plan_need_not_support_plan_changes() {
    let addon = SampleAddon::with(Fault::Nothing);
    let without = addon.router().layer(middleware::from_fn(async |request: Request, next: Next| {
        if request.method() == Method::PUT { StatusCode::NOT_FOUND.into_response() } else { next.run(request).await }
    }));
    let one =
        Suite::builder(manifest()).plans(["basic"]).service(without.clone()).build().unwrap().run().await.unwrap();
    assert_eq!(failed(&one), Vec::<&str>::new(), "{one}");
    assert_eq!(addon.active(), 0);
}

/// An add-on without plan changes answers 404, 405 or 501, or refuses every plan with a message.
#[tokio::test(flavor = "multi_thread")]
async fn an_add_on_without_plan_changes_is_not_blamed_and_passes_no_check_of_them() {
    for status in [404, 405, 422, 501] {
        let addon = SampleAddon::with(Fault::Nothing);
        let without = addon.router().layer(middleware::from_fn(move |request: Request, next: Next| async move {
            if request.method() == Method::PUT {
                let message = Json(json!({ "message": "Please remove the add-on, and add it again." }));
                (StatusCode::from_u16(status).unwrap(), message).into_response()
            } else {
                next.run(request).await
            }
        }));
        let suite = Suite::builder(manifest()).plans(["basic", "premium"]).service(without);
        let report = suite.build().unwrap().run().await.unwrap();
        assert_eq!(failed(&report), Vec::<&str>::new(), "{status}: {report}");
        assert!(report.is_conformant(true), "{status}: {report}");
        assert!(report.verdict(true).contains("13 of heroku.plan-change"), "{}", report.verdict(true));
        for result in report.results.iter().filter(|result| result.check.group() == "heroku.plan-change") {
            let Outcome::Skipped(reason) = &result.outcome else { panic!("{status}: {}", result.check.id) };
            assert!(reason.starts_with("plan changes are not supported"), "{reason}");
        }
        assert_eq!(addon.active(), 0);
    }
}

/// Returns an add-on that answers every request with this status.
fn always(status: u16) -> Router {
    Router::new().fallback(async move || StatusCode::from_u16(status).unwrap())
}

#[tokio::test]
async fn an_add_on_at_another_path_is_one_diagnosis() {
    let error = Suite::builder(manifest()).service(always(404)).build().unwrap().run().await.unwrap_err().to_string();
    assert!(error.starts_with("nothing is mounted at http://127.0.0.1:"), "{error}");
    assert!(error.contains("/heroku/resources: ") && error.contains("Is the nest path right?"), "{error}");
}

#[tokio::test]
async fn server_errors_only_are_one_failure() {
    let suite = Suite::builder(manifest()).service(always(500)).skip(["manifest"]);
    let report = suite.build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report), ["heroku.provision.succeeds"], "{report}");
    assert_eq!(report.tried(), 1);
    let (first, count) = report.begin_with().unwrap();
    assert_eq!((first.check.id, count), ("heroku.provision.succeeds", report.results.len() - 1));
    let text = report.to_string();
    assert_eq!(text.matches("Look in the add-on's log").count(), 1, "{text}");
    assert!(text.contains("Begin with heroku.provision.succeeds: "), "{text}");
}

#[tokio::test]
async fn a_run_that_tests_nothing_is_neither_conformant_nor_a_failure() {
    // the check builds on one that was not selected
    let addon = SampleAddon::with(Fault::ProvisionIs500);
    let report = suite(&addon).only(["idempotency.same-config"]).build().unwrap().run().await.unwrap();
    assert_eq!((report.conclusion(false), report.tried()), (Conclusion::Untested, 0), "{report}");
    let verdict = report.verdict(false);
    assert!(verdict.starts_with("Nothing was tested: 1 of 1 selected checks were skipped because of"), "{verdict}");
    assert!(verdict.contains("heroku.provision.succeeds, which was not selected"), "{verdict}");
    assert!(report.to_junit(false).contains("errors=\"1\""), "{}", report.to_junit(false));

    // a part of the selection was tested
    let addon = SampleAddon::with(Fault::SamePlanIsRefused);
    let only = ["provision.json", "plan-change.unknown-fields"];
    let report = suite(&addon).only(only).build().unwrap().run().await.unwrap();
    assert_eq!((report.conclusion(false), report.tried()), (Conclusion::Untested, 1), "{report}");
    assert!(report.verdict(false).contains("because of heroku.plan-change.same-plan"), "{report}");

    // nothing applies
    let report = suite(&SampleAddon::with(Fault::Nothing)).only(["async"]).build().unwrap().run().await.unwrap();
    assert_eq!(report.conclusion(false), Conclusion::Untested, "{report}");
    assert!(report.verdict(false).starts_with("Nothing was tested: every selected check was skipped"), "{report}");
    assert_eq!(report.to_json()["conclusion"], "untested");
}

#[tokio::test]
async fn the_verdict_says_how_much_was_tried() {
    let only = ["provision.json", "provision.id", "sso-session.secure"];
    let report = suite(&SampleAddon::with(Fault::Nothing)).only(only).build().unwrap().run().await.unwrap();
    let total = checks(Marketplace::Heroku).count();
    let verdict = report.verdict(false);
    assert!(verdict.contains(&format!("2 of {total} checks were tried.")), "{verdict}");
    let rest = format!("Not tried: 1 of heroku.sso-session, {} that were not selected.", total - 3);
    assert!(verdict.ends_with(&rest), "{verdict}");
}

/// The reason of a skipped check names the check to look at, which failed.
#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_basics_fails_few_checks() {
    for (fault, most) in [
        (Fault::RefusesEveryone, 2),
        (Fault::ProvisionIs500, 1),
        (Fault::ProvisionRedirects, 1),
        (Fault::NotJson, 1),
        (Fault::NoId, 1),
        (Fault::PlanChangeIs500, 2),
        (Fault::SamePlanIsRefused, 3),
        (Fault::DeprovisionIs500, 1),
        (Fault::DeprovisionNeedsType, 1),
    ] {
        let report = suite(&SampleAddon::with(fault)).build().unwrap().run().await.unwrap();
        let failed: Vec<_> = report.failed(Level::Should).map(|result| result.check.id).collect();
        assert!(failed.len() <= most, "{fault:?}: {failed:?}");
        let (first, _) = report.begin_with().unwrap();
        assert!(failed.contains(&first.check.id), "{fault:?}: {}", first.check.id);
        let unnamed: Vec<_> = report.blocked().map(ToString::to_string).collect();
        assert_eq!(unnamed, Vec::<String>::new(), "{fault:?}");
    }
}

/// 501 is the right answer to a method that a server does not implement.
#[tokio::test]
async fn a_method_may_be_answered_501() {
    let addon = SampleAddon::with(Fault::Nothing);
    let server =
        addon.router().layer(middleware::from_fn(async |request: Request, next: Next| match *request.method() {
            Method::POST | Method::PUT | Method::DELETE => next.run(request).await,
            _ => StatusCode::NOT_IMPLEMENTED.into_response(),
        }));
    let suite = Suite::builder(manifest()).plans(["basic"]).service(server).only(["malformed.other-methods"]);
    let report = suite.build().unwrap().run().await.unwrap();
    assert!(report.is_conformant(true), "{report}");
}

#[tokio::test]
async fn a_run_gives_up_when_the_add_on_no_longer_responds() {
    let silent = Router::new().fallback(async || std::future::pending::<()>().await);
    let suite = Suite::builder(manifest()).timeout(Duration::from_millis(50)).service(silent);
    let report = suite.only(["provision"]).build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report).len(), 3, "{report}");
    let Outcome::Skipped(reason) = &report.results[3].outcome else { panic!("{report}") };
    assert_eq!(reason, "the add-on no longer responds");
}

#[tokio::test]
async fn an_endless_response_is_not_read_to_the_end() {
    let endless = Router::new().fallback(async || {
        Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, Infallible>(vec![b' '; 1024 * 1024])))
    });
    let report =
        Suite::builder(manifest()).service(endless).only(["provision.json"]).build().unwrap().run().await.unwrap();
    let failure = report.results[0].outcome.failure().unwrap();
    assert_eq!(failure.message, "No response arrived: it is longer than 16777216 bytes.", "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_contain_no_secrets() {
    let basic = maitre_testkit::sign::basic(SLUG, PASSWORD);
    for fault in [
        Fault::EchoesSalt,
        Fault::EchoesCredentials,
        Fault::EchoesGrant,
        Fault::EchoesExpectedToken,
        Fault::TokenInRedirect,
        Fault::SecretInMessage,
        Fault::UnlistedConfig,
        Fault::KeepsSession,
        Fault::Replay,
    ] {
        let groups = ["provision.id", "config", "idempotency", "auth", "secrets", "sso"];
        let report = suite(&SampleAddon::with(fault)).only(groups).build().unwrap().run().await.unwrap();
        assert!(report.failed(Level::Info).next().is_some(), "{fault:?}");
        let outputs = [report.to_string(), report.to_json().to_string(), report.to_junit(true), format!("{report:?}")];
        for output in &outputs {
            for secret in [PASSWORD, SALT, basic.trim_start_matches("Basic "), "lt_", "u:pw@"] {
                assert!(!output.contains(secret), "{fault:?} shows {secret}:\n{output}");
            }
        }
        for exchange in report.results.iter().filter_map(|it| it.outcome.failure()).flat_map(|it| &it.exchanges) {
            for secret in tokens_of(&exchange.text) {
                assert_eq!(secret, "[masked]", "{fault:?}: {exchange}");
            }
        }
    }
}

/// Returns the values of tokens in forms and URLs.
fn tokens_of(text: &str) -> Vec<&str> {
    let fields = text.split(['&', '?', '\n', ' ']).filter_map(|field| field.split_once("token="));
    fields.map(|(_, value)| value).filter(|value| !value.is_empty()).collect()
}

#[tokio::test]
async fn a_failure_contains_the_exchange_and_a_fix() {
    let report = suite(&SampleAddon::with(Fault::SecondTenant))
        .only(["idempotency.same-config"])
        .build()
        .unwrap()
        .run()
        .await
        .unwrap();
    let failure = report.results[0].outcome.failure().unwrap();
    assert_eq!(
        failure.message,
        "LANTERN_TOKEN differs from the first response: the add-on created something a second time."
    );
    assert!(failure.advice.contains("unique constraint"));
    assert_eq!((failure.exchanges.len(), failure.evidence), (2, Some(1)));
    let text = report.to_string();
    for part in [
        "FAILED   heroku.idempotency.same-config (must)",
        "  rule   A repeated provision is answered with the same config vars.",
        "  source Dev Center: add-on-partner-api-reference: a repeated uuid is answered with",
        "  before POST http://127.0.0.1:",
        "    > POST http://127.0.0.1:",
        "    > authorization: [masked]",
        "    < 200",
        r#""LANTERN_TOKEN":"[masked]""#,
        "0 passed, 1 failed (1 must, 0 should), 0 notes, 0 skipped",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
}

#[tokio::test]
async fn json_and_junit_contain_the_same_results() {
    let addon = SampleAddon::with(Fault::ProvisionIs201);
    let report = suite(&addon)
        .only(["provision.status", "provision.json", "sso-session.secure"])
        .build()
        .unwrap()
        .run()
        .await
        .unwrap();
    let json = report.to_json();
    assert_eq!(json["marketplace"], "heroku");
    assert_eq!((&json["conformant"], &json["summary"]["failed"]["info"]), (&true.into(), &1.into()));
    assert_eq!(json["checks"][0]["id"], "heroku.provision.status");
    assert_eq!(json["checks"][0]["outcome"], "failed");
    assert_eq!(json["checks"][0]["exchanges"][0]["status"], 201);
    assert_eq!(json["checks"][2]["outcome"], "skipped");

    let junit = report.to_junit(false);
    let expected = "<testsuite name=\"maitre check heroku\" tests=\"3\" skipped=\"1\" errors=\"0\" failures=\"0\"";
    assert!(junit.contains(expected), "{junit}");
    assert!(junit.contains("<testcase name=\"json\" classname=\"heroku.provision\" time="), "{junit}");
    assert!(junit.contains("<system-out>note     heroku.provision.status (info)"), "{junit}");
}

#[tokio::test]
async fn callbacks_receive_every_check() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (started, finished) = (calls.clone(), calls.clone());
    let suite = suite(&SampleAddon::with(Fault::NoId))
        .only(["provision.id", "provision.json"])
        .on_start(move |check| started.lock().unwrap().push(format!("start {}", check.id)))
        .on_result(move |result| {
            let outcome = if result.outcome.failure().is_some() { "failed" } else { "passed" };
            finished.lock().unwrap().push(outcome.to_owned());
        });
    suite.build().unwrap().run().await.unwrap();
    let calls = calls.lock().unwrap().clone();
    assert_eq!(calls, ["start heroku.provision.json", "passed", "start heroku.provision.id", "failed"]);
}

/// The add-on's clock equals a form's timestamp in some seconds, but the verdict does not depend on the second.
#[tokio::test(flavor = "multi_thread")]
async fn an_add_on_that_hashes_its_own_clock_always_fails() {
    let runs = (0..8).map(|step| async move {
        tokio::time::sleep(Duration::from_millis(step * 300)).await;
        let addon = SampleAddon::with(Fault::OwnClock);
        let report = suite(&addon).only(["sso"]).build().unwrap().run().await.unwrap();
        let failed: Vec<_> = report.failed(Level::Info).map(|result| result.check.id).collect();
        assert_eq!(failed, ["heroku.sso-token.lets-in"], "{report}");
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_names_what_to_change() {
    let formulas = [
        "user_scoped_resource_token is the SHA-256 of resource_id:sso_salt:timestamp:user_id:email",
        "resource_token is the SHA-1 of resource_id:sso_salt:timestamp,",
        "token is the SHA-1 of id:sso_salt:timestamp,",
    ];
    let log = "Look in the add-on's log for the error behind this response.";
    let rows = [
        (Fault::PlusIsASpace, "sso-token.lets-in", formulas[0]),
        (Fault::PlusIsASpace, "sso-token.lets-in", formulas[1]),
        (Fault::PlusIsASpace, "sso-token.lets-in", formulas[2]),
        (Fault::NoUserScoped, "sso-token.user-scoped", formulas[0]),
        (Fault::NoResourceToken, "sso-token.resource", formulas[1]),
        (Fault::NoVersion1, "sso-token.version-1", formulas[2]),
        (
            Fault::FormIsNotParsed,
            "sso-token.lets-in",
            "Is the form parsed? A form without any field gets the same response",
        ),
        (Fault::DashboardIs500, "sso-token.lets-in", log),
        (
            Fault::RefusesWithError,
            "provision.refusal",
            "the reason is in the field error, which Heroku ignores, and not in message",
        ),
        (
            Fault::RefusesWithoutMessage,
            "provision.refusal",
            "The 422 to an unknown plan is right, but it has no field message",
        ),
    ];
    for (fault, check, expected) in rows {
        let addon = SampleAddon::with(fault);
        let report = suite(&addon).only([check]).build().unwrap().run().await.unwrap();
        let failure = report.results.iter().find_map(|result| result.outcome.failure()).unwrap();
        let shown = format!("{} {}", failure.message, failure.advice);
        assert!(shown.contains(expected), "{fault:?}: {shown}");
    }
}
