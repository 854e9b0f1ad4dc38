//! Thread that owns a SQLite connection and runs queued commands.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::health::Health;
use super::transaction::{poll_once, transaction};
use crate::db::command::Command;
use crate::db::connection::Connection;
use crate::db::dialect::Dialect;
use crate::error::LedgerError;

/// Maximum number of commands in one commit; if one fails, all of them run again.
const MAX_BATCH: usize = 256;

/// Thread with a connection, and its queue.
pub(super) struct DbThread<X> {
    queue: Mutex<Option<mpsc::Sender<Box<dyn QueuedCommand>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    context: Arc<X>,
}

/// Commands that arrived while the thread was busy.
pub(super) type Batch = Vec<Box<dyn QueuedCommand>>;

impl<X: Send + Sync + 'static> DbThread<X> {
    /// Starts a thread that empties each batch by `run`.
    pub(super) fn start(
        name: &str,
        context: &Arc<X>,
        mut run: impl FnMut(&mut Batch) + Send + 'static,
    ) -> Result<Self, LedgerError> {
        let (queue, mut queued) = mpsc::channel(4 * MAX_BATCH);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut batch = Vec::with_capacity(MAX_BATCH);
            while queued.blocking_recv_many(&mut batch, MAX_BATCH) > 0 {
                run(&mut batch);
            }
        });
        let thread = thread.map_err(LedgerError::thread)?;
        Ok(Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)), context: context.clone() })
    }

    pub(super) async fn run<C: Command<X>>(&self, command: C) -> Result<C::Outcome, LedgerError> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (reply, received) = oneshot::channel();
        let queued = Box::new(Queued { context: self.context.clone(), command, outcome: None, reply });
        queue.ok_or_else(LedgerError::closed)?.send(queued).await.map_err(|_| LedgerError::closed())?;
        received.await.map_err(|_| LedgerError::closed())?
    }

    /// Closes the queue and returns the thread, which ends after the queued commands.
    pub(super) fn stop(&self) -> Option<JoinHandle<()>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Queued command of any type.
pub(super) trait QueuedCommand: Send {
    fn run(&mut self, db: &mut Connection<'_>) -> Result<(), LedgerError>;
    fn reply(self: Box<Self>, result: Result<(), LedgerError>);
}

/// Queued command and the channel for its result.
struct Queued<X, C: Command<X>> {
    context: Arc<X>,
    command: C,
    outcome: Option<C::Outcome>,
    reply: oneshot::Sender<Result<C::Outcome, LedgerError>>,
}

impl<X: Send + Sync + 'static, C: Command<X>> QueuedCommand for Queued<X, C> {
    fn run(&mut self, db: &mut Connection<'_>) -> Result<(), LedgerError> {
        self.outcome = Some(poll_once(self.command.apply(&self.context, db))?);
        Ok(())
    }

    fn reply(self: Box<Self>, result: Result<(), LedgerError>) {
        let Self { command, outcome, reply, .. } = *self;
        drop(command); // releases what it shares with the caller before the caller continues
        let result = result.and_then(|()| outcome.ok_or_else(LedgerError::closed));
        let _ = reply.send(result); // the caller may have left
    }
}

/// Runs the batch in one transaction (one fsync); if a command fails, retries each in its own transaction.
pub(super) fn run_batch(
    connection: &mut rusqlite::Connection,
    dialect: &Dialect,
    health: &mut Health,
    batch: &mut Batch,
) {
    if let [_, _, ..] = &batch[..]
        && health.check().is_ok()
    {
        let written = transaction(connection, dialect, |db| batch.iter_mut().try_for_each(|command| command.run(db)));
        if written.is_ok() {
            health.record(Ok(()));
            return batch.drain(..).for_each(|command| command.reply(Ok(())));
        }
    }
    for mut command in batch.drain(..) {
        let result = health.check().and_then(|()| transaction(connection, dialect, |db| command.run(db)));
        health.record(result.as_ref().copied());
        command.reply(result);
    }
}

/// Runs each command without a transaction.
pub(super) fn run_each(connection: &mut rusqlite::Connection, dialect: &Dialect, batch: &mut Batch) {
    for mut command in batch.drain(..) {
        let result = command.run(&mut Connection::sqlite(connection, dialect));
        command.reply(result);
    }
}
