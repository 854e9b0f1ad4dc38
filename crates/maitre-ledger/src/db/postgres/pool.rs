//! Pool of connections and the transactions on them.

use std::sync::Arc;

use sqlx::postgres::PgPool;

use crate::db::command::{BatchCommand, Command};
use crate::db::connection::Connection;
use crate::db::dialect::Dialect;
use crate::error::LedgerError;

/// Limits how long a process that stops in a transaction blocks others, and how long a statement waits for a row lock.
/// The settings are sent together with `BEGIN`, so they cost no round trip.
const BEGIN: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '10s'; SET LOCAL lock_timeout = '15s'";

pub(super) struct Pool<X> {
    pub(super) connections: PgPool,
    pub(super) dialect: Dialect,
    pub(super) context: Arc<X>,
}

impl<X: Send + Sync + 'static> Pool<X> {
    /// Runs one command in its own transaction.
    pub(super) async fn run_single<C: Command<X>>(&self, command: &C) -> Result<C::Outcome, LedgerError> {
        let mut transaction = self.connections.begin_with(BEGIN).await.map_err(LedgerError::postgres)?;
        let outcome = command.apply(&self.context, &mut Connection::postgres(&mut transaction, &self.dialect)).await?;
        transaction.commit().await.map_err(LedgerError::postgres)?;
        Ok(outcome)
    }

    /// Runs a batch by one statement, which is its own transaction.
    pub(super) async fn run_batch<C: BatchCommand<X>>(
        &self,
        commands: &[&C],
    ) -> Result<Vec<Option<C::Outcome>>, LedgerError> {
        let mut connection = self.connections.acquire().await.map_err(LedgerError::postgres)?;
        C::apply_batch(commands, &self.context, &mut Connection::postgres(&mut connection, &self.dialect)).await
    }
}
