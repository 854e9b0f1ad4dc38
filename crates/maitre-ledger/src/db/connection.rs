//! Connection to either database.
#![cfg_attr(not(feature = "postgres"), expect(clippy::unused_async, reason = "SQLite statements never wait"))]

use super::dialect::{DatabaseKind, Dialect};
#[cfg(feature = "postgres")]
use super::postgres::statement as postgres;
use super::row::Row;
#[cfg(feature = "sqlite")]
use super::sqlite::statement as sqlite;
use super::value::Value;
use crate::error::LedgerError;

/// Runs the engine's statements.
///
/// On Postgres each statement's future is boxed, because the driver's futures are large and every command has many. On
/// SQLite no statement waits: the thread that owns the connection runs each one to its end.
pub(crate) struct Connection<'c> {
    target: Target<'c>,
    dialect: &'c Dialect,
}

enum Target<'c> {
    #[cfg(feature = "sqlite")]
    Sqlite(&'c mut rusqlite::Connection),
    #[cfg(feature = "postgres")]
    Postgres {
        connection: &'c mut sqlx::PgConnection,
        /// Whether statements are prepared by name, which not every pooler supports.
        prepared: bool,
    },
}

impl<'c> Connection<'c> {
    #[cfg(feature = "sqlite")]
    pub(super) fn sqlite(connection: &'c mut rusqlite::Connection, dialect: &'c Dialect) -> Self {
        Self { target: Target::Sqlite(connection), dialect }
    }

    #[cfg(feature = "postgres")]
    pub(super) fn postgres(connection: &'c mut sqlx::PgConnection, dialect: &'c Dialect, prepared: bool) -> Self {
        Self { target: Target::Postgres { connection, prepared }, dialect }
    }

    pub(super) fn kind(&self) -> DatabaseKind {
        self.dialect.kind()
    }

    /// Returns the first row, if there is any.
    pub(crate) async fn optional_row(
        &mut self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, LedgerError> {
        Ok(self.rows(statement, values).await?.into_iter().next())
    }

    /// Returns the only row.
    ///
    /// # Errors
    /// Returns an error if the row is missing.
    pub(crate) async fn row(&mut self, statement: &'static str, values: &[Value<'_>]) -> Result<Row, LedgerError> {
        let row = self.optional_row(statement, values).await?;
        row.ok_or_else(|| LedgerError::corrupt(format!("no row for: {statement}")))
    }

    pub(crate) async fn rows(
        &mut self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, LedgerError> {
        let statement = self.dialect.translate(statement);
        match &mut self.target {
            #[cfg(feature = "sqlite")]
            Target::Sqlite(connection) => sqlite::rows(connection, &statement, values).map_err(LedgerError::sqlite),
            #[cfg(feature = "postgres")]
            Target::Postgres { connection, prepared } => {
                Box::pin(postgres::rows(connection, statement.text.clone(), values, *prepared))
                    .await
                    .map_err(LedgerError::postgres)
            }
        }
    }

    /// Returns the number of changed rows.
    pub(crate) async fn execute(&mut self, statement: &'static str, values: &[Value<'_>]) -> Result<u64, LedgerError> {
        let statement = self.dialect.translate(statement);
        match &mut self.target {
            #[cfg(feature = "sqlite")]
            Target::Sqlite(connection) => {
                sqlite::execute(connection, &statement.text, values).map_err(LedgerError::sqlite)
            }
            #[cfg(feature = "postgres")]
            Target::Postgres { connection, prepared } => {
                Box::pin(postgres::execute(connection, statement.text.clone(), values, *prepared))
                    .await
                    .map_err(LedgerError::postgres)
            }
        }
    }

    /// Inserts one row by a statement that ends in `{returning id}` and returns its id; `None` if the row existed.
    ///
    /// On SQLite the id is read afterwards, because a statement that returns rows keeps its own journal.
    pub(crate) async fn insert(
        &mut self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<i64>, LedgerError> {
        let statement = self.dialect.translate(statement);
        match &mut self.target {
            #[cfg(feature = "sqlite")]
            Target::Sqlite(connection) => {
                let inserted = sqlite::execute(connection, &statement.text, values).map_err(LedgerError::sqlite)? == 1;
                Ok(inserted.then(|| connection.last_insert_rowid()))
            }
            #[cfg(feature = "postgres")]
            Target::Postgres { connection, prepared } => {
                let rows = Box::pin(postgres::rows(connection, statement.text.clone(), values, *prepared)).await;
                rows.map_err(LedgerError::postgres)?.first().map(|row| row.number("id")).transpose()
            }
        }
    }

    /// Runs several statements without parameters.
    pub(super) async fn script(&mut self, script: &'static str) -> Result<(), LedgerError> {
        match &mut self.target {
            #[cfg(feature = "sqlite")]
            Target::Sqlite(connection) => connection.execute_batch(script).map_err(LedgerError::sqlite),
            #[cfg(feature = "postgres")]
            Target::Postgres { connection, .. } => sqlx::Executor::execute(&mut **connection, sqlx::raw_sql(script))
                .await
                .map(drop)
                .map_err(LedgerError::postgres),
        }
    }
}
