//! `Db`: the entry point of commands, on either database.

use std::sync::Arc;

use super::command::{BatchCommand, Command};
use super::dialect::{DatabaseKind, Dialect, Milliseconds};
#[cfg(feature = "postgres")]
use super::postgres::Postgres;
#[cfg(feature = "sqlite")]
use super::sqlite::{Sqlite, file_of};
use crate::error::LedgerError;

/// Database of a ledger: the threads of a SQLite file, or a Postgres pool. `X` is the context of its commands.
pub(crate) enum Db<X> {
    #[cfg(feature = "sqlite")]
    Sqlite(Sqlite<X>),
    #[cfg(feature = "postgres")]
    Postgres(Postgres<X>),
}

impl<X: Send + Sync + 'static> Db<X> {
    /// Opens the database.
    ///
    /// # Errors
    /// Returns an error if the tables were not created by [`Db::migrate`] or were changed by a newer program.
    pub(crate) async fn open(
        url: &str,
        connections: u32,
        prepared_statements: bool,
        clock_offset: Milliseconds,
        context: Arc<X>,
    ) -> Result<Self, LedgerError> {
        let dialect = Dialect::new(DatabaseKind::of(url)?, clock_offset);
        match dialect.kind() {
            #[cfg(feature = "sqlite")]
            DatabaseKind::Sqlite => {
                let _ = (connections, prepared_statements); // always two, and prepared
                Sqlite::open(file_of(url)?, &dialect, &context).await.map(Self::Sqlite)
            }
            #[cfg(feature = "postgres")]
            DatabaseKind::Postgres => {
                Postgres::open(url, connections, prepared_statements, dialect, context).await.map(Self::Postgres)
            }
        }
    }

    /// Creates or migrates the tables.
    pub(crate) async fn migrate(url: &str) -> Result<(), LedgerError> {
        let dialect = Dialect::new(DatabaseKind::of(url)?, 0);
        match dialect.kind() {
            #[cfg(feature = "sqlite")]
            DatabaseKind::Sqlite => Sqlite::<X>::migrate(file_of(url)?, &dialect).await,
            #[cfg(feature = "postgres")]
            DatabaseKind::Postgres => Postgres::<X>::migrate(url, &dialect).await,
        }
    }

    /// Runs a command in a transaction; on SQLite concurrent commands share one.
    pub(crate) async fn write<C: Command<X>>(&self, command: C) -> Result<C::Outcome, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.write(command).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => Box::pin(postgres.write(&command)).await,
        }
    }

    /// Runs a command in a transaction that concurrent commands of the same type share, on both databases.
    pub(crate) async fn write_batched<C: BatchCommand<X>>(&self, command: C) -> Result<C::Outcome, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.write(command).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => Box::pin(postgres.write_batched(command)).await,
        }
    }

    /// Runs a query without a transaction.
    pub(crate) async fn read<C: Command<X>>(&self, command: C) -> Result<C::Outcome, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.read(command).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => Box::pin(postgres.read(&command)).await,
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.close().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => postgres.close().await,
        }
    }
}
