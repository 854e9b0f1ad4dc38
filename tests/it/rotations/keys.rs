//! Rotation of the ledger's key.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use maitre::{Addon, Heroku, SecretFiles};
use maitre_ledger::Keys;
use maitre_testkit as testkit;
use sha2::{Digest, Sha256};

use super::load::Load;
use super::{start, write};
use crate::ledger::support::{Database, Vendor, key};
use crate::support::{Counts, Folder};

on_both_databases! {
    async fn a_key_of_the_ledger_is_rotated_without_a_refused_request(database: Database) {
        let (counts, folder) = (Counts::installed(), Folder::new());
        let [old_key, new_key] = std::array::from_fn(|_| format!("{0}{0}", uuid::Uuid::new_v4().simple()));
        let path = folder.0.join("keys");
        write(&path, &old_key);
        let keys = Keys::parse(&old_key).unwrap();
        database.migrated().await;
        let ledger = database.options().keys(keys.clone()).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let addon = Addon::new(Heroku::new("lantern", "password", "salt").unwrap(), ledger.wrap(vendor));
        let files = SecretFiles::new().with_file(&path, keys);
        let (origin, _stop) = start(Router::new().nest("/heroku", maitre::heroku(addon)), files).await;
        let heroku = testkit::Heroku::new(&format!("{origin}/heroku"), "lantern", "password", "salt");

        // every second request is a replay of one of these, which the old key sealed
        let older: Arc<Vec<_>> = Arc::new((0..20).map(|_| key()).collect());
        for key in older.iter() {
            heroku.provision("basic").uuid(key).send().await.expect(200);
        }
        let count = Arc::new(AtomicUsize::new(0));
        let send = move |_: bool| {
            let number = count.fetch_add(1, Ordering::SeqCst);
            let key = if number.is_multiple_of(2) { older[number / 2 % older.len()].clone() } else { key() };
            let call = heroku.provision("basic").uuid(&key);
            async move { call.send().await.status() }
        };
        let id = hex::encode(&Sha256::digest(hex::decode(&old_key).unwrap())[..4]);
        let old_uses = || counts.old_uses(&format!("ledger key {id}"));
        let reseal = async || assert!(ledger.reseal().await.unwrap() > 0);
        Load { name: "key of the ledger", send }.rotate(old_uses, || write(&path, &new_key), reseal).await;
    }
}
