//! Accounts: opened, updated, and closed with the deprovisions of their resources.

use std::time::Duration;

use maitre_core::FailureKind::{Conflict, Gone, Unavailable, Unknown};
use maitre_core::{
    Account, AccountState, Backend, CloseAccount, FailureKind, Fetch, FetchAccount, OpenAccount, Provision, ResourceId,
    Result, Secret,
};
use maitre_ledger::{DurableListener, Keys, Ledger, State};

use super::support::{Act, Answer, Database, KEY, OTHER_KEY, Vendor, addon, basic, deprovision, key, soon, until};

struct Fixture {
    ledger: Ledger,
    listener: DurableListener<Vendor>,
    vendor: Vendor,
}

impl Fixture {
    async fn new(database: &Database) -> Self {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        Self { listener: ledger.wrap(vendor.clone()), ledger, vendor }
    }

    async fn open(&self, account: &str, token: &str) -> Result<Account> {
        let mut request = OpenAccount::new(addon(), account);
        request.credentials = Some(token.into());
        request.details.insert("name", format!("the team of {token}"));
        self.listener.open_account(request).await
    }

    async fn close(&self, account: &str) -> Result<Account, FailureKind> {
        let closing = self.listener.close_account(CloseAccount::new(addon(), account));
        soon("the account is closed", closing).await.map_err(|failure| failure.kind())
    }

    async fn account(&self, account: &str) -> Account {
        self.listener.fetch_account(FetchAccount::new(addon(), account)).await.expect("an account")
    }

    async fn provision(&self, account: &str, key: &str) -> Answer {
        self.listener.provision(in_account(account, key)).await.into()
    }

    async fn resources(&self, account: &str) -> Vec<String> {
        let request = FetchAccount::new(addon(), account);
        let resources = self.listener.account_resources(request).await.expect("an account");
        resources.iter().map(|summary| summary.resource.to_string()).collect()
    }

    async fn kinds(&self, resource: &str) -> Vec<String> {
        self.vendor.calls(resource).await.into_iter().map(|call| call.kind).collect()
    }
}

fn in_account(account: &str, key: &str) -> Provision {
    let mut request = basic(key);
    request.account = Some(account.into());
    request
}

fn token(account: &Account) -> Option<&str> {
    account.credentials.as_ref().map(Secret::expose)
}

