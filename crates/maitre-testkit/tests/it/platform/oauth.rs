use maitre_testkit::platform::{Platform, RefreshTokens, Rule};
use serde_json::json;
use std::time::Duration;

use super::vendor::{SECRET, Vendor, read, text, vendor};

#[tokio::test]
async fn a_grant_is_exchanged_once() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let grant = install.grant();

    let answer = vendor.exchange(grant.code()).await.expect(200);
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(28_800)));
    assert_eq!(answer["session_nonce"], json!(null));
    assert!(answer["user_id"].is_string());
    assert!(text(&answer, "access_token").starts_with("HRKU-"));
    assert_ne!(answer["access_token"], answer["refresh_token"]);

    vendor.exchange(grant.code()).await.refused(401, "unauthorized");
    assert_eq!(vendor.rules_broken(), [Rule::RepeatedExchange]);
    let tally = install.call_counts();
    assert_eq!((tally.grants, tally.exchanges, tally.repeated_exchanges, tally.lost_grants), (1, 1, 1, 0));
}

#[tokio::test]
async fn a_grant_expires_after_five_minutes() {
    let vendor = vendor().await;
    vendor.platform.clock().stop();
    let (early, late) = (vendor.platform.install("basic"), vendor.platform.install("basic"));

    vendor.platform.clock().advance(Duration::from_mins(5) - Duration::from_secs(1));
    vendor.exchange(early.grant().code()).await.expect(200);
    vendor.platform.clock().advance(Duration::from_secs(1));
    vendor.exchange(late.grant().code()).await.refused(401, "unauthorized");

    assert_eq!(vendor.rules_broken(), [Rule::LostGrant]);
    assert_eq!(vendor.platform.violations()[0].uuid(), Some(late.uuid()));
    assert_eq!((early.call_counts().lost_grants, late.call_counts().lost_grants), (0, 1));
}

#[tokio::test]
async fn an_unused_second_grant_is_not_a_lost_grant() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let first = install.grant();
    assert_ne!(install.issue_grant().code(), first.code());
    vendor.exchange(first.code()).await.expect(200);
    vendor.platform.clock().advance(Duration::from_mins(6));
    assert_eq!(vendor.rules_broken(), []);
}

#[tokio::test]
async fn the_token_endpoint_requires_a_grant_type_and_the_secret() {
    let vendor = vendor().await;
    let code = vendor.platform.install("basic").grant().code().to_owned();
    for (fields, status, id) in [
        (vec![], 400, "bad_request"),
        (vec![("grant_type", "authorization_code"), ("code", &code)], 400, "bad_request"),
        (vec![("grant_type", "authorization_code"), ("client_secret", SECRET)], 400, "bad_request"),
        (vec![("grant_type", "password"), ("code", &code), ("client_secret", SECRET)], 400, "bad_request"),
        (vec![("grant_type", "authorization_code"), ("code", &code), ("client_secret", "x")], 401, "unauthorized"),
        (vec![("grant_type", "authorization_code"), ("code", "x"), ("client_secret", SECRET)], 401, "unauthorized"),
        (vec![("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_secret", SECRET)], 401, "unauthorized"),
    ] {
        vendor.post_form(&fields).await.refused(status, id);
    }
    vendor.exchange(&code).await.expect(200);
}

#[tokio::test]
async fn a_secret_in_the_query_works_and_is_a_violation() {
    let vendor = vendor().await;
    let code = vendor.platform.install("basic").grant().code().to_owned();
    let fields = [("grant_type", "authorization_code"), ("code", &code), ("client_secret", SECRET)];
    let request = vendor.request("POST", "/oauth/token").query(&fields);
    read(request.send().await.expect("an answer")).await.expect(200);
    assert_eq!(vendor.rules_broken(), [Rule::SecretInQuery]);
    let violation = vendor.platform.violations()[0].to_string();
    assert_eq!(violation, "POST /oauth/token sent its fields in the query");
}

#[tokio::test]
async fn an_expired_token_is_replaced_by_a_refresh() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let minted = vendor.exchange(install.grant().code()).await.expect(200);
    let old = text(&minted, "access_token");
    vendor.ask("GET", "/addons", &old).await.expect(200);

    vendor.platform.clock().advance(Duration::from_hours(8));
    vendor.ask("GET", "/addons", &old).await.refused(401, "unauthorized");
    let renewed = vendor.refresh(&text(&minted, "refresh_token")).await.expect(200);
    assert_eq!(renewed["refresh_token"], minted["refresh_token"]);
    vendor.ask("GET", "/addons", &text(&renewed, "access_token")).await.expect(200);
    assert_eq!((install.call_counts().refreshes, install.call_counts().expired_tokens), (1, 1));
}

