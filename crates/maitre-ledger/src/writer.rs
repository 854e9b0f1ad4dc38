//! How a command reaches the database: alone on Postgres, together with whatever else is waiting on SQLite.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AnyConnection, Connection};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::db::Dialect;
use crate::engine::{Command, Engine, Outcome};
use crate::error::LedgerError;

type Answer = oneshot::Sender<Result<Outcome, LedgerError>>;

/// More than this do not share one commit: what fails is done again one by one.
const LARGEST_BATCH: usize = 256;

/// Applies commands, each as one transaction or as part of one.
pub(crate) enum Writer {
    /// SQLite has one writer at a time, so one task holds it and commits for everyone who waits.
    Shared { commands: mpsc::Sender<(Command, Answer)>, stop: Arc<Notify> },
    /// Postgres has many.
    Pooled(Arc<Engine>),
}

impl Writer {
    /// The task of the shared writer ends when the writer is dropped.
    pub(crate) fn start(engine: Arc<Engine>) -> Self {
        match engine.db.dialect {
            Dialect::Postgres => Self::Pooled(engine),
            Dialect::Sqlite => {
                let (sender, receiver) = mpsc::channel(4 * LARGEST_BATCH);
                let stop = Arc::<Notify>::default();
                tokio::spawn(share(engine, receiver, stop.clone()));
                Self::Shared { commands: sender, stop }
            }
        }
    }

    pub(crate) async fn apply(&self, command: Command) -> Result<Outcome, LedgerError> {
        match self {
            Self::Shared { commands, .. } => {
                let (answer, answered) = oneshot::channel();
                commands.send((command, answer)).await.map_err(|_| LedgerError::closed())?;
                answered.await.map_err(|_| LedgerError::closed())?
            }
            Self::Pooled(engine) => {
                let mut connection = engine.db.pool.acquire().await?;
                alone(engine, &mut connection, &command).await
            }
        }
    }
}

impl Writer {
    /// Gives the shared writer's connection back; whoever asks afterwards hears that the ledger is closed.
    pub(crate) fn stop(&self) {
        if let Self::Shared { stop, .. } = self {
            stop.notify_one();
        }
    }
}

/// One command, one transaction.
async fn alone(engine: &Engine, on: &mut AnyConnection, command: &Command) -> Result<Outcome, LedgerError> {
    let mut transaction = match engine.db.dialect {
        Dialect::Sqlite => on.begin_with("BEGIN IMMEDIATE").await?,
        Dialect::Postgres => on.begin().await?,
    };
    let outcome = engine.apply(&mut transaction, command).await?;
    transaction.commit().await?;
    Ok(outcome)
}

async fn share(engine: Arc<Engine>, mut waiting: mpsc::Receiver<(Command, Answer)>, stop: Arc<Notify>) {
    let mut batch = Vec::with_capacity(LARGEST_BATCH);
    let mut connection = None;
    loop {
        let received = tokio::select! {
            received = waiting.recv_many(&mut batch, LARGEST_BATCH) => received,
            () = stop.notified() => 0,
        };
        if received == 0 {
            return;
        }
        let on = match &mut connection {
            Some(on) => on,
            None => match engine.db.pool.acquire().await {
                Ok(acquired) => connection.insert(acquired),
                Err(error) => {
                    tracing::error!(%error, "the ledger's database cannot be reached");
                    batch.clear(); // whoever waits hears that the ledger is closed, and asks again
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        match together(&engine, on, &batch).await {
            Ok(outcomes) => {
                for ((_, answer), outcome) in batch.drain(..).zip(outcomes) {
                    let _ = answer.send(Ok(outcome)); // whoever asked may have gone
                }
            }
            // one of them spoils the transaction: each gets its own
            Err(_) => {
                for (command, answer) in batch.drain(..) {
                    let _ = answer.send(alone(&engine, on, &command).await);
                }
            }
        }
    }
}

/// Many commands, one transaction: all of them, or none.
async fn together(
    engine: &Engine,
    on: &mut AnyConnection,
    batch: &[(Command, Answer)],
) -> Result<Vec<Outcome>, LedgerError> {
    let mut transaction = on.begin_with("BEGIN IMMEDIATE").await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for (command, _) in batch {
        outcomes.push(engine.apply(&mut transaction, command).await?);
    }
    transaction.commit().await?;
    Ok(outcomes)
}
