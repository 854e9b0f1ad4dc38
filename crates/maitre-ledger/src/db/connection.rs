//! One connection, whichever database it leads to.
#![cfg_attr(not(feature = "postgres"), expect(clippy::unused_async, reason = "an embedded database never waits"))]

use super::{Dialect, Row, Value, Words};
use crate::error::LedgerError;

/// Runs the engine's statements. On Postgres each is in a box, as the driver's futures are large and there are many of
/// them in every command. On SQLite nothing here ever waits: the thread that holds the connection runs each
/// statement to its end.
pub(crate) struct Connection<'c> {
    to: To<'c>,
    words: &'c Words,
}

enum To<'c> {
    #[cfg(feature = "sqlite")]
    Sqlite(&'c mut rusqlite::Connection),
    #[cfg(feature = "postgres")]
    Postgres(&'c mut sqlx::PgConnection),
}

impl<'c> Connection<'c> {
    #[cfg(feature = "sqlite")]
    pub(super) fn sqlite(connection: &'c mut rusqlite::Connection, words: &'c Words) -> Self {
        Self { to: To::Sqlite(connection), words }
    }

    #[cfg(feature = "postgres")]
    pub(super) fn postgres(connection: &'c mut sqlx::PgConnection, words: &'c Words) -> Self {
        Self { to: To::Postgres(connection), words }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.words.dialect()
    }

    /// The first row of an answer, if there is any.
    pub(crate) async fn maybe_row(
        &mut self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, LedgerError> {
        Ok(self.rows(statement, values).await?.into_iter().next())
    }

    /// The one row that there must be.
    pub(crate) async fn row(&mut self, statement: &'static str, values: &[Value<'_>]) -> Result<Row, LedgerError> {
        self.maybe_row(statement, values).await?.ok_or(LedgerError::damaged("a row that is not there"))
    }

    pub(crate) async fn rows(
        &mut self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, LedgerError> {
        let statement = self.words.of(statement);
        match &mut self.to {
            #[cfg(feature = "sqlite")]
            To::Sqlite(connection) => Ok(super::sqlite::rows(connection, &statement, values)?),
            #[cfg(feature = "postgres")]
            To::Postgres(connection) => {
                Ok(Box::pin(super::postgres::rows(connection, statement.text.clone(), values)).await?)
            }
        }
    }

    /// How many rows were changed.
    pub(crate) async fn run(&mut self, statement: &'static str, values: &[Value<'_>]) -> Result<u64, LedgerError> {
        let statement = self.words.of(statement);
        match &mut self.to {
            #[cfg(feature = "sqlite")]
            To::Sqlite(connection) => Ok(super::sqlite::run(connection, &statement.text, values)?),
            #[cfg(feature = "postgres")]
            To::Postgres(connection) => {
                Ok(Box::pin(super::postgres::run(connection, statement.text.clone(), values)).await?)
            }
        }
    }

    /// Inserts one row by a statement that ends in `{returning id}`, and says which; nothing where there was one.
    ///
    /// On SQLite the id is asked for afterwards: a statement that returns rows keeps a journal of its own.
    pub(crate) async fn insert(
        &mut self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<i64>, LedgerError> {
        let statement = self.words.of(statement);
        match &mut self.to {
            #[cfg(feature = "sqlite")]
            To::Sqlite(connection) => {
                let inserted = super::sqlite::run(connection, &statement.text, values)? == 1;
                Ok(inserted.then(|| connection.last_insert_rowid()))
            }
            #[cfg(feature = "postgres")]
            To::Postgres(connection) => {
                let rows = Box::pin(super::postgres::rows(connection, statement.text.clone(), values)).await?;
                rows.first().map(|row| row.number("id")).transpose()
            }
        }
    }

    /// Several statements without parameters.
    pub(super) async fn script(&mut self, script: &'static str) -> Result<(), LedgerError> {
        match &mut self.to {
            #[cfg(feature = "sqlite")]
            To::Sqlite(connection) => Ok(connection.execute_batch(script)?),
            #[cfg(feature = "postgres")]
            To::Postgres(connection) => {
                sqlx::Executor::execute(&mut **connection, sqlx::raw_sql(script)).await?;
                Ok(())
            }
        }
    }
}
