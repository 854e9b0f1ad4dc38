//! The ledger on both databases: replies, retries, crash safety.

/// Runs each test on SQLite and on Postgres.
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($database:ident: Database) $body:block)+) => {$(
        $(#[$meta])*
        async fn $name($database: Database) $body

        mod $name {
            use crate::ledger::support::Database;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(Database::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(database) = Database::postgres().await {
                    super::$name(database).await;
                }
            }
        }
    )+};
}

mod accounts;
mod adoption;
mod async_operations;
mod bindings;
mod connections;
mod jobs;
mod keys;
mod operators;
mod ordering;
mod overtaking;
mod plans;
mod polling;
mod poolers;
mod processes;
mod readiness;
mod recovery;
mod replay;
mod rotations;
mod scheduled;
mod schedules;
mod schema;
mod schema_pair;
mod secrets;
mod shutdown;
mod sqlite_file;
mod sso_replay;
mod startup_errors;
mod states;
pub(crate) mod support;
mod tombstones;
mod traces;
mod unknown;
mod updates;
