//! Pool of connections and the transactions on them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::db::command::{BatchCommand, Command};
use crate::db::connection::Connection;
use crate::db::dialect::Dialect;
use crate::error::LedgerError;

/// Limits how long a process that stops in a transaction blocks others, and how long a statement waits for a row lock.
/// The settings are sent together with `BEGIN`, so they cost no round trip.
pub(super) const BEGIN: &str =
    "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '10s'; SET LOCAL lock_timeout = '15s'";

/// Attempts of a command whose connection is unusable. More than two, because the connection of the second attempt may
/// have been opened while the server was terminating all sessions.
const ATTEMPTS: u32 = 3;

pub(super) struct Pool<X> {
    connections: PgPool,
    failures: Arc<LastFailure>,
    dialect: Dialect,
    context: Arc<X>,
    /// Whether statements are prepared by name and may be sent outside a transaction.
    prepared: bool,
}

impl<X: Send + Sync + 'static> Pool<X> {
    /// Creates a pool that connects when it is used.
    pub(super) fn new(
        options: PgConnectOptions,
        connections: u32,
        prepared: bool,
        dialect: Dialect,
        context: Arc<X>,
    ) -> Self {
        let failures = Arc::new(LastFailure::default());
        let checked = failures.clone();
        let connections = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            // a test would cost a round trip per use; a command that meets a dead connection is retried instead
            .test_before_acquire(false)
            .before_acquire(move |_, connection| {
                let is_usable = !checked.is_after_opening(connection.age);
                Box::pin(async move { Ok(is_usable) })
            })
            .connect_lazy_with(options);
        Self { connections, failures, dialect, context, prepared }
    }

    /// Runs one command in its own transaction.
    pub(super) async fn run_single<C: Command<X>>(&self, command: &C) -> Result<C::Outcome, LedgerError> {
        self.retry(|| async {
            let mut connection = self.connections.acquire().await.map_err(LedgerError::postgres)?;
            let mut transaction = connection.begin_with(BEGIN).await.map_err(LedgerError::postgres)?;
            let mut db = Connection::postgres(&mut transaction, &self.dialect, self.prepared);
            let outcome = command.apply(&self.context, &mut db).await?;
            transaction.commit().await.map_err(LedgerError::postgres)?;
            Ok(outcome)
        })
        .await
    }

    /// Runs a query, without a transaction where that is possible.
    pub(super) async fn read<C: Command<X>>(&self, command: &C) -> Result<C::Outcome, LedgerError> {
        if !self.prepared {
            return self.run_single(command).await;
        }
        self.retry(|| async {
            let mut connection = self.connections.acquire().await.map_err(LedgerError::postgres)?;
            command.apply(&self.context, &mut Connection::postgres(&mut connection, &self.dialect, true)).await
        })
        .await
    }

    /// Runs a batch by one statement, which is its own transaction. It is not retried; its commands are, one by one.
    pub(super) async fn run_batch<C: BatchCommand<X>>(
        &self,
        commands: &[&C],
    ) -> Result<Vec<Option<C::Outcome>>, LedgerError> {
        let outcomes = self.apply_batch(commands).await;
        if outcomes.as_ref().is_err_and(LedgerError::is_connection_unusable) {
            self.failures.record();
        }
        outcomes
    }

    async fn apply_batch<C: BatchCommand<X>>(&self, commands: &[&C]) -> Result<Vec<Option<C::Outcome>>, LedgerError> {
        let mut connection = self.connections.acquire().await.map_err(LedgerError::postgres)?;
        if self.prepared {
            let mut db = Connection::postgres(&mut connection, &self.dialect, true);
            return C::apply_batch(commands, &self.context, &mut db).await;
        }
        let mut transaction = connection.begin_with(BEGIN).await.map_err(LedgerError::postgres)?;
        let mut db = Connection::postgres(&mut transaction, &self.dialect, false);
        let outcomes = C::apply_batch(commands, &self.context, &mut db).await?;
        transaction.commit().await.map_err(LedgerError::postgres)?;
        Ok(outcomes)
    }

    pub(super) async fn close(&self) {
        self.connections.close().await;
    }

    /// Runs the work, and again on a new connection if its connection was unusable. The work may have been committed
    /// before the connection was lost, so it has to be safe to repeat.
    async fn retry<T, F>(&self, work: impl Fn() -> F + Send) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, LedgerError>> + Send,
    {
        let mut attempt = 1;
        loop {
            match work().await {
                Err(error) if error.is_connection_unusable() => {
                    self.failures.record();
                    if attempt == ATTEMPTS {
                        return Err(error);
                    }
                    tracing::warn!(%error, attempt, "database connection lost; trying again on a new one");
                    attempt += 1;
                }
                result => return result,
            }
        }
    }
}

/// Time of the last failure of a connection. After a failover or a restart all older connections are in the same state, so
/// none of them is used again.
struct LastFailure {
    start: Instant,
    /// Nanoseconds after `start`; 0 without a failure.
    at: AtomicU64,
}

impl Default for LastFailure {
    fn default() -> Self {
        Self { start: Instant::now(), at: AtomicU64::new(0) }
    }
}

impl LastFailure {
    fn record(&self) {
        self.at.fetch_max(nanoseconds(self.start.elapsed()), Ordering::Relaxed);
    }

    /// Whether a failure was recorded after a connection of this age was opened.
    fn is_after_opening(&self, age: Duration) -> bool {
        let at = self.at.load(Ordering::Relaxed);
        at != 0 && nanoseconds(self.start.elapsed().saturating_sub(age)) <= at
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
