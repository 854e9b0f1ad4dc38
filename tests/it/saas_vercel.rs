//! The example at Vercel, as a separate process, with Vercel's keys and API on loopback.

use maitre_testkit::vercel::{Platform, Vercel};
use serde_json::{Value, json};

use crate::saas::Saas;
use crate::support::Folder;

/// Returns the status of the product's API for a customer.
async fn counters(saas: &Saas, token: &str) -> u16 {
    let request = reqwest::Client::new().get(format!("{}/counters", saas.origin));
    request.bearer_auth(token).send().await.unwrap().status().as_u16()
}

fn token(body: &Value) -> String {
    let secrets = body["secrets"].as_array().expect("secrets");
    let token = secrets.iter().find(|secret| secret["name"] == "TALLY_TOKEN").expect("a token");
    token["value"].as_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_resource_is_sold_rotated_opened_and_removed() {
    let platform = Platform::new("oac_tally", "development-only-client-secret");
    let serving = platform.serve().await.unwrap();
    let folder = Folder::new();
    let mut command = Saas::command(&folder.0);
    command
        .env("VERCEL_INTEGRATION_ID", "oac_tally")
        .env("VERCEL_ISSUER", serving.url())
        .env("VERCEL_JWKS_URL", serving.jwks_url())
        .env("VERCEL_API", serving.url());
    let saas = Saas::start_by(command);
    let vercel = Vercel::new(&format!("{}/vercel", saas.origin), &platform);
    let installation = platform.new_installation();

    vercel.install(&installation).await.expect(204);
    let provision = || vercel.provision(&installation, "tally", "basic").header("idempotency-key", "k-1");
    let body = provision().await.expect(200).json();
    assert_eq!(provision().await.expect(200).json(), body);
    let (id, first) = (body["id"].as_str().unwrap(), token(&body));
    assert_eq!(counters(&saas, &first).await, 200);
    let changed = vercel.update(&installation, id, "premium").await.expect(200).json();
    assert_eq!(changed["billingPlan"]["cost"], "$9.00/month");

    let rotated = vercel.rotate(&installation, id, 1.0).await.expect(200).json();
    let second = token(&rotated);
    assert_ne!(first, second);
    assert_eq!((counters(&saas, &first).await, counters(&saas, &second).await), (200, 200), "both for an hour");
    let last = token(&vercel.rotate(&installation, id, 0.0).await.expect(200).json());
    assert_eq!((counters(&saas, &second).await, counters(&saas, &last).await), (401, 200));
    assert_eq!(token(&provision().await.expect(200).json()), last, "a replay has the current secrets");

    let opened = vercel.single_sign_on("/sso", &installation, &[("resource_id", id)]).await;
    assert_eq!((opened.status(), opened.location()), (303, Some("/dashboard")));
    vercel.deprovision(&installation, id).await.expect(204);
    assert_eq!(counters(&saas, &last).await, 401);
    let refused = vercel.uninstall(&installation).bearer(&platform.user_token(&installation).unsigned()).await;
    refused.expect(403);
    assert_eq!(vercel.uninstall(&installation).await.expect(200).json(), json!({ "finalized": false }));
    let removed = json!({ "id": "evt_1", "type": "integration-configuration.removed", "createdAt": 1,
                          "payload": { "configuration": { "id": installation.id() } } });
    vercel.webhook("/webhooks", &removed).await.expect(200);
}
