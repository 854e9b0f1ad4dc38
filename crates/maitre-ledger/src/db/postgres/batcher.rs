//! Batches commands of one type: commands that arrive while a statement runs share the next one.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};

use super::pool::Pool;
use crate::db::command::BatchCommand;
use crate::error::LedgerError;

/// Maximum number of commands in one batch, which is one statement and one commit.
const MAX_BATCH: usize = 256;

/// Concurrent batches per command type: while one waits for the disk, the next batch is collected.
const BATCH_WORKERS: usize = 2;

/// Queue of commands of one type. A command never waits for others to fill a batch. The workers end when the batcher is
/// dropped.
pub(super) struct Batcher<X, C: BatchCommand<X>>(mpsc::Sender<Queued<X, C>>);

struct Queued<X, C: BatchCommand<X>> {
    command: C,
    reply: oneshot::Sender<Result<C::Outcome, LedgerError>>,
}

impl<X: Send + Sync + 'static, C: BatchCommand<X>> Batcher<X, C> {
    pub(super) fn start(pool: &Arc<Pool<X>>) -> Self {
        let (queue, queued) = mpsc::channel(4 * MAX_BATCH);
        let queued = Arc::new(Mutex::new(queued));
        for _ in 0..BATCH_WORKERS {
            tokio::spawn(run_batches(pool.clone(), queued.clone()));
        }
        Self(queue)
    }

    pub(super) async fn run(&self, command: C) -> Result<C::Outcome, LedgerError> {
        let (reply, received) = oneshot::channel();
        self.0.send(Queued { command, reply }).await.map_err(|_| LedgerError::closed())?;
        received.await.map_err(|_| LedgerError::closed())?
    }
}

async fn run_batches<X: Send + Sync + 'static, C: BatchCommand<X>>(
    pool: Arc<Pool<X>>,
    queued: Arc<Mutex<mpsc::Receiver<Queued<X, C>>>>,
) {
    let mut received = Vec::with_capacity(MAX_BATCH);
    loop {
        if queued.lock().await.recv_many(&mut received, MAX_BATCH).await == 0 {
            return;
        }
        let mut batch = BTreeMap::new();
        for queued in received.drain(..) {
            // a batch has one command per key: an earlier one with the same key runs on its own
            if let Some(other) = batch.insert(queued.command.key(), queued) {
                spawn_single(&pool, other);
            }
        }
        let commands: Vec<_> = batch.values().map(|queued| &queued.command).collect();
        // if the statement fails, each command runs separately and reports its own error
        let outcomes = pool.run_batch(&commands).await.unwrap_or_default();
        let mut outcomes = outcomes.into_iter();
        for queued in batch.into_values() {
            match outcomes.next().flatten() {
                Some(outcome) => {
                    drop(queued.command); // releases what it shares with the caller before the caller continues
                    let _ = queued.reply.send(Ok(outcome)); // the caller may have left
                }
                None => spawn_single(&pool, queued),
            }
        }
    }
}

/// Runs a command in a task of its own, so that it can wait for a lock without delaying the batches.
fn spawn_single<X: Send + Sync + 'static, C: BatchCommand<X>>(
    pool: &Arc<Pool<X>>,
    Queued { command, reply }: Queued<X, C>,
) {
    let pool = pool.clone();
    tokio::spawn(async move { reply.send(pool.run_single(&command).await) });
}
