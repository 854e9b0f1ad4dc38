//! Background worker: recovers abandoned operations, retries failed ones, and runs jobs.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use maitre_core::{Addon, AddonId, Backend, BoxFuture, Marketplace, WorkItem};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::gauges::set_gauges;
use super::inner::Inner;
use super::ledger::Ledger;
use crate::engine::{DueJobs, DueOperations, ReadStats, Sweep};
use crate::error::LedgerError;

const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// Takes over the operations of dead processes, retries failed ones, completes deprovisions and runs jobs.
///
/// Run a worker in every web process, or in processes of its own, or both: leases ensure that each operation runs in one
/// process at a time.
pub struct Worker {
    ledger: Arc<Inner>,
    addons: Vec<(AddonId, Arc<dyn Resume>)>,
    poll_interval: Duration,
    concurrency: usize,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addons: Vec<_> = self.addons.iter().map(|(addon, _)| addon).collect();
        f.debug_struct("Worker").field("addons", &addons).finish_non_exhaustive()
    }
}

/// Add-on of any marketplace.
trait Resume: Send + Sync {
    fn resume(&self, item: WorkItem) -> BoxFuture<'_, maitre_core::Result<()>>;
}

impl<M: Marketplace> Resume for Addon<M> {
    fn resume(&self, item: WorkItem) -> BoxFuture<'_, maitre_core::Result<()>> {
        Box::pin(Backend::resume(self, item))
    }
}

impl Ledger {
    /// Returns a worker for these add-ons, whose listeners this ledger [wraps](Ledger::wrap).
    pub fn worker<M: Marketplace>(&self, addons: impl IntoIterator<Item = Addon<M>>) -> Worker {
        Worker {
            ledger: self.inner.clone(),
            addons: Vec::new(),
            poll_interval: Duration::from_secs(1),
            concurrency: 16,
        }
        .add(addons)
    }
}

impl Worker {
    /// Adds the add-ons of another marketplace.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "it adds add-ons, not numbers")]
    pub fn add<M: Marketplace>(mut self, addons: impl IntoIterator<Item = Addon<M>>) -> Self {
        for addon in addons {
            self.addons.push((addon.id().clone(), Arc::new(addon)));
        }
        self
    }

    /// Time between two polls when nothing is due. Defaults to 1 s.
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// Maximum number of concurrent operations and jobs. Defaults to 16.
    #[must_use]
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.concurrency = limit.max(1);
        self
    }

    /// Runs until `stop` completes, then waits for the running operations and jobs. Dropping the future leaves them to
    /// other processes.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let Self { ledger, addons, poll_interval, concurrency } = self;
        let permits = Arc::new(Semaphore::new(concurrency));
        let started = Arc::<Mutex<HashSet<WorkItem>>>::default();
        let mut running = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        let mut swept: Option<Instant> = None;
        'work: loop {
            if swept.is_none_or(|at| at.elapsed() >= SWEEP_INTERVAL) {
                swept = Some(Instant::now());
                sweep(&ledger).await;
            }
            let due = due(&ledger, &addons, concurrency).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot query due work");
                Vec::new()
            });
            let mut has_started = false;
            for (index, item) in due {
                if !started.lock().unwrap_or_else(PoisonError::into_inner).insert(item) {
                    continue;
                }
                let permit = tokio::select! {
                    permit = permits.clone().acquire_owned() => permit.ok(),
                    () = &mut stop => None,
                };
                let Some(permit) = permit else { break 'work };
                has_started = true;
                let addon = addons[index].1.clone();
                let started = started.clone();
                running.spawn(async move {
                    if let Err(failure) = addon.resume(item).await {
                        tracing::info!(?item, ?failure, "work item failed in the worker");
                    }
                    started.lock().unwrap_or_else(PoisonError::into_inner).remove(&item);
                    drop(permit);
                });
            }
            while running.try_join_next().is_some() {}
            // poll again immediately: there may be more than one batch of due work
            let delay = if has_started { Duration::ZERO } else { poll_interval };
            tokio::select! {
                () = &mut stop => break 'work,
                () = tokio::time::sleep(delay) => {}
            }
        }
        while running.join_next().await.is_some() {}
    }
}

/// Runs the periodic cleanup and updates the gauges.
async fn sweep(ledger: &Inner) {
    loop {
        match ledger.db.write(Sweep).await {
            Ok(true) => {} // there may be more
            Ok(false) => break,
            Err(error) => return tracing::warn!(%error, "cannot run the periodic cleanup"),
        }
    }
    match ledger.db.read(ReadStats).await {
        Ok(stats) => set_gauges(&stats),
        Err(error) => tracing::warn!(%error, "cannot read the statistics"),
    }
}

/// Returns due jobs, then due operations, with the index of their add-on.
async fn due(
    ledger: &Inner,
    addons: &[(AddonId, Arc<dyn Resume>)],
    concurrency: usize,
) -> Result<Vec<(usize, WorkItem)>, LedgerError> {
    let limit = i64::try_from(concurrency).unwrap_or(i64::MAX);
    let (mut due, mut operations) = (Vec::new(), Vec::new());
    for (index, (addon, _)) in addons.iter().enumerate() {
        let jobs = ledger.db.read(DueJobs { addon: addon.to_string(), limit }).await?;
        due.extend(jobs.into_iter().map(|job| (index, WorkItem::Job(job))));
        let open = ledger.db.read(DueOperations { addon: addon.to_string(), limit }).await?;
        operations.extend(open.into_iter().map(|operation| (index, WorkItem::Operation(operation))));
    }
    due.extend(operations);
    Ok(due)
}
