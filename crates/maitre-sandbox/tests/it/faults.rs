//! Fault injection.

use maitre_sandbox::Fault;
use maitre_testkit::platform::{Install, State};
use serde_json::{Value, json};

use crate::support::{CLIENT_SECRET, Harness, manifest, until};

async fn schedule(harness: &Harness, call: &str, fault: Fault) {
    harness.click("/sandbox/faults", &[("call", call), ("fault", fault.name()), ("times", "1")]).await;
}

async fn provisioned(harness: &Harness) -> Install {
    let install = harness.sandbox.provision("basic").await;
    harness.wait_for(&install, State::Provisioned).await;
    install
}

#[tokio::test]
async fn a_duplicate_is_sent_twice_and_two_resources_are_a_finding() {
    let harness = Harness::new().await;
    schedule(&harness, "provision", Fault::Duplicate).await;
    let install = provisioned(&harness).await;
    let seen = harness.addon.calls_of("POST");
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].body, seen[1].body);
    assert_eq!(harness.failed_checks().await, [""; 0]);
    let entries = harness.journal_of("Provision").await;
    assert!(entries.iter().all(|entry| entry["fault"] == "sent twice concurrently"));
    assert_eq!(harness.sandbox.platform().installs().len(), 1);
    assert!(install.provider_id().is_some());

    harness.addon.misbehave();
    schedule(&harness, "provision", Fault::Duplicate).await;
    provisioned(&harness).await;
    assert_eq!(harness.failed_checks().await, ["heroku.idempotency.at-once"]);
}

#[tokio::test]
async fn a_delayed_call_is_sent_once() {
    let harness = Harness::new().await;
    schedule(&harness, "provision", Fault::Delay).await;
    provisioned(&harness).await;
    assert_eq!(harness.addon.calls().len(), 1);
    assert_eq!(harness.journal_of("Provision").await[0]["fault"], "sent 3 s late");
}

#[tokio::test]
async fn a_call_without_its_response_is_retried() {
    let harness = Harness::new().await;
    schedule(&harness, "provision", Fault::DropReply).await;
    let install = harness.sandbox.provision("basic").await;
    assert_eq!(install.state(), State::Provisioning, "the response was dropped");
    harness.wait_for(&install, State::Provisioned).await;
    let entries = harness.journal_of("Provision").await;
    assert_eq!(entries.len(), 2);
    assert_eq!(
        (&entries[0]["fault"], &entries[0]["response"]),
        (&json!("the marketplace hung up before the response"), &Value::Null)
    );
    assert_eq!(harness.failed_checks().await, [""; 0], "a dropped response is not a finding");
}

#[tokio::test]
async fn a_request_that_was_cut_off_is_retried() {
    let harness = Harness::new().await;
    schedule(&harness, "provision", Fault::Cut).await;
    let install = harness.sandbox.provision("basic").await;
    harness.wait_for(&install, State::Provisioned).await;
    assert_eq!(harness.addon.calls_of("POST").len(), 1, "the add-on does not see half a request");
    assert_eq!(
        harness.journal_of("Provision").await[0]["fault"],
        "the marketplace hung up in the middle of the request"
    );
}

#[tokio::test]
async fn a_reordered_call_is_overtaken() {
    let harness = Harness::new().await;
    schedule(&harness, "provision", Fault::Reorder).await;
    harness.click("/sandbox/installs", &[("plan", "basic"), ("app", "first")]).await;
    until("the install exists", async || harness.sandbox.platform().installs().len() == 1).await;
    until("the fault is drawn", async || harness.page("/sandbox/panel").await.contains("none scheduled")).await;
    assert_eq!(harness.addon.calls().len(), 0, "the call is held back");
    harness.click("/sandbox/installs", &[("plan", "bright"), ("app", "second")]).await;
    until("both calls have arrived", async || harness.addon.calls().len() == 2).await;
    let plans: Vec<_> = harness.addon.calls().iter().map(|seen| seen.json()["plan"].clone()).collect();
    assert_eq!(json!(plans), json!(["bright", "basic"]));
}

#[tokio::test]
async fn a_wrong_password_is_tried_first_and_accepting_it_is_a_finding() {
    let harness = Harness::new().await;
    schedule(&harness, "provision", Fault::WrongPassword).await;
    provisioned(&harness).await;
    let authorized: Vec<_> = harness.addon.calls().iter().map(crate::support::ReceivedCall::is_authorized).collect();
    assert_eq!(authorized, [false, true]);
    assert_eq!(harness.failed_checks().await, [""; 0]);

    harness.addon.misbehave();
    for (call, check) in [
        ("provision", "heroku.auth.wrong-password-provision"),
        ("deprovision", "heroku.auth.wrong-password-deprovision"),
    ] {
        schedule(&harness, call, Fault::WrongPassword).await;
        let install = provisioned(&harness).await;
        harness.click(&format!("/sandbox/installs/{}/remove", install.uuid()), &[]).await;
        harness.wait_for(&install, State::Deprovisioned).await;
        assert!(harness.failed_checks().await.contains(&check.to_owned()), "{check}");
    }
}

