//! Runs a request: turns the outcome of its begin command into a reply.
//!
//! `execute` loops over the steps, `run` is one attempt (a call and the record of its result), and `call` is only the listener.

use std::sync::Arc;
use std::time::Duration;

use maitre_core::{Failure, FailureKind, Listener, Outcome, Progress, ResourceId, Result, SpawnOnDrop, TraceParent};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument;

use super::heartbeat::{LeaseOutcome, operation_span, release_overtaken, under_lease};
use super::inner::Inner;
use super::listener::DurableListener;
use super::operation::{Operation, restore_reply};
use super::spawn::spawn_on_drop;
use crate::engine::{
    AcceptOutcome, BeginOutcome, Claim, ClaimOutcome, JobRef, Lease, MarkAccepted, OperationKind, Recorded,
    ReleaseLease, RenewLease, RetryOrPark, SetProgress, StoredReply, StoredRequest, addon_id, no_open_account,
};
use crate::error::LedgerError;
use crate::metrics;

/// Interval of attempts to release a lease while the database fails.
const RELEASE_INTERVAL: Duration = Duration::from_millis(250);

/// Next step of an operation.
pub(super) enum Step<O: Operation> {
    /// Call the listener under this lease and record its reply.
    Run(Lease, O),
    /// Wait for the result of this operation, or claim it.
    Wait(i64),
    /// Answer "accepted": this operation completes in the background.
    Accept(i64),
    /// Notify the marketplace of the recorded reply, then return the result.
    Notify(Box<(Lease, StoredReply)>, Result<O::Reply>),
    /// Return the outcome.
    Done(Outcome<O::Reply>),
}

impl<O: Operation> Step<O> {
    /// Continues a claimed operation with its recorded request.
    pub(super) fn run_recorded(lease: Lease, request: StoredRequest) -> Result<Self> {
        let request = O::restore(request, addon_id(&lease.addon)?, &lease.key);
        let operation = lease.operation;
        let request = request.ok_or_else(|| {
            LedgerError::corrupt(format!("the request of maitre_operations id {operation} is of another kind"))
        })?;
        Ok(Self::Run(lease, request))
    }
}

impl<L: Listener> DurableListener<L> {
    /// Records the operation and executes it. Once recorded, it runs to completion even if the caller disconnects.
    pub(super) fn begin<O: Operation>(
        &self,
        addon: String,
        command: O::Begin,
        request: O,
        job: Option<JobRef>,
    ) -> SpawnOnDrop<Result<Outcome<O::Reply>>> {
        let this = self.clone();
        // without `PlatformHooks` the marketplace cannot be notified, so the operation is accepted only if it polls
        let is_polled = request.context().polled;
        let async_after = request.context().async_after.filter(|_| is_polled || self.platform.is_some());
        let async_at = async_after.map(|after| Instant::now() + after);
        spawn_on_drop(async move {
            let begun = O::begin(&this.ledger.db, command).await?;
            metrics::request(&addon, O::KIND.as_str(), label(&begun));
            if let Some(job) = job {
                this.spawn_job(job);
            }
            let step = match begun {
                BeginOutcome::Run(lease) => Step::Run(lease, request),
                BeginOutcome::Wait(operation) => Step::Wait(operation),
                BeginOutcome::Replay(resource) => {
                    let reply = this.ledger.engine.reply_of(&resource)?;
                    return restore_reply::<O>(reply).map(Outcome::Replayed);
                }
                BeginOutcome::Recorded(reply) => return restore_reply::<O>(*reply).map(Outcome::Replayed),
                BeginOutcome::Unchanged => return O::unchanged().map(Outcome::Done).ok_or_else(Failure::unknown),
                BeginOutcome::Fail(kind) => return Err(failure(kind)),
                BeginOutcome::NoOpenAccount => return Err(no_open_account()),
            };
            // the request that created the operation, not one that joined it, is answered as the first
            let joined = O::KIND == OperationKind::Provision && matches!(step, Step::Wait(_));
            Ok(match this.execute(step, async_at, is_polled).await? {
                Outcome::Done(reply) if joined => Outcome::Replayed(reply),
                outcome => outcome,
            })
        })
    }

    /// Executes the steps of an operation. If `async_at` passes before it completes, it is accepted and continues in the
    /// background.
    ///
    /// Rare steps are boxed so that the future of the common one stays small.
    pub(super) async fn execute<O: Operation>(
        &self,
        mut step: Step<O>,
        async_at: Option<Instant>,
        is_polled: bool,
    ) -> Result<Outcome<O::Reply>> {
        loop {
            step = match step {
                Step::Run(lease, request) => match async_at {
                    None => self.run(lease, request).await?,
                    Some(at) => {
                        let operation = lease.operation;
                        match timeout_at(at, self.execute_detached(lease, request)).await {
                            Ok(result) => return result,
                            Err(_) => Step::Accept(operation),
                        }
                    }
                },
                Step::Wait(operation) => Box::pin(self.wait(operation, async_at)).await?,
                Step::Accept(operation) => Box::pin(self.accept(operation, is_polled)).await?,
                Step::Notify(notification, result) => {
                    let (lease, reply) = *notification;
                    Box::pin(self.notify(lease, reply)).await?;
                    return result.map(Outcome::Done);
                }
                Step::Done(outcome) => return Ok(outcome),
            };
        }
    }

