use std::sync::Arc;
use std::time::Duration;

use maitre::platforms::digitalocean::{Client, Error, JsonClient, Platform};
use maitre::{Addon, DigitalOcean, Ledger, Reload, ResourceId};
use maitre_testkit::apis::{ApiServer, DigitalOceanApi};
use maitre_testkit::platform::Fault;
use serde_json::json;

use super::{App, config};
use crate::ledger::support::{Database, until};

const PASSWORD: &str = "s3cr3t-example";
const TOKENS: &str = "/add-ons/oauth/token";

struct Market {
    api: DigitalOceanApi,
    app: App<DigitalOcean>,
    platform: Platform,
    client: maitre_testkit::DigitalOcean,
    server: ApiServer,
}

/// Returns a client by the clock of the API.
fn api_client(api: &DigitalOceanApi, url: &str, secret: &str) -> Client {
    let clock = api.clone();
    let http =
        JsonClient::builder("digitalocean", url).no_proxy().backoff(Duration::from_millis(1), Duration::from_millis(5));
    Client::new(secret, http.clock(move || clock.now()).build().expect("a client")).expect("a secret")
}

impl Market {
    async fn new(database: &Database) -> Self {
        Self::with_secret(database, "client secret").await
    }

    async fn with_secret(database: &Database, secret: &str) -> Self {
        let api = DigitalOceanApi::new("client secret");
        let server = api.serve().await.expect("a port");
        let client = api_client(&api, server.url(), secret);
        let mut platform = None;
        let addon = |ledger: &Ledger, vendor| {
            let made = platform.insert(Platform::new("tamarind", client, ledger.store())).clone();
            let digitalocean = DigitalOcean::new("tamarind", PASSWORD, "kelp-salt").expect("credentials");
            Addon::new(digitalocean, ledger.wrap(vendor).with_platform(made))
        };
        let app = App::start(database, addon, maitre::digitalocean).await;
        let client = maitre_testkit::DigitalOcean::new(&app.root(), "tamarind", PASSWORD, "kelp-salt");
        Self { api, app, platform: platform.expect("a platform"), client, server }
    }

    /// Sells a resource with a grant.
    async fn provision(&self) -> ResourceId {
        let uuid = self.client.new_uuid();
        let code = format!("code-of-{uuid}");
        self.api.add_grant(&code, &uuid);
        let expires_at = self.api.now().unix_timestamp() + 300;
        let grant = json!({ "type": "authorization_code", "code": code, "expires_at": expires_at });
        self.client.provision("basic").set("uuid", uuid.as_str()).set("oauth_grant", grant).await.expect(200);
        ResourceId::from(uuid)
    }

    async fn sell(&self) -> ResourceId {
        let resource = self.provision().await;
        self.app.wait_until_idle().await;
        resource
    }

    fn counts(&self, resource: &ResourceId) -> (usize, usize) {
        self.api.exchanges_and_refreshes(resource.as_str())
    }
}

on_both_databases! {
    async fn the_grant_of_a_provision_is_exchanged_once_and_its_token_used(database: Database) {
        let market = Market::new(&database).await;
        market.api.inject_fault(Fault::status(503).times(2).on("POST", TOKENS));
        let resource = market.sell().await;
        market.platform.set_config(&resource, &config("w://1")).await.unwrap();
        assert_eq!(market.api.config(resource.as_str())["WIDGET_URL"], "w://1");
        assert_eq!(market.counts(&resource), (1, 0));
        assert!(market.api.problems().is_empty(), "{:?}", market.api.problems());

        // the token is sealed, and goes with its resource
        let token = market.platform.token(&resource).await.unwrap();
        if let Some(folder) = &database.folder {
            let secret = token.access_token().expose().as_bytes();
            for file in std::fs::read_dir(folder).unwrap() {
                let bytes = std::fs::read(file.unwrap().path()).unwrap();
                assert!(!bytes.windows(secret.len()).any(|window| window == secret));
            }
        }
        market.client.deprovision(resource.as_str()).await.expect(204);
        let error = market.platform.token(&resource).await.unwrap_err();
        assert!(matches!(error, Error::NoToken(_)), "{error}");
    }

    async fn a_failed_exchange_does_not_fail_the_provision(database: Database) {
        let market = Market::with_secret(&database, "another secret").await;
        let resource = market.provision().await;
        until("the job is parked", || async { market.app.ledger.parked_jobs().await.unwrap().len() == 1 }).await;
        assert!(market.app.vendor.widget(resource.as_str()).await.is_some());
        let error = market.platform.set_config(&resource, &config("w://1")).await.unwrap_err();
        assert!(matches!(error, Error::NoToken(_)), "{error}");
    }

    async fn of_all_tasks_in_all_processes_one_refreshes_an_expired_token(database: Database) {
        let market = Market::new(&database).await;
        let resource = market.sell().await;
        market.api.advance(Duration::from_hours(8));
        let mut platforms = vec![market.platform.clone()];
        let mut ledgers = Vec::new();
        for _ in 0..2 {
            let ledger = database.options().open().await.expect("a ledger");
            let client = api_client(&market.api, market.server.url(), "client secret");
            platforms.push(Platform::new("tamarind", client, ledger.store()));
            ledgers.push(ledger);
        }
        market.api.inject_fault(Fault::delay(Duration::from_millis(50)).on("POST", TOKENS));
        let resource = Arc::new(resource);
        let calls: Vec<_> = (0..24)
            .map(|call| {
                let (platform, resource) = (platforms[call % platforms.len()].clone(), resource.clone());
                tokio::spawn(async move { platform.set_config(&resource, &config(&format!("w://{call}"))).await })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        assert_eq!(market.counts(&resource), (1, 1));
        assert!(market.api.problems().is_empty(), "{:?}", market.api.problems());
        for ledger in ledgers {
            ledger.close().await;
        }
    }

    async fn an_old_client_secret_is_used_until_its_end(database: Database) {
        let market = Market::new(&database).await;
        let resource = market.sell().await;
        let now = market.api.now();
        let settings = r#"{"app_slug":"tamarind","password":"p","salt":"s","client_secret":"newer"}"#;
        market.platform.client().reload(settings, now, Duration::from_hours(12)).unwrap();
        market.api.advance(Duration::from_hours(8));
        market.platform.set_config(&resource, &config("w://1")).await.unwrap();
        assert_eq!(market.counts(&resource), (1, 1), "with the old one, as DigitalOcean does not know the new one");
        market.api.advance(Duration::from_hours(8));
        let error = market.platform.set_config(&resource, &config("w://2")).await.unwrap_err().to_string();
        assert!(error.starts_with("POST /add-ons/oauth/token: 401"), "{error}");
    }

    async fn a_token_that_ends_early_is_refreshed_and_the_call_repeated_once(database: Database) {
        let market = Market::new(&database).await;
        let resource = market.sell().await;
        for refreshes in 1..3 {
            market.api.revoke_access_tokens(resource.as_str());
            market.platform.set_config(&resource, &config("w://1")).await.unwrap();
            assert_eq!(market.counts(&resource), (1, refreshes), "each time with the newest refresh token");
        }
        market.api.remove_resource(resource.as_str());
        let error = market.platform.set_config(&resource, &config("w://2")).await.unwrap_err();
        assert_eq!(error.to_string(), format!("PATCH /add-ons/resources/{resource}/config: 404: no such resource"));
    }
}