#[tokio::test]
async fn a_stale_token_revokes_the_add_ons_access_tokens() {
    let harness = Harness::new().await;
    let install = provisioned(&harness).await;
    let (access, refresh) = tokens(&harness, &install).await;
    let read = async |token: &str| {
        let call = harness.http.get(harness.url(&format!("/addons/{}", install.uuid()))).bearer_auth(token);
        let call = call.header("accept", "application/vnd.heroku+json; version=3");
        call.send().await.unwrap().status().as_u16()
    };
    assert_eq!(read(&access).await, 200);
    schedule(&harness, "plan-change", Fault::StaleToken).await;
    harness.click(&format!("/sandbox/installs/{}/plan", install.uuid()), &[("plan", "bright")]).await;
    until("the plan is changed", async || install.plan() == "bright").await;
    assert_eq!(read(&access).await, 401);
    let form = [("grant_type", "refresh_token"), ("refresh_token", &refresh), ("client_secret", CLIENT_SECRET)];
    let renewed: Value =
        harness.http.post(harness.url("/oauth/token")).form(&form).send().await.unwrap().json().await.unwrap();
    assert_eq!(read(renewed["access_token"].as_str().unwrap()).await, 200);
}

async fn tokens(harness: &Harness, install: &Install) -> (String, String) {
    let grant = install.grant();
    let form = [("grant_type", "authorization_code"), ("code", grant.code()), ("client_secret", CLIENT_SECRET)];
    let token: Value =
        harness.http.post(harness.url("/oauth/token")).form(&form).send().await.unwrap().json().await.unwrap();
    let text = |name: &str| token[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

async fn sign_on_age(harness: &Harness, install: &Install) -> i64 {
    let (_, form) = harness.customer("GET", &format!("/addons/{}/sso", install.uuid()), json!(null)).await;
    let signed_at: i64 = form["params"]["timestamp"].as_str().unwrap().parse().unwrap();
    (time::OffsetDateTime::now_utc().unix_timestamp() - signed_at) / 60
}

#[tokio::test]
async fn a_stale_sign_on_is_eleven_minutes_old() {
    let harness = Harness::new().await;
    let install = provisioned(&harness).await;
    schedule(&harness, "sign-on", Fault::StaleToken).await;
    assert_eq!(sign_on_age(&harness, &install).await, 11);
    assert_eq!(sign_on_age(&harness, &install).await, 0, "the fault applies once");
}

#[tokio::test]
async fn the_same_seed_injects_the_same_faults() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let harness = Harness::with(&manifest(), |setup| setup.chaos("50%".parse().unwrap(), seed)).await;
        harness.click("/sandbox/chaos", &[("percent", "0"), ("seed", "0")]).await;
        let install = provisioned(&harness).await;
        harness.click("/sandbox/chaos", &[("percent", "50"), ("seed", &seed.to_string())]).await;
        let mut ages = Vec::new();
        for _ in 0..40 {
            ages.push(sign_on_age(&harness, &install).await);
        }
        runs.push(ages);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    let stale = runs[0].iter().filter(|age| **age == 11).count();
    assert!((10..=30).contains(&stale), "{stale} of 40");
}

#[tokio::test]
async fn the_add_ons_own_calls_meet_scheduled_faults() {
    let harness = Harness::new().await;
    let install = provisioned(&harness).await;
    let exchange = async || {
        let grant = install.issue_grant();
        let form = [("grant_type", "authorization_code"), ("code", grant.code()), ("client_secret", CLIENT_SECRET)];
        let response = harness.http.post(harness.url("/oauth/token")).form(&form).send().await;
        match response {
            Err(_) => "no response".to_owned(),
            Ok(response) => {
                let (status, limit) = (response.status().as_u16(), response.headers().contains_key("retry-after"));
                match response.json::<Value>().await {
                    Ok(_) if limit => format!("{status} with retry-after"),
                    Ok(_) => status.to_string(),
                    Err(_) => format!("{status}, unreadable"),
                }
            }
        }
    };
    for (fault, expected) in [
        ("status-503", "503"),
        ("status-429", "429 with retry-after"),
        ("drop", "no response"),
        ("drop-after", "no response"),
        ("cut", "200, unreadable"),
        ("not-json", "200, unreadable"),
    ] {
        harness.click("/sandbox/faults", &[("call", "token"), ("fault", fault), ("times", "1")]).await;
        assert_eq!(exchange().await, expected, "{fault}");
        assert_eq!(exchange().await, "200", "after {fault}");
    }
}

#[tokio::test]
async fn scheduled_and_random_faults_can_be_cleared() {
    let harness = Harness::new().await;
    for call in ["provision", "plan-change"] {
        schedule(&harness, call, Fault::Duplicate).await;
    }
    harness.click("/sandbox/chaos", &[("percent", "100"), ("seed", "3")]).await;
    assert!(harness.page("/sandbox/panel").await.contains("chaos 100%, seed 3"));
    harness.click("/sandbox/faults/clear", &[]).await;
    assert!(harness.page("/sandbox/panel").await.contains("none scheduled"));
    provisioned(&harness).await;
    assert_eq!(harness.addon.calls().len(), 1);
}

#[tokio::test]
async fn a_fault_that_does_not_apply_to_a_call_is_rejected() {
    let harness = Harness::new().await;
    let cut = [("call", "deprovision"), ("fault", "cut"), ("times", "1")];
    assert_eq!(harness.submit("/sandbox/faults", &cut).await.status(), 422);
    let unknown = [("call", ""), ("fault", "earthquake"), ("times", "1")];
    assert_eq!(harness.submit("/sandbox/faults", &unknown).await.status(), 422);
}
