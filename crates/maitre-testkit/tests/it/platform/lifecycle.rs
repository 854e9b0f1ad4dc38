use maitre_testkit::{
    Heroku,
    platform::{Platform, Rule, State},
};
use serde_json::{Value, json};
use std::time::Duration;

use super::vendor::{SECRET, Vendor, vendor};
use crate::server::answering;

/// Returns a vendor that sends these responses, and a Heroku that calls it.
fn heroku(answers: &[(u16, Value)]) -> (Heroku, std::sync::mpsc::Receiver<crate::server::ExchangeId>) {
    let written: Vec<_> = answers
        .iter()
        .map(|(status, body)| {
            let body = body.to_string();
            format!("HTTP/1.1 {status} X\nconnection: close\ncontent-length: {}\n\n{body}", body.len())
        })
        .collect();
    let (root, arrivals) = answering(&written.iter().map(String::as_str).collect::<Vec<_>>());
    (Heroku::new(&root, "tally", "password", "salt"), arrivals)
}

#[tokio::test]
async fn an_asynchronous_provision_restarts_the_app_once() {
    let vendor = vendor().await;
    let install =
        vendor.platform.install_builder("premium").region("amazon-web-services::eu-west-1").option("a", "b").create();
    let (heroku, arrivals) = heroku(&[(202, json!({ "id": install.uuid(), "message": "soon" }))]);

    let reply = heroku.provision("premium").install(&install).await;
    install.record_provision(&reply);
    let sent: Value = serde_json::from_str(&arrivals.recv().expect("a request").body).expect("JSON");
    assert_eq!(sent["uuid"], install.uuid());
    assert_eq!(sent["name"], install.name());
    assert_eq!(sent["plan"], "premium");
    assert_eq!(sent["region"], "amazon-web-services::eu-west-1");
    assert_eq!(sent["callback_url"], vendor.url(&format!("/addons/{}", install.uuid())));
    assert_eq!(sent["options"], json!({ "a": "b" }));
    assert!(sent.get("log_input_url").is_none() && sent.get("log_drain_token").is_none());
    assert_eq!(install.state(), State::Provisioning);
    assert_eq!((install.provider_id().as_deref(), install.message().as_deref()), (Some(install.uuid()), Some("soon")));

    let code = sent["oauth_grant"]["code"].as_str().expect("a grant");
    let minted = vendor.exchange(code).await.expect(200);
    let token = minted["access_token"].as_str().expect("a token");
    vendor.set(&install, token, "TALLY_URL", "https://tally.example/1").await.expect(200);
    let vars = vendor.set(&install, token, "TALLY_TOKEN", "t").await.expect(200);
    let expected =
        json!([{ "name": "TALLY_TOKEN", "value": "t" }, { "name": "TALLY_URL", "value": "https://tally.example/1" }]);
    assert_eq!(vars, expected);
    assert_eq!(install.call_counts().restarts, 0);

    let addon = vendor.act(&install, token, "provision").await.expect(200);
    assert_eq!((&addon["state"], &addon["config_vars"]), (&json!("provisioned"), &json!(["TALLY_TOKEN", "TALLY_URL"])));
    assert_eq!((install.call_counts().restarts, install.call_counts().provisioned), (1, 1));

    vendor.set(&install, token, "TALLY_TOKEN", Value::Null).await.expect(200);
    assert_eq!(install.config().keys().collect::<Vec<_>>(), ["TALLY_URL"]);
    assert_eq!((install.call_counts().restarts, install.call_counts().config_patches), (2, 3));

    vendor.act(&install, token, "provision").await.expect(200);
    vendor.platform.update_settings(|settings| settings.repeated_provision_status = 422);
    vendor.act(&install, token, "provision").await.refused(422, "invalid_params");
    assert_eq!((install.call_counts().provisioned, install.call_counts().repeated_provisions), (1, 2));
    vendor.act(&install, token, "deprovision").await.refused(422, "invalid_params");
    assert_eq!(vendor.rules_broken(), []);
}

#[tokio::test]
async fn a_synchronous_provision_sets_its_config() {
    let platform = Platform::builder("tally", "password", SECRET)
        .settings(|settings| {
            settings.log_input = true;
            settings.syslog_drain = true;
        })
        .build();
    let vendor = Vendor::of(platform).await;
    let install = vendor.platform.install("basic");
    let answer = json!({
        "id": 4711, "message": "ready", "config": { "TALLY_URL": "https://tally.example/1" },
        "log_drain_url": "https://tally.example/logs",
    });
    let (heroku, arrivals) = heroku(&[(200, answer.clone()), (200, answer)]);

    let call = heroku.provision("basic").install(&install);
    install.record_provision(&call.clone().await);
    let sent: Value = serde_json::from_str(&arrivals.recv().expect("a request").body).expect("JSON");
    assert!(sent["log_input_url"].is_string() && sent["log_drain_token"].is_string());
    assert_eq!((install.state(), install.provider_id().as_deref()), (State::Provisioned, Some("4711")));
    assert_eq!(install.config()["TALLY_URL"], "https://tally.example/1");

    // a replay changes nothing
    install.record_provision(&call.await);
    assert_eq!(install.call_counts().restarts, 1);
    let token = vendor.token(&install).await;
    let drains = vendor.ask("GET", &format!("/addons/{}/log-drains", install.uuid()), &token).await.expect(200);
    assert_eq!(drains.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&drains[0]["token"], &drains[0]["url"]),
        (&sent["log_drain_token"], &json!("https://tally.example/logs"))
    );
    assert_eq!(vendor.rules_broken(), []);
}

