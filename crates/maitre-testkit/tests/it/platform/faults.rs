use std::time::Duration;

use maitre_testkit::platform::{Fault, Rule, State};
use serde_json::json;

use super::vendor::{ACCEPT, vendor};

#[tokio::test]
async fn a_status_fault_applies_before_or_after_the_call_takes_effect() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    vendor.platform.inject_fault(Fault::status(503).on("PATCH", "/addons/*/config"));
    vendor.ask("GET", "/addons", &token).await.expect(200);
    vendor.set(&install, &token, "TALLY_A", "1").await.refused(503, "service_unavailable");
    assert!(install.config().is_empty());

    vendor.platform.inject_fault(Fault::status(500).after_work());
    vendor.set(&install, &token, "TALLY_A", "1").await.refused(500, "internal_server_error");
    assert_eq!(install.config()["TALLY_A"], "1");
    vendor.set(&install, &token, "TALLY_A", "2").await.expect(200);
    assert_eq!(vendor.platform.exchanges()[2].fault(), Some("status 503, before the work"));
}

#[tokio::test]
async fn an_injected_429_carries_retry_after_if_set() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    vendor.platform.inject_fault(Fault::status(429).header("retry-after", "2").times(2));
    for _ in 0..2 {
        let answer = vendor.ask("GET", "/addons", &token).await;
        assert_eq!(answer.header("retry-after"), Some("2"));
        answer.refused(429, "rate_limit");
    }
    vendor.ask("GET", "/addons", &token).await.expect(200);
}

#[tokio::test]
async fn a_dropped_connection_has_no_response() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    vendor.platform.inject_fault(Fault::drop_connection());
    vendor.platform.inject_fault(Fault::drop_connection().after_work());

    for done in [false, true] {
        let body = json!({ "config": [{ "name": "TALLY_A", "value": "1" }] });
        let request = vendor.asking("PATCH", &format!("/addons/{}/config", install.uuid()), &token).json(&body);
        let error = request.send().await.expect_err("no answer");
        assert!(error.is_request() && error.status().is_none(), "{error:?}");
        assert_eq!(install.config().contains_key("TALLY_A"), done);
    }
    assert_eq!(vendor.platform.exchanges().last().expect("a call").status(), None);
}

#[tokio::test]
async fn a_cut_body_ends_early_after_the_call_takes_effect() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    vendor.set(&install, &token, "TALLY_A", "1").await.expect(200);
    vendor.platform.inject_fault(Fault::cut_body().on("POST", "/addons/*/actions/provision"));
    let path = format!("/addons/{}/actions/provision", install.uuid());
    let response = vendor.asking("POST", &path, &token).send().await.expect("a head");
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
    assert_eq!(install.state(), State::Provisioned);
}

#[tokio::test]
async fn html_and_redirect_faults_replace_the_response() {
    let vendor = vendor().await;
    let token = vendor.token(&vendor.platform.install("basic")).await;
    vendor.platform.inject_fault(Fault::not_json());
    let answer = vendor.ask("GET", "/addons", &token).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html")));
    vendor.platform.inject_fault(Fault::redirect("https://elsewhere.example/"));
    let answer = vendor.ask("GET", "/addons", &token).await;
    assert_eq!((answer.status, answer.header("location")), (307, Some("https://elsewhere.example/")));
}

#[tokio::test]
async fn a_hang_up_during_a_delay_cancels_the_call_unless_it_took_effect() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    let path = format!("/addons/{}/actions/provision", install.uuid());
    vendor.set(&install, &token, "TALLY_A", "1").await.expect(200);
    let hang_up = || vendor.asking("POST", &path, &token).timeout(Duration::from_millis(200)).send();

    vendor.platform.inject_fault(Fault::delay(Duration::from_mins(10)));
    assert!(hang_up().await.expect_err("no answer").is_timeout());
    assert_eq!(install.state(), State::Provisioning);
    vendor.platform.inject_fault(Fault::delay(Duration::from_mins(10)).after_work());
    assert!(hang_up().await.expect_err("no answer").is_timeout());
    assert_eq!(install.state(), State::Provisioned);
}

#[tokio::test]
async fn an_exchange_with_a_dropped_response_may_be_repeated() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let grant = install.grant();
    vendor.platform.inject_fault(Fault::status(502).after_work().on("POST", "/oauth/token"));
    vendor.exchange(grant.code()).await.refused(502, "internal_server_error");
    vendor.exchange(grant.code()).await.refused(401, "unauthorized");
    assert_eq!(vendor.rules_broken(), [] as [Rule; 0]);
    assert_eq!((install.call_counts().exchanges, install.call_counts().repeated_exchanges), (1, 1));
}

#[tokio::test]
async fn calls_after_a_dropped_deprovision_response_are_allowed() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    vendor.platform.inject_fault(Fault::status(502).after_work());
    vendor.act(&install, &token, "deprovision").await.refused(502, "internal_server_error");
    vendor.act(&install, &token, "deprovision").await.refused(401, "unauthorized");
    assert_eq!(vendor.rules_broken(), [] as [Rule; 0]);
    assert_eq!((install.call_counts().deprovisioned, install.call_counts().calls_after_deprovision), (1, 1));
}

#[tokio::test]
async fn a_delayed_response_is_not_a_dropped_one() {
    let vendor = vendor().await;
    let grant = vendor.platform.install("basic").grant();
    vendor.platform.inject_fault(Fault::delay(Duration::from_millis(50)).after_work());
    vendor.exchange(grant.code()).await.expect(200);
    vendor.exchange(grant.code()).await.refused(401, "unauthorized");
    assert_eq!(vendor.rules_broken(), [Rule::RepeatedExchange]);
}

#[tokio::test]
async fn the_same_seed_selects_the_same_calls() {
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let vendor = vendor().await;
        let token = vendor.token(&vendor.platform.install("basic")).await;
        vendor.platform.set_seed(seed);
        vendor.platform.inject_fault(Fault::status(500).always().chance(0.3));
        let mut statuses = Vec::new();
        for _ in 0..50 {
            statuses.push(vendor.ask("GET", "/addons", &token).await.status);
        }
        vendor.platform.clear_faults();
        vendor.ask("GET", "/addons", &token).await.expect(200);
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    assert!(runs[0].contains(&200) && runs[0].contains(&500));
}

#[tokio::test]
async fn an_in_process_router_gives_the_same_responses() {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt as _;

    let platform = maitre_testkit::platform::Platform::new("tally", "password", "client secret");
    let nested = axum::Router::new().nest("/heroku-api", platform.router());
    let request = Request::get("/heroku-api/addons").header("accept", ACCEPT).header("user-agent", "t");
    let response = nested.oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    assert_eq!(response.status(), 401);
    assert_eq!(platform.exchanges()[0].path(), "/addons");
    assert_eq!(platform.installs().len(), 0);
}
