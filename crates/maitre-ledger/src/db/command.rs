//! Commands: the unit of work of a database.

use super::connection::Connection;
use crate::error::LedgerError;

/// Query or change, run on a connection of either database with the context `X`.
///
/// A command may run again after its transaction was rolled back, so `apply` must have no side effects outside the
/// transaction.
pub(crate) trait Command<X>: Send + Sync + 'static {
    type Outcome: Send + 'static;

    fn apply(
        &self,
        context: &X,
        db: &mut Connection<'_>,
    ) -> impl Future<Output = Result<Self::Outcome, LedgerError>> + Send;
}

/// Command that shares one statement with others of its type on Postgres. On SQLite all queued commands run in one transaction;
/// if one of them fails, each runs again in a transaction of its own.
#[cfg(feature = "postgres")]
pub(crate) trait BatchCommand<X>: Command<X> {
    /// Batch key. A batch contains at most one command per key, in key order, so that two processes cannot deadlock; an earlier
    /// command with the same key runs on its own.
    type Key: Ord + Send;

    fn key(&self) -> Self::Key;

    /// Whether this command may run in a batch.
    fn is_batchable(&self) -> bool {
        true
    }

    /// Returns the outcomes in the order of the commands; `None` for a command that has to run in its own transaction.
    fn apply_batch(
        commands: &[&Self],
        context: &X,
        db: &mut Connection<'_>,
    ) -> impl Future<Output = Result<Vec<Option<Self::Outcome>>, LedgerError>> + Send;
}

#[cfg(not(feature = "postgres"))]
pub(crate) trait BatchCommand<X>: Command<X> {}

#[cfg(not(feature = "postgres"))]
impl<X, C: Command<X>> BatchCommand<X> for C {}
