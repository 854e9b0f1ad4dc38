//! The example with the APIs of other marketplaces than Heroku on loopback.

use maitre_testkit::apis::{CleverCloudApi, DigitalOceanApi, ScalingoApi};
use maitre_testkit::{DigitalOcean, Scalingo};
use serde_json::json;

use crate::ledger::support::until;
use crate::saas::{PASSWORD, Saas};
use crate::support::Folder;

#[tokio::test]
async fn a_slow_provision_ends_by_its_config_vars_and_a_grant_is_exchanged() {
    let scalingo = ScalingoApi::new("tally", PASSWORD);
    let digitalocean = DigitalOceanApi::new("development-only-client-secret");
    let clever_cloud = CleverCloudApi::new("tally", "development-only-password-0123456789abcdef");
    let (scalingos, digitaloceans, clever_clouds) =
        (scalingo.serve().await.unwrap(), digitalocean.serve().await.unwrap(), clever_cloud.serve().await.unwrap());
    let folder = Folder::new();
    let mut command = Saas::command(&folder.0);
    command
        .env("SCALINGO_API", scalingos.url())
        .env("DIGITALOCEAN_API", digitaloceans.url())
        .env("CLEVERCLOUD_API", clever_clouds.url())
        .env("SET_UP_SECONDS", "3");
    let saas = Saas::start_by(command);

    let client = Scalingo::new(&format!("{}/scalingo", saas.origin), "tally", PASSWORD, "development-only-salt");
    scalingo.add_app("app-1", "ad-1", "basic");
    client.provision("basic").set("uuid", "ad-1").set("app_id", "app-1").await.expect(202);
    until("the config vars are sent", || async { scalingo.config("app-1").contains_key("TALLY_TOKEN") }).await;

    let salt = "development-only-salt";
    let client = DigitalOcean::new(&format!("{}/digitalocean", saas.origin), "tally", PASSWORD, salt);
    digitalocean.add_grant("c0de-1", "0f6a2c3e");
    let expires_at = digitalocean.now().unix_timestamp() + 300;
    let grant = json!({ "type": "authorization_code", "code": "c0de-1", "expires_at": expires_at });
    client.provision("basic").set("uuid", "0f6a2c3e").set("oauth_grant", grant).await.expect(200);
    until("the grant is exchanged", || async { digitalocean.exchanges_and_refreshes("0f6a2c3e").0 == 1 }).await;
    let problems = [scalingo.problems(), digitalocean.problems(), clever_cloud.problems()].concat();
    assert!(problems.is_empty(), "{problems:?}");
}
