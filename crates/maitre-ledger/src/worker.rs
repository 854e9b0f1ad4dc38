//! Goes on with what was left or put off, in this process or another.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use maitre_core::{Addon, AddonId, Backend, BoxFuture, Marketplace, WorkItem};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::db::{Command, Connection, values};
use crate::engine::{DueErrands, Engine, Sweep};
use crate::error::LedgerError;
use crate::inspect::Count;
use crate::ledger::{Inner, Ledger};
use crate::observe;

const BETWEEN_SWEEPS: Duration = Duration::from_mins(1);

/// Takes over what dead processes left, tries again what failed, and finishes removals.
///
/// Run one in every web process, or in processes of their own, or both: leases see to it that each operation has one
/// runner at a time.
pub struct Worker {
    ledger: Arc<Inner>,
    addons: Vec<(AddonId, Arc<dyn Resumes>)>,
    pause: Duration,
    at_once: usize,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addons: Vec<_> = self.addons.iter().map(|(addon, _)| addon).collect();
        f.debug_struct("Worker").field("addons", &addons).finish_non_exhaustive()
    }
}

/// An add-on of any marketplace.
trait Resumes: Send + Sync {
    fn resume(&self, item: WorkItem) -> BoxFuture<'_, maitre_core::Result<()>>;
}

impl<M: Marketplace> Resumes for Addon<M> {
    fn resume(&self, item: WorkItem) -> BoxFuture<'_, maitre_core::Result<()>> {
        Box::pin(Backend::resume(self, item))
    }
}

impl Ledger {
    /// A worker for these add-ons, whose listeners this ledger [keeps](Ledger::wrap).
    pub fn worker<M: Marketplace>(&self, addons: impl IntoIterator<Item = Addon<M>>) -> Worker {
        Worker { ledger: self.inner.clone(), addons: Vec::new(), pause: Duration::from_secs(1), at_once: 16 }
            .add(addons)
    }
}

impl Worker {
    /// Also for these, of another marketplace.
    #[must_use]
    pub fn add<M: Marketplace>(mut self, addons: impl IntoIterator<Item = Addon<M>>) -> Self {
        for addon in addons {
            self.ledger.remember(addon.id());
            self.addons.push((addon.id().clone(), Arc::new(addon)));
        }
        self
    }

    /// How long it rests when there is nothing to do; 1 s if not set.
    #[must_use]
    pub fn poll_interval(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// How many operations it runs at once; 16 if not set.
    #[must_use]
    pub fn concurrency(mut self, operations: usize) -> Self {
        self.at_once = operations.max(1);
        self
    }

    /// Works until `stop` is done, then waits for what it has begun. Drop the future to leave that to others.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let Self { ledger, addons, pause, at_once } = self;
        let places = Arc::new(Semaphore::new(at_once));
        let begun = Arc::<Mutex<HashSet<WorkItem>>>::default();
        let mut running = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        let mut swept: Option<Instant> = None;
        'work: loop {
            if swept.is_none_or(|at| at.elapsed() >= BETWEEN_SWEEPS) {
                swept = Some(Instant::now());
                sweep(&ledger).await;
            }
            let due = due(&ledger, &addons, at_once).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the worker cannot ask what is due");
                Vec::new()
            });
            let mut begins = 0;
            for (place, item) in due {
                if !begun.lock().unwrap_or_else(PoisonError::into_inner).insert(item) {
                    continue;
                }
                let permit = tokio::select! {
                    permit = places.clone().acquire_owned() => permit.ok(),
                    () = &mut stop => None,
                };
                let Some(permit) = permit else { break 'work };
                begins += 1;
                let listener = addons[place].1.clone();
                let begun = begun.clone();
                running.spawn(async move {
                    if let Err(failure) = listener.resume(item).await {
                        tracing::info!(?item, ?failure, "what was taken up did not succeed");
                    }
                    begun.lock().unwrap_or_else(PoisonError::into_inner).remove(&item);
                    drop(permit);
                });
            }
            while running.try_join_next().is_some() {}
            // where there was something to do there may be more
            let rest = if begins > 0 { Duration::ZERO } else { pause };
            tokio::select! {
                () = &mut stop => break 'work,
                () = tokio::time::sleep(rest) => {}
            }
        }
        while running.join_next().await.is_some() {}
    }
}

/// Takes away what has ended by itself, and tells how things stand.
async fn sweep(ledger: &Inner) {
    loop {
        match ledger.db.write(Sweep).await {
            Ok(true) => {} // there may be more
            Ok(false) => break,
            Err(error) => return tracing::warn!(%error, "the worker cannot sweep"),
        }
    }
    match ledger.db.read(Count).await {
        Ok(figures) => observe::stands(&figures),
        Err(error) => tracing::warn!(%error, "the worker cannot count what is open"),
    }
}

/// Errands and operations that nobody works on and whose time has come, oldest first, with their add-on's place in the
/// list.
async fn due(
    ledger: &Inner,
    addons: &[(AddonId, Arc<dyn Resumes>)],
    at_once: usize,
) -> Result<Vec<(usize, WorkItem)>, LedgerError> {
    let limit = i64::try_from(at_once).unwrap_or(i64::MAX);
    let (mut errands, mut operations) = (Vec::new(), Vec::new());
    for (place, (addon, _)) in addons.iter().enumerate() {
        let due = ledger.db.read(DueErrands { addon: addon.to_string(), limit }).await?;
        errands.extend(due.into_iter().map(|number| (place, WorkItem::Job(number))));
        let due = ledger.db.read(Due { addon: addon.to_string(), limit }).await?;
        operations.extend(due.into_iter().map(|number| (place, WorkItem::Operation(number))));
    }
    errands.extend(operations);
    Ok(errands)
}

struct Due {
    addon: String,
    limit: i64,
}

impl Command for Due {
    type Outcome = Vec<i64>;

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> Result<Vec<i64>, LedgerError> {
        let due = "SELECT o.id AS id FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource
             WHERE o.state = 'open' AND o.scheduled_at <= {now} AND o.lease_until <= {now} AND r.addon = $1
               AND (o.kind = 'deprovision' OR NOT EXISTS (SELECT 1 FROM maitre_operations b
                    WHERE b.resource = o.resource AND b.id < o.id AND b.state = 'open'))
             ORDER BY o.scheduled_at LIMIT $2";
        on.rows(due, values![&self.addon, self.limit]).await?.iter().map(|row| row.number("id")).collect()
    }
}
