//! The ledger's schema: created once, and rejected by a program of another version.

use maitre_core::Backend;
use maitre_ledger::Ledger;
use sqlx::Executor;
use sqlx::migrate::Migrator;

use super::support::{Answer, Database, Vendor, basic, key, replies, soon};

on_both_databases! {
    async fn a_missing_schema_is_reported_as_too_old(database: Database) {
        let error = database.options().open().await.expect_err("no tables");
        assert!(error.is_schema_too_old() && !error.is_schema_too_new(), "{error}");
        assert!(error.to_string().contains("Ledger::migrate"), "{error}");
        database.migrated().await;
        database.options().open().await.expect("a ledger");
    }

    async fn the_schema_of_a_newer_program_is_reported_as_too_new(database: Database) {
        database.migrated().await;
        let newer = "INSERT INTO maitre_migrations SELECT version + 1000, applied_at FROM maitre_migrations";
        database.pool().await.execute(newer).await.expect("a row");
        let error = database.options().open().await.expect_err("newer tables");
        assert!(error.is_schema_too_new() && !error.is_schema_too_old(), "{error}");
        assert!(error.to_string().contains("roll the newer program out"), "{error}");
        Ledger::migrate(&database.url).await.expect_err("a migration to an older version");
    }

    async fn concurrent_migrations_create_the_tables_once(database: Database) {
        let migrations: Vec<_> = (0..8)
            .map(|_| {
                let url = database.url.clone();
                tokio::spawn(async move { Ledger::migrate(&url).await })
            })
            .collect();
        for migration in migrations {
            soon("a migration", migration).await.unwrap().expect("tables");
        }
        let ledger = database.open().await;
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        let first = Answer::from(ledger.wrap(vendor.clone()).provision(basic(&key)).await);
        database.migrated().await;
        let again = ledger.wrap(vendor.clone());
        let again = replies([async move { again.provision(basic(&key)).await }]).await;
        assert_eq!(again, [first], "a repeated migration changes nothing");
    }

    async fn migrations_of_the_vendor_are_independent(database: Database) {
        let folder = std::env::temp_dir().join(format!("maitre-migrations-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).expect("a folder");
        let pool = database.pool().await;
        std::fs::write(folder.join("0001_lamps.sql"), "CREATE TABLE lamps (id BIGINT PRIMARY KEY);").expect("a file");
        Migrator::new(folder.clone()).await.expect("a migration").run(&pool).await.expect("the vendor's tables");
        database.migrated().await;
        // the same version number as one of the ledger's migrations, before and after
        std::fs::write(folder.join("0002_shades.sql"), "CREATE TABLE shades (id BIGINT PRIMARY KEY);").expect("a file");
        Migrator::new(folder.clone()).await.expect("migrations").run(&pool).await.expect("the vendor's tables");
        database.migrated().await;
        database.open().await;
        pool.execute("SELECT l.id FROM lamps l JOIN shades s ON s.id = l.id").await.expect("both tables");
        std::fs::remove_dir_all(folder).expect("the folder");
    }
}
