//! Behavior of a run besides the checks: setup errors, masking and reports.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::IntoResponse as _;
use axum::{Json, Router};
use maitre_conformance::{Conclusion, Level, Marketplace, Outcome, Suite, checks};
use serde_json::{Value, json};

use crate::mutants::suite;
use crate::sample_addon::{Fault, PASSWORD, SALT, SLUG, SampleAddon, manifest};

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

/// Every provision of the add-on needs an option.
#[tokio::test]
async fn an_add_on_that_needs_an_option_gets_it() {
    let addon = SampleAddon::with(Fault::Nothing);
    let needy = || {
        addon.router().layer(middleware::from_fn(async |request: Request, next: Next| {
            let (parts, body) = request.into_parts();
            let bytes = axum::body::to_bytes(body, 8 * 1024 * 1024).await.unwrap_or_default();
            let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            let is_ordinary = body["uuid"].is_string() && body["options"].is_object();
            if parts.method == Method::POST && is_ordinary && body["options"]["size"] != "3" {
                let message = Json(json!({ "message": "The option size is missing." }));
                return (StatusCode::UNPROCESSABLE_ENTITY, message).into_response();
            }
            next.run(Request::from_parts(parts, Body::from(bytes))).await
        }))
    };
    let error = suite(&addon).service(needy()).build().unwrap().run().await.unwrap_err().to_string();
    assert!(error.contains("\"The option size is missing.\"") && error.contains("--option"), "{error}");
    let suite = suite(&addon).service(needy()).option("size", "3").only(["provision", "malformed", "idempotency"]);
    let report = suite.build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report), ["heroku.malformed.large-body"; 0], "{report}");
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
    assert_eq!(failed(&report), ["heroku.provision.succeeds"], "{report}");
    let Outcome::Skipped(reason) = &report.results[1].outcome else { panic!("{report}") };
    assert_eq!(reason, "a provision is not answered (see heroku.provision.succeeds)");

    // the add-on stops after some requests
    for jobs in [1, 8] {
        let (addon, requests) = (SampleAddon::with(Fault::Nothing), Arc::new(Mutex::new(0)));
        let stops = addon.router().layer(middleware::from_fn(move |request: Request, next: Next| {
            let number = {
                let mut requests = requests.lock().unwrap();
                *requests += 1;
                *requests
            };
            async move {
                if number > 8 {
                    std::future::pending::<()>().await;
                }
                next.run(request).await
            }
        }));
        let suite = Suite::builder(manifest()).plans(["basic"]).timeout(Duration::from_millis(300)).service(stops);
        let report = suite.only(["provision"]).jobs(jobs).build().unwrap().run().await.unwrap();
        assert_eq!(failed(&report).len(), 3, "{report}");
        let gives_up = |outcome: &Outcome| matches!(outcome, Outcome::Skipped(reason) if reason == "the add-on no longer responds");
        assert!(report.results.iter().any(|result| gives_up(&result.outcome)), "{report}");
    }
}

#[tokio::test]
async fn an_endless_response_is_not_read_to_the_end() {
    let endless = Router::new().fallback(async || {
        Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, Infallible>(vec![b' '; 1024 * 1024])))
    });
    let report =
        Suite::builder(manifest()).service(endless).only(["provision.succeeds"]).build().unwrap().run().await.unwrap();
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
        .jobs(1)
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
