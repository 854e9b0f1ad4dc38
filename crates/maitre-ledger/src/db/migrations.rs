//! The ledger's tables and their history, which is no other migrator's.

use super::{Connection, Dialect, values};
use crate::error::LedgerError;

/// A step from one version of the tables to the next.
struct Migration {
    version: i64,
    #[cfg(feature = "sqlite")]
    sqlite: &'static str,
    #[cfg(feature = "postgres")]
    postgres: &'static str,
}

/// Oldest first. What was released is never changed.
const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    #[cfg(feature = "sqlite")]
    sqlite: include_str!("../../migrations/sqlite/0001_ledger.sql"),
    #[cfg(feature = "postgres")]
    postgres: include_str!("../../migrations/postgres/0001_ledger.sql"),
}];

/// The version that this program knows.
const KNOWN: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// Makes the history where there is none.
pub(super) async fn prepare(on: &mut Connection<'_>) -> Result<(), LedgerError> {
    on.script("CREATE TABLE IF NOT EXISTS maitre_migrations (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)")
        .await
}

/// Brings the tables up to the version that this program knows; in one transaction, after [`prepare`].
pub(super) async fn run(on: &mut Connection<'_>) -> Result<(), LedgerError> {
    match on.dialect() {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => {} // one writes at a time
        // one migrates at a time; a lock of the session would not pass a transaction pooler
        #[cfg(feature = "postgres")]
        Dialect::Postgres => on.script("LOCK TABLE maitre_migrations IN EXCLUSIVE MODE").await?,
    }
    let found = newest(on).await?;
    if found > KNOWN {
        return Err(LedgerError::too_new(found, KNOWN));
    }
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > found) {
        on.script(match on.dialect() {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => migration.sqlite,
            #[cfg(feature = "postgres")]
            Dialect::Postgres => migration.postgres,
        })
        .await?;
        let record = "INSERT INTO maitre_migrations (version, applied_at) VALUES ($1, {now})";
        on.run(record, values![migration.version]).await?;
    }
    Ok(())
}

/// Refuses tables of another version.
pub(super) async fn check(on: &mut Connection<'_>) -> Result<(), LedgerError> {
    let exists = match on.dialect() {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => "SELECT count(*) AS found FROM sqlite_master WHERE type = 'table' AND name = $1",
        #[cfg(feature = "postgres")]
        Dialect::Postgres => "SELECT count(*) AS found FROM pg_class WHERE oid = to_regclass($1)",
    };
    let exists = on.row(exists, values!["maitre_migrations"]).await?.number("found")? == 1;
    match if exists { newest(on).await? } else { 0 } {
        found if found < KNOWN => Err(LedgerError::too_old(found, KNOWN)),
        found if found > KNOWN => Err(LedgerError::too_new(found, KNOWN)),
        _ => Ok(()),
    }
}

async fn newest(on: &mut Connection<'_>) -> Result<i64, LedgerError> {
    on.row("SELECT COALESCE(max(version), 0) AS newest FROM maitre_migrations", &[]).await?.number("newest")
}
