//! Tables of the ledger and their migration history, separate from every other migrator's.

use super::connection::Connection;
use super::dialect::DatabaseKind;
use super::value::values;
use crate::error::LedgerError;

/// Step from one version of the tables to the next.
struct Migration {
    version: i64,
    #[cfg(feature = "sqlite")]
    sqlite: &'static str,
    #[cfg(feature = "postgres")]
    postgres: &'static str,
}

/// Includes a migration for each database.
macro_rules! migration {
    ($version:literal, $file:literal) => {
        Migration {
            version: $version,
            #[cfg(feature = "sqlite")]
            sqlite: include_str!(concat!("../../migrations/sqlite/", $file)),
            #[cfg(feature = "postgres")]
            postgres: include_str!(concat!("../../migrations/postgres/", $file)),
        }
    };
}

/// All migrations, oldest first. A migration whose tables exist somewhere never changes: the first one is compared with the
/// schema of its commit (`tests/it/ledger/schema_pair`), later ones may be extended until they are released. A function is
/// replaced under a new name, as processes of an older version call it.
const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_ledger.sql"),
    migration!(2, "0002_adoption_bindings_and_actions.sql"),
    migration!(3, "0003_accounts_and_rotations.sql"),
];

/// Schema version of this program.
const CURRENT: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// Creates the migration history if it does not exist.
pub(super) async fn prepare(db: &mut Connection<'_>) -> Result<(), LedgerError> {
    db.script("CREATE TABLE IF NOT EXISTS maitre_migrations (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)")
        .await
}

/// Migrates the tables to the version of this program, in one transaction, after [`prepare`].
pub(super) async fn run(db: &mut Connection<'_>) -> Result<(), LedgerError> {
    match db.kind() {
        #[cfg(feature = "sqlite")]
        DatabaseKind::Sqlite => {} // SQLite has a single writer
        // a session lock would not work through a transaction pooler
        #[cfg(feature = "postgres")]
        DatabaseKind::Postgres => db.script("LOCK TABLE maitre_migrations IN EXCLUSIVE MODE").await?,
    }
    let found = newest(db).await?;
    if found > CURRENT {
        return Err(LedgerError::too_new(found, CURRENT));
    }
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > found) {
        db.script(match db.kind() {
            #[cfg(feature = "sqlite")]
            DatabaseKind::Sqlite => migration.sqlite,
            #[cfg(feature = "postgres")]
            DatabaseKind::Postgres => migration.postgres,
        })
        .await?;
        let record = "INSERT INTO maitre_migrations (version, applied_at) VALUES ($1, {now})";
        db.execute(record, values![migration.version]).await?;
    }
    Ok(())
}

/// Returns an error if the tables have another version.
pub(super) async fn check(db: &mut Connection<'_>) -> Result<(), LedgerError> {
    check_not_too_old(db).await?;
    match newest(db).await? {
        found if found > CURRENT => Err(LedgerError::too_new(found, CURRENT)),
        _ => Ok(()),
    }
}

/// Returns an error if the tables are older than this program or do not exist.
pub(crate) async fn check_not_too_old(db: &mut Connection<'_>) -> Result<(), LedgerError> {
    let exists = match db.kind() {
        #[cfg(feature = "sqlite")]
        DatabaseKind::Sqlite => "SELECT count(*) AS found FROM sqlite_master WHERE type = 'table' AND name = $1",
        #[cfg(feature = "postgres")]
        DatabaseKind::Postgres => "SELECT count(*) AS found FROM pg_class WHERE oid = to_regclass($1)",
    };
    let exists = db.row(exists, values!["maitre_migrations"]).await?.number("found")? == 1;
    match if exists { newest(db).await? } else { 0 } {
        found if found < CURRENT => Err(LedgerError::too_old(found, CURRENT)),
        _ => Ok(()),
    }
}

async fn newest(db: &mut Connection<'_>) -> Result<i64, LedgerError> {
    db.row("SELECT COALESCE(max(version), 0) AS newest FROM maitre_migrations", &[]).await?.number("newest")
}
