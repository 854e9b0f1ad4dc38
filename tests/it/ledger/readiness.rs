//! Resources that are pending when they are provisioned, and resources that move to another account.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use maitre_core::{
    AccountId, Backend, Failure, FailureKind, Fetch, OpenAccount, Provision, Provisioned, ResourceId, ResourceStatus,
};
use maitre_ledger::{DurableListener, Ledger};

use super::support::{Database, RunningWorker, addon, basic, deprovision, key, until};
use crate::support::Vendor;

/// Time after which the listener is asked again.
const SOON: Duration = Duration::from_millis(5);

/// Returns a provision by a marketplace that shows pending resources.
fn shown(key: &str) -> Provision {
    let mut request = basic(key);
    (request.context.shows_pending, request.context.reads_back) = (true, true);
    request
}

async fn status(listener: &DurableListener<Vendor>, key: &str) -> Result<ResourceStatus, FailureKind> {
    let details = listener.fetch(Fetch::new(addon(), key)).await;
    details.map(|details| details.status).map_err(|failure| failure.kind())
}

async fn open(ledger: &Ledger, vendor: &Vendor, accounts: &[&str]) -> DurableListener<Vendor> {
    let listener = ledger.wrap(vendor.clone());
    for account in accounts {
        listener.open_account(OpenAccount::new(addon(), *account)).await.expect("an account");
    }
    listener
}

on_both_databases! {
    async fn a_pending_resource_is_checked_until_it_is_ready(database: Database) {
        let (ledger, vendor) = (database.ledger().await, Vendor::default());
        let (listener, key, calls) = (ledger.wrap(vendor.clone()), key(), Arc::new(AtomicUsize::new(0)));
        let count = calls.clone();
        vendor.on_provision(move |request| {
            let call = count.fetch_add(1, Ordering::SeqCst);
            async move {
                let reply = Provisioned::new(request.resource).with_config("CALL", call.to_string());
                Ok(if call < 3 { reply.with_pending(SOON) } else { reply })
            }
        });
        let reply = listener.provision(shown(&key)).await.unwrap().done().unwrap();
        assert_eq!((reply.pending(), status(&listener, &key).await), (Some(SOON), Ok(ResourceStatus::Pending)));
        let worker = RunningWorker::start(&ledger, &vendor);
        until("it is ready", || async { status(&listener, &key).await == Ok(ResourceStatus::Provisioned) }).await;
        until("no job is left", || async { ledger.stats().await.unwrap().open_jobs == 0 }).await;
        let replayed = listener.provision(shown(&key)).await.unwrap().done().unwrap();
        let config: Vec<_> = replayed.config().iter().map(|(_, value)| value.expose().to_owned()).collect();
        assert_eq!((replayed.pending(), config), (None, vec!["3".to_owned()]));
        assert_eq!(calls.load(Ordering::SeqCst), 4);
        drop(worker);
    }

    async fn a_pending_resource_that_is_refused_later_has_failed(database: Database) {
        let (ledger, vendor) = (database.ledger().await, Vendor::default());
        let (listener, key) = (ledger.wrap(vendor.clone()), key());
        vendor.on_provision(async |request| match request.context.fence {
            0 | 1 => Ok(Provisioned::new(request.resource).with_pending(SOON)),
            _ => Err(Failure::refused("The region is full.")),
        });
        listener.provision(shown(&key)).await.unwrap();
        let worker = RunningWorker::start(&ledger, &vendor);
        until("it has failed", || async { status(&listener, &key).await == Ok(ResourceStatus::Failed) }).await;
        let failure = listener.provision(shown(&key)).await.unwrap_err();
        assert_eq!((failure.kind(), failure.message()), (FailureKind::Refused, Some("The region is full.")));
        listener.deprovision(deprovision(&key)).await.unwrap();
        assert_eq!(status(&listener, &key).await, Err(FailureKind::Gone));
        drop(worker);
    }

    async fn resources_move_between_accounts_all_or_none(database: Database) {
        let (ledger, vendor) = (database.ledger().await, Vendor::default());
        let listener = open(&ledger, &vendor, &["a-1", "a-2"]).await;
        let (first, second) = (key(), key());
        for key in [&first, &second] {
            let mut request = basic(key);
            request.account = Some("a-1".into());
            listener.provision(request).await.unwrap();
        }
        let store = ledger.store();
        let (one, two) = (AccountId::from("a-1"), AccountId::from("a-2"));
        let id = |key: &str| ResourceId::from(key);
        let owner = async |key: &str| store.account_of(&addon(), &id(key)).await.unwrap().map(|account| account.id);
        let unknown = [id(&first), id("unknown")];
        assert!(!store.move_resources(&addon(), &unknown, &one, &two).await.unwrap(), "all or none");
        let closed = AccountId::from("a-3");
        assert!(!store.move_resources(&addon(), &[id(&first)], &one, &closed).await.unwrap(), "it is not open");
        assert_eq!(owner(&first).await.as_ref(), Some(&one));
        let both = [id(&first), id(&second)];
        for _ in 0..2 {
            assert!(store.move_resources(&addon(), &both, &one, &two).await.unwrap());
        }
        assert_eq!((owner(&first).await.as_ref(), owner(&second).await.as_ref()), (Some(&two), Some(&two)));
        // opposite moves of the same resources wait for each other, and end
        let there = tokio::spawn({
            let (store, both, one, two) = (store.clone(), both.clone(), one.clone(), two.clone());
            async move { store.move_resources(&addon(), &both, &two, &one).await }
        });
        let back = store.move_resources(&addon(), &both, &one, &two).await.unwrap();
        assert!(there.await.unwrap().unwrap() && back);
        let owners = (owner(&first).await, owner(&second).await);
        assert_eq!(owners.0, owners.1, "both have moved, or none");
    }
}
