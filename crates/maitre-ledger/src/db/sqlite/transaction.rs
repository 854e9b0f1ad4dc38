//! Transactions on a SQLite connection.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::db::connection::Connection;
use crate::db::dialect::Dialect;
use crate::error::LedgerError;

/// Commits the work, or rolls all of it back if it fails.
pub(super) fn transaction(
    connection: &mut rusqlite::Connection,
    dialect: &Dialect,
    work: impl FnOnce(&mut Connection<'_>) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(LedgerError::sqlite)?;
    let worked = work(&mut Connection::sqlite(connection, dialect));
    let committed = worked.and_then(|()| connection.execute_batch("COMMIT").map_err(LedgerError::sqlite));
    if committed.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(LedgerError::sqlite)?;
    }
    committed
}

/// Polls once: SQLite commands never return `Pending`.
pub(super) fn poll_once<T>(work: impl Future<Output = Result<T, LedgerError>>) -> Result<T, LedgerError> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(LedgerError::corrupt("a SQLite command that waits")),
    }
}
