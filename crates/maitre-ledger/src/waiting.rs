//! Waiting for operations that somebody else runs, in this process or another.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::db::{Command, Connection, Db, values};
use crate::engine::Engine;
use crate::error::LedgerError;

const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(250);

/// All operations that this process waits for. One task asks for all of them in one query.
#[derive(Default)]
pub(crate) struct Waiting {
    open: Mutex<HashMap<i64, Entry>>,
    /// Something was finished here, or somebody new waits: ask soon.
    hurry: Notify,
}

struct Entry {
    moved: watch::Sender<()>,
    waiters: usize,
}

/// One who waits; leaving is dropping it.
pub(crate) struct Waiter<'w> {
    waiting: &'w Waiting,
    operation: i64,
    moved: watch::Receiver<()>,
}

impl Waiting {
    pub(crate) fn join(&self, operation: i64) -> Waiter<'_> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = open.entry(operation).or_insert_with(|| Entry { moved: watch::Sender::new(()), waiters: 0 });
        entry.waiters += 1;
        let moved = entry.moved.subscribe();
        drop(open);
        self.hurry.notify_one();
        Waiter { waiting: self, operation, moved }
    }

    /// Something changed: whoever waits may look.
    pub(crate) fn hurry(&self) {
        self.hurry.notify_one();
    }

    fn operations(&self) -> Vec<i64> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    fn moved(&self, operation: i64) {
        if let Some(entry) = self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&operation) {
            entry.moved.send_replace(());
        }
    }

    /// Asks for what is waited for as long as the ledger lives: often at first, and less often while nothing happens.
    pub(crate) async fn watch(&self, db: &Db) {
        let mut pause = SHORTEST;
        loop {
            let operations = self.operations();
            if operations.is_empty() {
                self.hurry.notified().await;
                pause = SHORTEST;
                continue;
            }
            match db.read(Movable(operations)).await {
                Ok(movable) => {
                    for operation in &movable {
                        self.moved(*operation);
                    }
                    pause = if movable.is_empty() { (pause * 3 / 2).min(LONGEST) } else { SHORTEST };
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot ask how operations go on");
                    pause = LONGEST;
                }
            }
            if timeout(pause, self.hurry.notified()).await.is_ok() {
                pause = SHORTEST;
                sleep(Duration::from_millis(1)).await; // several are often finished by one commit
            }
        }
    }
}

/// Of these operations those that have an answer, or that nobody works on though their turn has come.
struct Movable(Vec<i64>);

impl Command for Movable {
    type Outcome = Vec<i64>;

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> Result<Vec<i64>, LedgerError> {
        let movable = "SELECT id FROM maitre_operations o WHERE id {among $1} AND (state <> 'open' OR
             (lease_until <= {now} AND (kind = 'deprovision' OR NOT EXISTS (SELECT 1 FROM maitre_operations b
              WHERE b.resource = o.resource AND b.id < o.id AND b.state = 'open'))))";
        on.rows(movable, values![&self.0[..]]).await?.iter().map(|row| row.number("id")).collect()
    }
}

impl Waiter<'_> {
    /// Until it is worth looking again: it moved, the end has come, or now and then without being told, as looking is
    /// cheap.
    pub(crate) async fn moved(&mut self, end: Instant) {
        let _ = timeout_at(end.min(Instant::now() + LONGEST * 4), self.moved.changed()).await;
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut open = self.waiting.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = open.get_mut(&self.operation) {
            entry.waiters -= 1;
            if entry.waiters == 0 {
                open.remove(&self.operation);
            }
        }
    }
}
