//! Two databases behind one kind of connection: the same statements, a few words of dialect.

mod connection;
mod migrations;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod value;
mod words;

use std::sync::Arc;

use crate::engine::{Accept, Accepted, AskProvision, Begun, Engine, Finish, Finished};
use crate::error::LedgerError;

pub(crate) use connection::Connection;
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::file_of;
pub(crate) use value::{Row, Value, values};
pub(crate) use words::Words;

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("maitre-ledger needs a database: turn on the feature `sqlite` or `postgres`");

pub(crate) type Milliseconds = i64;

/// Which of the two, as far as the features go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

impl Dialect {
    pub(crate) fn of(url: &str) -> Result<Self, LedgerError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            #[cfg(feature = "sqlite")]
            Some("sqlite") => Ok(Self::Sqlite),
            #[cfg(not(feature = "sqlite"))]
            Some("sqlite") => Err(LedgerError::feature("sqlite")),
            #[cfg(feature = "postgres")]
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            #[cfg(not(feature = "postgres"))]
            Some("postgres" | "postgresql") => Err(LedgerError::feature("postgres")),
            _ => Err(LedgerError::url()),
        }
    }
}

/// A question to the records, or a change of them; on a connection of either database.
///
/// It may be done more than once, as far as the outside can tell never with an effect but of the last time: what fails
/// together with others is done again alone.
pub(crate) trait Command: Send + Sync + 'static {
    type Outcome: Send + 'static;

    fn apply(
        &self,
        engine: &Engine,
        on: &mut Connection<'_>,
    ) -> impl Future<Output = Result<Self::Outcome, LedgerError>> + Send;
}

/// Where commands go: to the thread that holds an embedded database's pen, or to a pool.
pub(crate) enum Db {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlite::Sqlite),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Postgres),
}

impl Db {
    /// Fails on tables that [`Db::migrate`] has not made, or that a newer program has changed.
    pub(crate) async fn open(
        url: &str,
        connections: u32,
        clock_offset: Milliseconds,
        engine: Arc<Engine>,
    ) -> Result<Self, LedgerError> {
        let words = Words::new(Dialect::of(url)?, clock_offset);
        match words.dialect() {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => {
                let _ = connections; // it has two, always
                sqlite::Sqlite::open(file_of(url)?, &words, &engine).await.map(Self::Sqlite)
            }
            #[cfg(feature = "postgres")]
            Dialect::Postgres => postgres::Postgres::open(url, connections, words, engine).await.map(Self::Postgres),
        }
    }

    /// Makes the tables or brings them up to date.
    pub(crate) async fn migrate(url: &str) -> Result<(), LedgerError> {
        let words = Words::new(Dialect::of(url)?, 0);
        match words.dialect() {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => sqlite::Sqlite::migrate(file_of(url)?, &words).await,
            #[cfg(feature = "postgres")]
            Dialect::Postgres => postgres::Postgres::migrate(url, &words).await,
        }
    }

    /// Changes the records in one transaction; on SQLite together with what others ask at the same time.
    pub(crate) async fn write<C: Command>(&self, command: C) -> Result<C::Outcome, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.write(command).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => Box::pin(postgres.write(&command)).await,
        }
    }

    /// Begins a provision, on both databases together with others.
    pub(crate) async fn begin(&self, ask: AskProvision) -> Result<Begun, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.write(ask).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => Box::pin(postgres.begin(ask)).await,
        }
    }

    /// Ends an operation, on both databases together with others.
    pub(crate) async fn finish(&self, finish: Finish) -> Result<Finished, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.write(finish).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => Box::pin(postgres.finish(finish)).await,
        }
    }

    /// Lets the caller of an operation go, on both databases together with others.
    pub(crate) async fn accept(&self, accept: Accept) -> Result<Accepted, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.write(accept).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => Box::pin(postgres.accept(accept)).await,
        }
    }

    /// Looks something up, without a transaction.
    pub(crate) async fn read<C: Command>(&self, command: C) -> Result<C::Outcome, LedgerError> {
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