#[tokio::test]
async fn responses_to_a_refresh_vary_as_heroku_s_did() {
    let platform = Platform::builder("tally", "password", SECRET)
        .settings(|settings| {
            settings.exchange_status = 201;
            settings.refresh_status = 201;
            settings.refresh_includes_expiry = false;
            settings.refresh_includes_refresh_token = false;
            settings.token_lifetime = Duration::from_secs(7_199);
        })
        .build();
    let vendor = Vendor::of(platform).await;
    let minted = vendor.exchange(vendor.platform.install("basic").grant().code()).await.expect(201);
    assert_eq!(minted["expires_in"], 7_199);
    let renewed = vendor.refresh(&text(&minted, "refresh_token")).await.expect(201);
    let fields: Vec<_> = renewed.as_object().expect("an object").keys().collect();
    assert_eq!(fields, ["access_token", "session_nonce", "token_type", "user_id"]);
}

#[tokio::test]
async fn a_rotated_refresh_token_is_revoked_and_a_renewed_one_is_not() {
    let vendor = vendor().await;
    let minted = vendor.exchange(vendor.platform.install("basic").grant().code()).await.expect(200);
    let first = text(&minted, "refresh_token");

    vendor.platform.update_settings(|settings| settings.refresh_tokens = RefreshTokens::Renewed);
    let second = text(&vendor.refresh(&first).await.expect(200), "refresh_token");
    assert_ne!(first, second);
    vendor.platform.update_settings(|settings| settings.refresh_tokens = RefreshTokens::Rotated);
    let third = text(&vendor.refresh(&first).await.expect(200), "refresh_token");
    vendor.refresh(&first).await.refused(401, "unauthorized");
    vendor.refresh(&third).await.expect(200);
}

#[tokio::test]
async fn a_reset_of_the_client_secret_revokes_all_access_tokens() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let minted = vendor.exchange(install.grant().code()).await.expect(200);
    vendor.platform.reset_client_secret("another");

    vendor.ask("GET", "/addons", &text(&minted, "access_token")).await.refused(401, "unauthorized");
    vendor.refresh(&text(&minted, "refresh_token")).await.refused(401, "unauthorized");
    let token = text(&minted, "refresh_token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", &token), ("client_secret", "another")];
    vendor.post_form(&fields).await.expect(200);
}

#[tokio::test]
async fn the_platform_api_exchanges_and_refreshes_with_json() {
    let vendor = vendor().await;
    let grant = vendor.platform.install("basic").grant();
    let ask = |body: serde_json::Value| {
        let request = vendor.request("POST", "/oauth/tokens").header("accept", super::vendor::ACCEPT).json(&body);
        async move { read(request.send().await.expect("an answer")).await }
    };
    let client = json!({ "secret": SECRET });
    let minted = ask(json!({
        "client": client, "grant": { "type": "authorization_code", "code": grant.code() },
    }));
    let minted = minted.await.expect(201);
    assert_eq!(minted["access_token"]["expires_in"], 28_800);
    vendor.ask("GET", "/addons", minted["access_token"]["token"].as_str().expect("a token")).await.expect(200);

    let renewed = ask(json!({
        "client": client, "grant": { "type": "refresh_token" },
        "refresh_token": { "token": minted["refresh_token"]["token"] },
    }));
    assert!(renewed.await.expect(201)["access_token"]["token"].is_string());
    ask(json!({ "client": client })).await.refused(422, "invalid_params");
}

#[tokio::test]
async fn a_lost_grant_is_replaced_if_heroku_enabled_it() {
    let vendor = vendor().await;
    let install = vendor.platform.install("basic");
    let path = format!("/vendor/resources/{}/oauth-grant", install.uuid());
    let ask = |password: &str| vendor.request("GET", &path).basic_auth("tally", Some(password)).send();

    read(ask("password").await.expect("an answer")).await.refused(403, "forbidden");
    vendor.platform.update_settings(|settings| settings.grant_backfill = true);
    read(ask("guessed").await.expect("an answer")).await.refused(401, "unauthorized");
    let grant = read(ask("password").await.expect("an answer")).await.expect(200);
    assert_eq!(grant, install.grant().json());
    vendor.exchange(&text(&grant, "code")).await.expect(200);
}