#[tokio::test]
async fn an_id_is_required_and_must_not_change() {
    let vendor = vendor().await;
    let (heroku, _arrivals) = heroku(&[(202, json!({ "id": "a" })), (200, json!({ "id": "b" })), (202, json!({}))]);
    let install = vendor.platform.install("basic");
    install.record_provision(&heroku.provision("basic").install(&install).await);
    install.record_provision(&heroku.provision("basic").install(&install).await);
    install.record_provision(&heroku.provision("basic").install(&install).await);
    assert_eq!(vendor.rules_broken(), [Rule::ChangedProviderId, Rule::NoProviderId]);
    assert_eq!(install.provider_id().as_deref(), Some("a"));
}

#[tokio::test]
async fn a_202_without_registration_is_a_violation() {
    let vendor = vendor().await;
    vendor.platform.update_settings(|settings| settings.async_provisioning = false);
    let (heroku, _arrivals) = heroku(&[(202, json!({ "id": "a" }))]);
    let install = vendor.platform.install("basic");
    install.record_provision(&heroku.provision("basic").install(&install).await);
    assert_eq!(vendor.rules_broken(), [Rule::Unregistered202]);
}

#[tokio::test]
async fn a_refused_provision_ends_immediately_and_loses_no_grant() {
    let vendor = vendor().await;
    let (heroku, _arrivals) = heroku(&[(503, json!({})), (422, json!({ "message": "sold out" }))]);
    let install = vendor.platform.install("basic");
    install.record_provision(&heroku.provision("basic").install(&install).await);
    assert_eq!(install.state(), State::Provisioning);
    install.record_provision(&heroku.provision("basic").install(&install).await);
    assert_eq!((install.state(), install.message().as_deref()), (State::Deprovisioned, Some("sold out")));
    vendor.platform.clock().advance(Duration::from_hours(13));
    assert_eq!(vendor.rules_broken(), []);
}

#[tokio::test]
async fn config_vars_outside_the_manifest_are_rejected_as_a_whole() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    let path = format!("/addons/{}/config", install.uuid());
    let body = json!({ "config": [{ "name": "TALLY_URL", "value": "x" }, { "name": "PATH", "value": "y" }] });
    vendor.tell("PATCH", &path, &token, body).await.refused(422, "invalid_params");
    assert!(install.config().is_empty());
    vendor.platform.update_settings(|settings| settings.config_vars = Some(vec!["TALLY_URL".to_owned()]));
    vendor.set(&install, &token, "TALLY_URL", "x").await.expect(200);
    vendor.set(&install, &token, "TALLY_OTHER", "x").await.refused(422, "invalid_params");
    assert_eq!(vendor.rules_broken(), [Rule::ForeignConfigVar; 2]);
    assert_eq!(vendor.ask("GET", &path, &token).await.expect(200), json!([{ "name": "TALLY_URL", "value": "x" }]));
}

#[tokio::test]
async fn config_is_required_before_actions_provision() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    vendor.act(&install, &token, "provision").await.expect(200);
    assert_eq!(vendor.rules_broken(), [Rule::ConfigMissing]);

    vendor.platform.update_settings(|settings| settings.config_vars = Some(Vec::new()));
    let bare = vendor.platform.install("basic");
    let token = vendor.token(&bare).await;
    vendor.act(&bare, &token, "provision").await.expect(200);
    assert_eq!(vendor.rules_broken().len(), 1);
}

#[tokio::test]
async fn a_pending_provision_is_removed_after_twelve_hours() {
    let vendor = vendor().await;
    vendor.platform.clock().stop();
    let (heroku, _arrivals) = heroku(&[(202, json!({ "id": "a" }))]);
    let install = vendor.platform.install("basic");
    install.record_provision(&heroku.provision("basic").install(&install).await);
    let minted = vendor.exchange(install.grant().code()).await.expect(200);

    vendor.platform.clock().advance(Duration::from_hours(12) - Duration::from_secs(1));
    assert_eq!(install.state(), State::Provisioning);
    vendor.platform.clock().advance(Duration::from_secs(1));
    assert_eq!(install.state(), State::Deprovisioned);
    assert_eq!(vendor.rules_broken(), [Rule::Unfinished]);

    // the vendor could not know: counted, but no violation
    vendor.refresh(minted["refresh_token"].as_str().expect("a token")).await.refused(401, "unauthorized");
    assert_eq!(install.call_counts().calls_after_deprovision, 1);
    assert_eq!(vendor.rules_broken().len(), 1);
}

