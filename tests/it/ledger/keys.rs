//! Encryption keys: rotation, resealing, and missing keys.

use std::process::Command;

use maitre_core::{Backend, FailureKind};
use maitre_ledger::{Keys, Ledger};

use super::support::{Act, Answer, Database, KEY, OTHER_KEY, Vendor, basic, deprovision, key, plan_change};

const ADDRESS: &str = "MAITRE_TEST_ADDRESS_WITHOUT_KEY";

async fn open_with_keys(database: &Database, keys: &[&str]) -> Ledger {
    database.options().keys(Keys::parse(&keys.join(",")).expect("keys")).open().await.expect("a ledger")
}

on_both_databases! {
    async fn keys_are_rotated_while_all_processes_run(database: Database) {
        database.migrated().await;
        let vendor = Vendor::new(database.pool().await).await;
        let answer =
            async |ledger: &Ledger, key: &str| Answer::from(ledger.wrap(vendor.clone()).provision(basic(key)).await);

        let old = open_with_keys(&database, &[KEY]).await;
        let (made, open, refused, removed) = (key(), key(), key(), key());
        let first = answer(&old, &made).await;
        assert!(first.is_done());
        old.wrap(vendor.clone()).plan_change(plan_change(&made, "premium")).await.expect("a plan change");
        let first = answer(&old, &made).await;
        vendor.script(&open, [Act::Fail("no connection")]);
        assert_eq!(answer(&old, &open).await, Answer::Failed(FailureKind::Unavailable));
        vendor.script(&refused, [Act::Refuse("Sold out.")]);
        assert_eq!(answer(&old, &refused).await, Answer::Failed(FailureKind::Refused));
        answer(&old, &removed).await;
        old.wrap(vendor.clone()).deprovision(deprovision(&removed)).await.expect("a deprovision");

        // roll out the new key for reading first, then for writing; both kinds of process run concurrently
        let reader = open_with_keys(&database, &[KEY, OTHER_KEY]).await;
        let newer = open_with_keys(&database, &[OTHER_KEY, KEY]).await;
        let later = key();
        let second = answer(&newer, &later).await;
        assert!(second.is_done());
        for ledger in [&reader, &newer] {
            assert_eq!(answer(ledger, &made).await, first);
            assert_eq!(answer(ledger, &later).await, second);
        }
        assert_eq!(
            answer(&old, &later).await,
            Answer::Failed(FailureKind::Unavailable),
            "the old key cannot read new records"
        );

        let new_key_only = open_with_keys(&database, &[OTHER_KEY]).await;
        assert_eq!(
            answer(&new_key_only, &made).await,
            Answer::Failed(FailureKind::Unavailable),
            "before the resealing"
        );
        let parked = reader.resource(&open).await.unwrap().expect("a resource").timeline[0].id;
        assert!(old.operator("ada").with_reason("it waits").retry(parked).await.unwrap());
        assert!(newer.reseal().await.expect("resealed records") > 0);
        assert_eq!(newer.reseal().await.expect("no records to reseal"), 0);

        // the old key is no longer needed
        assert_eq!(answer(&new_key_only, &made).await, first);
        assert_eq!(answer(&new_key_only, &later).await, second);
        assert_eq!(answer(&new_key_only, &refused).await, Answer::Failed(FailureKind::Refused));
        assert_eq!(answer(&new_key_only, &removed).await, Answer::Failed(FailureKind::Gone));
        let resource = new_key_only.resource(&open).await.unwrap().expect("a resource");
        assert_eq!(resource.timeline[0].last_error.as_deref(), Some("no connection"));
        assert_eq!(resource.actions[0].reason.as_deref(), Some("it waits"));
        assert!(answer(&new_key_only, &open).await.is_done());
        for id in [&made, &later, &refused, &removed] {
            new_key_only.resource(id).await.unwrap().expect("a resource");
        }
    }

    async fn an_undecryptable_record_is_an_error_and_not_a_new_call(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        ledger.wrap(vendor.clone()).provision(basic(&key)).await.expect("a widget");
        let other = open_with_keys(&database, &[OTHER_KEY]).await;
        let answer = Answer::from(other.wrap(vendor.clone()).provision(basic(&key)).await);
        assert_eq!(answer, Answer::Failed(FailureKind::Unavailable));
        assert!(other.reseal().await.is_err());
        assert_eq!(vendor.calls(&key).await.len(), 1);
    }
}

#[test]
fn a_shared_database_without_a_key_is_rejected_with_instructions() {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "ledger::keys::child_process_without_a_key", "--nocapture"])
        .env(ADDRESS, "postgres://127.0.0.1:1/unreachable")
        .env_remove("MAITRE_KEY")
        .output()
        .expect("a process");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("MAITRE_KEY") && stderr.contains("openssl rand -hex 32"), "{stderr}");
}

/// Not a test on its own: runs in the process that the test above starts.
#[test]
fn child_process_without_a_key() {
    let Ok(address) = std::env::var(ADDRESS) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let error = runtime.block_on(Ledger::open(&address)).expect_err("a missing key");
    eprintln!("{error}");
}