    /// Executes a claimed operation to its end, also after the returned future was dropped.
    fn execute_detached<O: Operation>(&self, lease: Lease, request: O) -> SpawnOnDrop<Result<Outcome<O::Reply>>> {
        let this = self.clone();
        spawn_on_drop(async move { this.execute(Step::Run(lease, request), None, false).await })
    }

    /// Calls the listener under a lease and records its reply.
    async fn run<O: Operation>(&self, lease: Lease, request: O) -> Result<Step<O>> {
        let lease = Lease { trace: request.context().trace.clone(), ..lease };
        let _running = self.ledger.running.enter();
        let (is_retryable, is_async) = (request.is_retryable(), request.context().async_after.is_some());
        let (asks, attributes) = (lease.asks, request.attributes());
        let began = Instant::now();
        let result = match self.call(&lease, request).instrument(operation_span(&lease)).await {
            LeaseOutcome::Finished(result) => O::interpret(result, asks),
            LeaseOutcome::Lost => {
                tracing::warn!(operation = lease.operation, addon = lease.addon, "call stopped: its lease was lost");
                return Ok(Step::Wait(lease.operation));
            }
            LeaseOutcome::Stopped => return Err(Failure::unavailable("shutting down")),
            LeaseOutcome::Overtaken => {
                release_overtaken(&self.ledger, &lease).await;
                metrics::listener_call(&lease.addon, O::KIND.as_str(), "overtaken", began.elapsed());
                return Ok(Step::Wait(lease.operation));
            }
        };
        let (result, provider_id) = match result {
            Ok(reply) if is_async => {
                let (reply, provider_id) = O::with_key(reply, &lease.key);
                (Ok(reply), provider_id)
            }
            result => (result, None),
        };
        let (addon, operation) = (lease.addon.clone(), lease.operation);
        let release = ReleaseLease { operation, fence: lease.fence };
        let written = match &result {
            Err(failure) if failure.kind() == FailureKind::Unavailable && is_retryable => {
                let error = failure.cause().unwrap_or_default();
                match self.ledger.db.write(RetryOrPark { lease, error, permanent: false }).await {
                    // the caller gets this failure, not another process's result
                    Ok(Recorded::Fenced) => Ok(Recorded::Written),
                    written => written,
                }
            }
            result => {
                let stored = result.as_ref().map_or_else(StoredReply::from, O::store);
                let stored = stored.with_provider_id(provider_id).with_attributes(attributes);
                self.record(lease, stored).await
            }
        };
        let recorded = match written {
            Ok(recorded) => recorded,
            Err(error) => {
                tracing::error!(operation, addon, %error, "cannot record a result; the operation will be retried");
                drop(spawn_on_drop(release_lease(self.ledger.clone(), release))); // runs in a task
                return Err(error.into());
            }
        };
        self.ledger.waiting.wake();
        let label = match (&recorded, &result) {
            (Recorded::Fenced, _) => "fenced",
            (_, Ok(_)) => "completed",
            (_, Err(failure)) if failure.kind() == FailureKind::Unavailable => "failed",
            (_, Err(_)) => "rejected",
        };
        metrics::listener_call(&addon, O::KIND.as_str(), label, began.elapsed());
        Ok(match recorded {
            Recorded::Notify(notification) => Step::Notify(notification, result),
            Recorded::Fenced => {
                tracing::warn!(operation, addon, "result discarded: the lease was lost to another process");
                Step::Wait(operation)
            }
            Recorded::Written | Recorded::DeadlinePassed => Step::Done(Outcome::Done(result?)),
        })
    }

    async fn call<O: Operation>(&self, lease: &Lease, request: O) -> LeaseOutcome<O::Reply> {
        let listener = self.listener.clone();
        let (key, fence) = (ResourceId::from(lease.key.as_str()), u64::try_from(lease.fence).unwrap_or_default());
        let progress = self.progress(lease);
        let (ledger, resource) = (self.ledger.clone(), lease.resource);
        let work = async move {
            let mut request = request.prepare(&ledger, resource).await?;
            let (resource, context) = request.target();
            *resource = key;
            (context.fence, context.progress) = (fence, progress);
            request.call(&*listener).await
        };
        let renewal = || RenewLease { operation: lease.operation, fence: lease.fence };
        let work = TraceParent::scope(lease.trace.clone(), work);
        under_lease(&self.ledger, renewal, self.ledger.calls.overtaken(lease), work).await
    }