on_both_databases! {
    async fn a_repeated_opening_replaces_credentials_and_keeps_resources(database: Database) {
        let fixture = Fixture::new(&database).await;
        assert_eq!(token(&fixture.open("icfg_1", "first").await.unwrap()), Some("first"));
        let key = key();
        assert!(fixture.provision("icfg_1", &key).await.is_done());
        fixture.open("icfg_1", "second").await.unwrap();
        let account = fixture.account("icfg_1").await;
        assert_eq!((account.state, token(&account)), (AccountState::Active, Some("second")));
        assert_eq!(account.details.text("name"), Some("the team of second"));
        assert_eq!(account.plans.iter().map(String::as_str).collect::<Vec<_>>(), ["basic"]);
        assert_eq!(fixture.resources("icfg_1").await, [key.as_str()]);
        assert_eq!(fixture.kinds("icfg_1").await, ["open_account", "open_account"]);
        let details = fixture.listener.fetch(Fetch::new(addon(), key.as_str())).await.expect("a resource");
        assert_eq!(details.account, Some("icfg_1".into()));
        let (store, resource) = (fixture.ledger.store(), ResourceId::from(format!("w-{key}").as_str()));
        let owner = store.account_of(&addon(), &resource).await.unwrap().expect("an account");
        assert_eq!((owner.id.as_str(), token(&owner)), ("icfg_1", Some("second")));
        assert_eq!(store.account(&addon(), &"icfg_1".into()).await.unwrap().expect("an account").id, "icfg_1");
    }

    async fn nothing_is_provisioned_in_an_unknown_or_closed_account(database: Database) {
        let fixture = Fixture::new(&database).await;
        let (early, first, late) = (key(), key(), key());
        assert_eq!(fixture.provision("icfg_2", &early).await, Answer::Failed(Conflict));
        fixture.open("icfg_2", "token").await.unwrap();
        let provisioned = fixture.provision("icfg_2", &first).await;
        assert!(provisioned.is_done());
        assert_eq!(fixture.close("icfg_2").await.unwrap().state, AccountState::Gone);
        assert_eq!(fixture.provision("icfg_2", &late).await, Answer::Failed(Conflict));
        assert_eq!(fixture.provision("icfg_2", &first).await, Answer::Failed(Gone), "its resource is a tombstone");
        assert!(fixture.kinds(&early).await.is_empty() && fixture.kinds(&late).await.is_empty());
        assert!(fixture.vendor.widgets().await.is_empty());
    }

    async fn closing_deprovisions_each_resource_once(database: Database) {
        let fixture = Fixture::new(&database).await;
        fixture.open("icfg_3", "token").await.unwrap();
        fixture.open("icfg_4", "token").await.unwrap();
        let keys: Vec<_> = (0..20).map(|_| key()).collect();
        for key in &keys {
            assert!(fixture.provision("icfg_3", key).await.is_done());
        }
        let (refused, neighbor) = (key(), key());
        fixture.vendor.script(&refused, [Act::Refuse("Sold out.")]);
        assert!(!fixture.provision("icfg_3", &refused).await.is_done());
        assert!(fixture.provision("icfg_4", &neighbor).await.is_done());
        fixture.listener.deprovision(deprovision(&keys[0])).await.unwrap();
        let (first, second) = tokio::join!(fixture.close("icfg_3"), fixture.close("icfg_3"));
        assert_eq!((first.unwrap().state, second.unwrap().state), (AccountState::Gone, AccountState::Gone));
        for key in &keys {
            assert_eq!(fixture.kinds(key).await, ["provision", "deprovision"]);
        }
        let account = fixture.account("icfg_3").await;
        assert!(account.credentials.is_none() && account.details.is_empty(), "a tombstone has no secrets");
        assert_eq!(fixture.vendor.widgets().await, [neighbor.as_str()], "another account keeps its resources");
        let closed = fixture.kinds("icfg_3").await.len();
        assert_eq!(fixture.close("icfg_3").await.unwrap().state, AccountState::Gone);
        assert_eq!(fixture.kinds("icfg_3").await.len(), closed, "a repetition calls nothing");
        assert_eq!(fixture.close("icfg_unknown").await.unwrap_err(), Unknown);
        assert_eq!(fixture.open("icfg_3", "token").await.unwrap_err().kind(), Gone);
    }

    async fn a_closed_account_can_be_opened_again_by_a_request_that_says_so(database: Database) {
        let fixture = Fixture::new(&database).await;
        fixture.open("quicknode-1", "token").await.unwrap();
        fixture.close("quicknode-1").await.unwrap();
        let mut request = OpenAccount::new(addon(), "quicknode-1");
        request.reopen = true;
        assert_eq!(fixture.listener.open_account(request).await.unwrap().state, AccountState::Active);
        assert!(fixture.provision("quicknode-1", &key()).await.is_done());
    }

    async fn a_finalizing_account_keeps_its_credentials_until_it_is_gone(database: Database) {
        let fixture = Fixture::new(&database).await;
        fixture.open("icfg_5", "token").await.unwrap();
        let key = key();
        assert!(fixture.provision("icfg_5", &key).await.is_done());
        let mut close = CloseAccount::new(addon(), "icfg_5");
        close.finalizing = true;
        for _ in 0..2 {
            let account = fixture.listener.close_account(close.clone()).await.unwrap();
            assert_eq!((account.state, token(&account)), (AccountState::Finalizing, Some("token")));
        }
        assert_eq!(fixture.kinds(&key).await, ["provision", "deprovision"]);
        assert_eq!(fixture.kinds("icfg_5").await, ["open_account", "close_account"]);
        let account = fixture.close("icfg_5").await.unwrap();
        assert_eq!((account.state, token(&account)), (AccountState::Gone, None));
        assert!(account.plans.contains("basic"), "the plans of tombstones count");
    }

    async fn an_account_without_cascade_is_gone_with_its_last_resource(database: Database) {
        let fixture = Fixture::new(&database).await;
        fixture.open("icfg_6", "token").await.unwrap();
        let key = key();
        assert!(fixture.provision("icfg_6", &key).await.is_done());
        let mut close = CloseAccount::new(addon(), "icfg_6");
        close.cascade = false;
        assert_eq!(fixture.listener.close_account(close.clone()).await.unwrap().state, AccountState::Finalizing);
        fixture.listener.deprovision(deprovision(&key)).await.unwrap();
        assert_eq!(fixture.listener.close_account(close).await.unwrap().state, AccountState::Gone);
    }

    async fn a_failed_deprovision_is_continued_by_the_next_closing(database: Database) {
        database.migrated().await;
        let ledger = database.options().backoff(Duration::ZERO, Duration::ZERO).open().await.expect("a ledger");
        let vendor = Vendor::new(database.pool().await).await;
        let fixture = Fixture { listener: ledger.wrap(vendor.clone()), ledger, vendor };
        fixture.open("icfg_7", "token").await.unwrap();
        let keys = [key(), key()];
        for key in &keys {
            assert!(fixture.provision("icfg_7", key).await.is_done());
        }
        fixture.vendor.script(&keys[0], [Act::Fail("the cluster is unreachable")]);
        assert_eq!(fixture.close("icfg_7").await.unwrap_err(), Unavailable);
        let account = fixture.account("icfg_7").await;
        assert_eq!((account.state, token(&account)), (AccountState::Finalizing, Some("token")));
        assert_eq!(fixture.provision("icfg_7", &key()).await, Answer::Failed(Conflict));
        assert_eq!(fixture.close("icfg_7").await.unwrap().state, AccountState::Gone);
        assert_eq!(fixture.kinds(&keys[0]).await, ["provision", "deprovision", "deprovision"]);
        assert_eq!(fixture.kinds(&keys[1]).await, ["provision", "deprovision"]);
    }

    async fn closing_overtakes_a_running_provision(database: Database) {
        let fixture = Fixture::new(&database).await;
        fixture.open("icfg_8", "token").await.unwrap();
        let key = key();
        let gate = fixture.vendor.stop_at(&key);
        let (listener, request) = (fixture.listener.clone(), in_account("icfg_8", &key));
        let provision = tokio::spawn(async move { Answer::from(listener.provision(request).await) });
        gate.entered().await;
        assert_eq!(fixture.close("icfg_8").await.unwrap().state, AccountState::Gone);
        gate.open();
        assert!(!soon("the provision ends", provision).await.unwrap().is_done());
        until("the resource is a tombstone", || async {
            let resource = fixture.ledger.resource(&key).await.unwrap().expect("a resource");
            resource.state == State::Deprovisioned
        })
        .await;
        assert!(fixture.vendor.widgets().await.is_empty());
    }

    async fn credentials_of_accounts_are_sealed_and_resealed(database: Database) {
        let fixture = Fixture::new(&database).await;
        fixture.open("icfg_9", "very-secret-token").await.unwrap();
        let keys = Keys::parse(&format!("{OTHER_KEY},{KEY}")).expect("keys");
        let rotated = database.options().keys(keys).open().await.expect("a ledger");
        assert_eq!(rotated.reseal().await.expect("resealed values"), 2);
        let only_new = database.options().keys(Keys::parse(OTHER_KEY).expect("a key")).open().await.expect("a ledger");
        let account = only_new.store().account(&addon(), &"icfg_9".into()).await.unwrap().expect("an account");
        assert_eq!(token(&account), Some("very-secret-token"));
        assert!(!format!("{account:?}").contains("very-secret"));
    }
}