#[tokio::test]
async fn every_call_is_rejected_after_actions_deprovision() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let token = vendor.token(&install).await;
    let addon = vendor.act(&install, &token, "deprovision").await.expect(200);
    assert_eq!(addon["state"], "deprovisioned");
    assert_eq!((install.state(), install.call_counts().deprovisioned), (State::Deprovisioned, 1));

    vendor.act(&install, &token, "provision").await.refused(401, "unauthorized");
    vendor.ask("GET", "/addons", &token).await.refused(401, "unauthorized");
    assert_eq!(vendor.rules_broken(), [Rule::CallAfterDeprovision; 2]);
    let expected = format!("{}: GET /addons came after it was deprovisioned", install.name());
    assert_eq!(vendor.platform.violations()[1].to_string(), expected);
}

#[tokio::test]
async fn a_reply_to_a_delete_revokes_the_token() {
    let vendor = vendor().await;
    let (heroku, _arrivals) =
        heroku(&[(503, json!({})), (204, json!(null)), (202, json!({})), (202, json!({})), (410, json!({}))]);
    let [first, second, third, fourth] = [0; 4].map(|_| vendor.platform.install("basic"));

    let token = vendor.token(&first).await;
    first.record_deprovision(&heroku.deprovision(first.uuid()).await);
    vendor.ask("GET", "/addons", &token).await.expect(200);
    first.record_deprovision(&heroku.deprovision(first.uuid()).await);
    vendor.ask("GET", "/addons", &token).await.refused(401, "unauthorized");

    // 202 counts as 2xx unless asynchronous deprovisioning is enabled
    second.record_deprovision(&heroku.deprovision(second.uuid()).await);
    assert_eq!(second.state(), State::Deprovisioned);
    vendor.platform.update_settings(|settings| settings.async_deprovisioning = true);
    let token = vendor.token(&third).await;
    let accepted = heroku.deprovision(third.uuid()).await;
    third.record_deprovision(&accepted);
    assert_eq!(third.state(), State::Deprovisioning);
    vendor.set(&third, &token, "TALLY_URL", "x").await.expect(200);
    vendor.act(&third, &token, "deprovision").await.expect(200);
    assert_eq!(third.state(), State::Deprovisioned);
    // a reply that is recorded late changes nothing
    third.record_deprovision(&accepted);
    assert_eq!(third.state(), State::Deprovisioned);

    fourth.record_deprovision(&heroku.deprovision(fourth.uuid()).await);
    assert_eq!(fourth.state(), State::Deprovisioned);
    assert_eq!(vendor.platform.call_counts().calls_after_deprovision, 1);
}

#[tokio::test]
async fn a_plan_change_takes_effect_with_the_reply() {
    let vendor = vendor().await;
    let (heroku, _arrivals) = heroku(&[
        (422, json!({ "message": "no" })),
        (200, json!({ "message": "yes", "config": { "TALLY_URL": "u" } })),
        (202, json!({})),
    ]);
    let install = vendor.platform.install("basic");
    install.record_plan_change("premium", &heroku.plan_change("7", "premium").await);
    assert_eq!((install.plan().as_str(), install.message().as_deref()), ("basic", Some("no")));
    install.record_plan_change("premium", &heroku.plan_change("7", "premium").await);
    assert_eq!((install.plan().as_str(), install.config()["TALLY_URL"].as_str()), ("premium", "u"));
    install.record_plan_change("gold", &heroku.plan_change("7", "gold").await);
    assert_eq!(install.plan(), "gold");
}

/// The asynchronous provision of version 1.
#[tokio::test]
async fn the_callback_of_version_1_sets_config_vars_and_completes_the_provision() {
    let platform = Platform::builder("tally", "password", "client secret")
        .settings(|settings| settings.config_vars = Some(vec!["TALLY_URL".to_owned()]))
        .build();
    let _api = platform.serve().await.unwrap();
    let install = platform.install("basic");
    let http = reqwest::Client::builder().user_agent("tally/1.0").build().unwrap();
    let put = async |password: &str, body: serde_json::Value| {
        let request = http.put(install.callback_url()).basic_auth("tally", Some(password)).json(&body);
        request.send().await.unwrap().status().as_u16()
    };
    let config = json!({ "config": { "TALLY_URL": "https://tally.example/7" } });
    assert_eq!(put("wrong", config.clone()).await, 401);
    assert_eq!(put("password", json!({ "config": { "TALLY_URL": 7 } })).await, 422);
    assert_eq!(put("password", json!({ "config": { "OTHER_URL": "https://tally.example/7" } })).await, 422);
    assert_eq!(install.state(), State::Provisioning);
    assert_eq!(put("password", config.clone()).await, 200);
    assert_eq!(
        (install.state(), install.config()["TALLY_URL"].as_str()),
        (State::Provisioned, "https://tally.example/7")
    );
    assert_eq!(put("password", config).await, 200, "config vars can be set again");
    assert_eq!(install.call_counts().provisioned, 1);
    assert_eq!(install.exchanges().len(), 4);
}