    /// Returns a reporter that stores the listener's progress messages.
    fn progress(&self, lease: &Lease) -> Progress {
        let (ledger, lease) = (Arc::downgrade(&self.ledger), lease.clone());
        Progress::new(move |message| {
            let (Some(ledger), Ok(runtime)) = (ledger.upgrade(), Handle::try_current()) else { return };
            let command = SetProgress { lease: lease.clone(), message };
            runtime.spawn(async move {
                if let Err(error) = ledger.db.write(command).await {
                    tracing::warn!(%error, "cannot store progress");
                }
            });
        })
    }

    /// Waits for the result of an operation, and claims it if no process runs it.
    async fn wait<O: Operation>(&self, operation: i64, async_at: Option<Instant>) -> Result<Step<O>> {
        let mut waiter = self.ledger.waiting.join(operation);
        let end = async_at.unwrap_or_else(|| Instant::now() + self.ledger.duplicate_wait);
        let is_async = async_at.is_some();
        loop {
            match self.ledger.db.write(Claim { operation, owner: self.ledger.engine.lease_owner() }).await? {
                ClaimOutcome::Acquired(lease, request) => return Step::run_recorded(lease, request),
                ClaimOutcome::Notify(lease, reply) => {
                    let this = self.clone();
                    drop(spawn_on_drop(async move { this.notify(lease, reply).await })); // runs in a task
                    return Ok(Step::Accept(operation));
                }
                ClaimOutcome::Ended(reply) => return Ok(Step::Done(Outcome::Done(restore_reply::<O>(reply)?))),
                ClaimOutcome::Delayed if !is_async => {
                    return Err(Failure::unavailable("the last attempt failed; it will be retried"));
                }
                ClaimOutcome::Parked => return Err(parked()),
                ClaimOutcome::Busy { accepted: true } if is_async => return Ok(Step::Accept(operation)),
                ClaimOutcome::Busy { .. } | ClaimOutcome::Delayed if is_async && Instant::now() >= end => {
                    return Ok(Step::Accept(operation));
                }
                ClaimOutcome::Busy { .. } if Instant::now() >= end => {
                    tracing::info!(operation, "still running in another process; retries will wait for it");
                    return Err(Failure::unavailable("still running in another process"));
                }
                ClaimOutcome::Busy { .. } | ClaimOutcome::Delayed => waiter.changed(end).await,
            }
        }
    }

    /// Answers "accepted" unless the operation has ended in the meantime.
    async fn accept<O: Operation>(&self, operation: i64, is_polled: bool) -> Result<Step<O>> {
        let platform = self.platform.as_ref().filter(|_| !is_polled);
        let deadline = platform.map_or(Duration::ZERO, |platform| platform.completion_deadline());
        let deadline = i64::try_from(deadline.as_millis()).unwrap_or(i64::MAX / 2);
        Ok(Step::Done(match self.ledger.db.write_batched(MarkAccepted { operation, deadline }).await? {
            AcceptOutcome::Pending(progress) => {
                Outcome::Accepted { operation, message: progress.unwrap_or_else(|| O::ACCEPTED.to_owned()) }
            }
            AcceptOutcome::Ended(reply) => Outcome::Done(restore_reply::<O>(*reply)?),
            AcceptOutcome::Parked => return Err(parked()),
        }))
    }
}

/// Releases a lease as soon as the database accepts writes, unless it expires first.
async fn release_lease(ledger: Arc<Inner>, command: ReleaseLease) {
    let duration = Duration::from_millis(u64::try_from(ledger.engine.limits.lease).unwrap_or_default());
    let end = Instant::now() + duration;
    while Instant::now() < end && !*ledger.stopping.borrow() {
        if ledger.db.write(command.clone()).await.is_ok() {
            ledger.waiting.wake();
            return;
        }
        sleep(RELEASE_INTERVAL).await;
    }
}

fn parked() -> Failure {
    Failure::unavailable("the operation is parked: an operator has to look at it")
}

/// Returns the failure of a request that is decided without a call.
pub(super) fn failure(kind: FailureKind) -> Failure {
    match kind {
        FailureKind::Conflict => Failure::conflict("This add-on was already provisioned with different settings."),
        FailureKind::Unknown => Failure::unknown(),
        FailureKind::Gone => Failure::gone(),
        FailureKind::Concurrent => Failure::concurrent(),
        _ => Failure::unavailable("no operation of this resource can run now"),
    }
}

/// Returns the metric label of a begin outcome.
fn label(outcome: &BeginOutcome) -> &'static str {
    match outcome {
        BeginOutcome::Run(_) => "executed",
        BeginOutcome::Wait(_) => "joined",
        BeginOutcome::Replay(_) | BeginOutcome::Recorded(_) => "replayed",
        BeginOutcome::Unchanged => "unchanged",
        BeginOutcome::Fail(FailureKind::Conflict) | BeginOutcome::NoOpenAccount => "conflict",
        BeginOutcome::Fail(FailureKind::Unknown) => "unknown",
        BeginOutcome::Fail(FailureKind::Gone) => "gone",
        BeginOutcome::Fail(_) => "unavailable",
    }
}
