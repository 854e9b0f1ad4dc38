//! The walk of a request: from the decision of the records to an answer, whoever finds it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use maitre_core::{Failure, FailureKind, Listener, Outcome, Progress, ResourceId, Result, SpawnOnDrop};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use crate::engine::{
    Accept, Accepted, Begun, Claim, Claimed, Defer, Deferred, Finish, Finished, Lease, Renew, Say, Which,
};
use crate::error::LedgerError;
use crate::heartbeat::Told;
use crate::kept::DurableListener;
use crate::observe;
use crate::reply::Reply;
use crate::stored::{StoredReply, StoredRequest};

const LEASE_LOST: &str = "the lease was lost: another process goes on";
const STOPPED: &str = "the process stops: another one goes on";

/// A part of the walk that may lead back to where it came from.
type Walk<'a, T> = Pin<Box<dyn Future<Output = Result<Outcome<T>>> + Send + 'a>>;

/// Work that goes on though its caller leaves. Without a runtime the process is about to end, and another one goes on.
fn outlive<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> SpawnOnDrop<T> {
    SpawnOnDrop::new(work.in_current_span(), |work| drop(Handle::try_current().map(|runtime| runtime.spawn(work))))
}

impl<L: Listener> DurableListener<L> {
    /// What is written down as begun is done, though the caller hangs up.
    pub(crate) fn ask<T: Reply>(
        &self,
        addon: String,
        command: T::Ask,
        request: T::Request,
        beside: Option<Which>,
    ) -> SpawnOnDrop<Result<Outcome<T>>> {
        let kept = self.clone();
        // without somebody who tells the marketplace later there is no later
        let gives_way_at = T::give_way(&request).filter(|_| self.follow.is_some()).map(|time| Instant::now() + time);
        outlive(async move {
            let begun = T::begin(&kept.ledger, command).await?;
            observe::answered(&addon, T::KIND, &begun);
            if let Some(errand) = beside {
                kept.run_beside(errand);
            }
            kept.go_on(begun, request, gives_way_at).await
        })
    }

    /// What takes long is in a box, so that what does not is small.
    async fn go_on<T: Reply>(
        &self,
        begun: Begun,
        request: T::Request,
        gives_way_at: Option<Instant>,
    ) -> Result<Outcome<T>> {
        match begun {
            Begun::Run(lease) => match gives_way_at {
                None => self.run(lease, request).await,
                Some(at) => {
                    let (kept, operation) = (self.clone(), lease.operation);
                    let running = outlive(async move { kept.run::<T>(lease, request).await });
                    match timeout_at(at, running).await {
                        Ok(result) => result,
                        Err(_) => Box::pin(self.accept(operation)).await,
                    }
                }
            },
            Begun::Wait { operation, key } => self.wait(operation, key, gives_way_at).await,
            Begun::Replay(resource) => self.ledger.engine.reply_of(&resource)?.revive().map(Outcome::Done),
            Begun::NoCall => T::nothing().map(Outcome::Done).ok_or_else(Failure::unknown),
            Begun::Conflict => Err(Failure::conflict("This add-on was ordered otherwise before.")),
            Begun::Unknown => Err(Failure::unknown()),
            Begun::Gone => Err(Failure::gone()),
            Begun::Unavailable => Err(Failure::unavailable("the ledger has nobody who could do this now")),
        }
    }

    /// Lets the caller go: it goes on, and the marketplace is told when it is done.
    async fn accept<T: Reply>(&self, operation: i64) -> Result<Outcome<T>> {
        let patience = self.follow.as_ref().map_or(Duration::ZERO, |follow| follow.completion_deadline());
        let patience = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX / 2);
        match self.ledger.db.accept(Accept { operation, patience }).await? {
            Accepted::GoesOn(said) => {
                Ok(Outcome::Accepted { operation, message: said.unwrap_or_else(|| T::ACCEPTED.to_owned()) })
            }
            Accepted::Ended(reply) => reply.revive().map(Outcome::Done),
            Accepted::Parked => Err(Failure::unavailable("it was parked: a person has to look at it")),
        }
    }

    /// Waits for somebody else's result; takes over what nobody works on any more.
    fn wait<T: Reply>(&self, operation: i64, key: String, gives_way_at: Option<Instant>) -> Walk<'_, T> {
        Box::pin(self.wait_for(operation, key, gives_way_at))
    }

    async fn wait_for<T: Reply>(
        &self,
        operation: i64,
        key: String,
        gives_way_at: Option<Instant>,
    ) -> Result<Outcome<T>> {
        let mut waiter = self.ledger.waiting.join(operation);
        let end = gives_way_at.unwrap_or_else(|| Instant::now() + self.ledger.patience);
        loop {
            match self.ledger.db.write(Claim { operation }).await? {
                Claimed::Ours(lease, request) => return self.take_over(lease, request, gives_way_at).await,
                Claimed::Tell(lease, reply) => {
                    let kept = self.clone();
                    drop(outlive(async move { kept.tell(lease, reply).await })); // its caller was let go long ago
                    return self.accept(operation).await;
                }
                Claimed::Ended(reply) => return reply.revive().map(Outcome::Done),
                Claimed::Deferred if gives_way_at.is_none() => {
                    return Err(Failure::unavailable("it failed just now and is tried again later"));
                }
                Claimed::Parked => return Err(Failure::unavailable("it was parked: a person has to look at it")),
                Claimed::Busy { accepted: true } if gives_way_at.is_some() => return self.accept(operation).await,
                Claimed::Busy { .. } | Claimed::Deferred if Instant::now() >= end && gives_way_at.is_some() => {
                    return self.accept(operation).await;
                }
                Claimed::Busy { .. } if Instant::now() >= end => {
                    tracing::info!(resource = key, "still under way elsewhere: whoever asks again joins");
                    return Err(Failure::unavailable("still under way elsewhere"));
                }
                Claimed::Busy { .. } | Claimed::Deferred => waiter.moved(end).await,
            }
        }
    }

    /// Goes on with what was asked of another process, or of this one before.
    pub(crate) async fn take_over<T: Reply>(
        &self,
        lease: Lease,
        request: StoredRequest,
        gives_way_at: Option<Instant>,
    ) -> Result<Outcome<T>> {
        let addon = self.ledger.addon_id(&lease.addon)?;
        let request =
            T::request(request, addon, &lease.key).ok_or(LedgerError::damaged("a request of another kind"))?;
        match gives_way_at {
            None => self.run(lease, request).await,
            Some(_) => Box::pin(self.go_on(Begun::Run(lease), request, gives_way_at)).await,
        }
    }

    /// Calls the vendor's listener under a lease, and writes its answer down.
    fn run<T: Reply>(&self, lease: Lease, request: T::Request) -> Walk<'_, T> {
        Box::pin(self.run_it(lease, request))
    }

    async fn run_it<T: Reply>(&self, lease: Lease, request: T::Request) -> Result<Outcome<T>> {
        let _running = self.ledger.running.enter();
        let asks_again = T::asks_again(&request);
        let under_key = T::give_way(&request).is_some();
        let began = Instant::now();
        let result = match self.call::<T>(&lease, request).instrument(observe::span(&lease)).await {
            Told::Stopped => return Err(Failure::unavailable(STOPPED)),
            Told::LeaseLost => Err(Failure::unavailable(LEASE_LOST)),
            Told::Said(result) => T::told(result),
        };
        let told = match &result {
            Ok(_) => observe::Result::Done,
            Err(failure) if failure.kind() == FailureKind::Unavailable => observe::Result::Failed,
            Err(_) => observe::Result::SaidNo,
        };
        let (addon, operation, key) = (lease.addon.clone(), lease.operation, lease.key.clone());
        let (result, own) = match result {
            Ok(reply) if under_key => {
                let (reply, own) = reply.under_key(&key);
                (Ok(reply), own)
            }
            result => (result, None),
        };
        let (late, tell) = match &result {
            Err(failure) if failure.kind() == FailureKind::Unavailable && asks_again => {
                let cause = failure.cause().unwrap_or_default();
                match self.ledger.db.write(Defer { lease, cause, for_good: false }).await? {
                    Deferred::Late | Deferred::Later | Deferred::Parked | Deferred::NotTold => (false, None),
                    Deferred::Tell(tell) => (false, Some(*tell)),
                }
            }
            result => {
                let stored = result.as_ref().map_or_else(StoredReply::failed, T::store).owned(own);
                let finish = Finish::new(&self.ledger.engine, lease, stored.clone());
                match self.ledger.db.finish(finish).await? {
                    Finished::Written => (false, None),
                    Finished::Tell(lease) => (false, Some((lease, stored))),
                    Finished::Late => (true, None),
                }
            }
        };
        self.ledger.waiting.hurry();
        observe::called(&addon, T::KIND, if late { observe::Result::Late } else { told }, began.elapsed());
        if let Some((lease, reply)) = tell {
            Box::pin(self.tell(lease, reply)).await?;
        }
        if late {
            tracing::warn!(resource = key, "came too late: another process has taken this operation over");
            return self.wait(operation, key, None).await;
        }
        result.map(Outcome::Done)
    }

    async fn call<T: Reply>(&self, lease: &Lease, request: T::Request) -> Told<T> {
        let listener = self.listener.clone();
        let (key, fence) = (ResourceId::from(lease.key.as_str()), u64::try_from(lease.fence).unwrap_or_default());
        let progress = self.progress(lease);
        let work = async move { T::ask(&*listener, request, key, fence, progress).await };
        self.ledger.under_lease(|| Renew { operation: lease.operation, fence: lease.fence }, work).await
    }

    /// What the listener says of how far it is goes into the records.
    fn progress(&self, lease: &Lease) -> Progress {
        let (ledger, lease) = (Arc::downgrade(&self.ledger), lease.clone());
        Progress::new(move |sentence| {
            let (Some(ledger), Ok(runtime)) = (ledger.upgrade(), Handle::try_current()) else { return };
            let say = Say { lease: lease.clone(), sentence };
            runtime.spawn(async move {
                if let Err(error) = ledger.db.write(say).await {
                    tracing::warn!(%error, "cannot write down how far an operation is");
                }
            });
        })
    }

    /// Tells the marketplace what came of an operation that it was told comes later, and writes down that it knows.
    pub(crate) async fn tell(&self, lease: Lease, reply: StoredReply) -> Result<()> {
        let _running = self.ledger.running.enter();
        let Some(follow) = self.follow.clone() else {
            tracing::error!(resource = lease.key, "nobody follows this marketplace: it cannot be told what was done");
            return Err(Failure::unavailable("nobody follows this marketplace"));
        };
        let (addon, key) = (self.ledger.addon_id(&lease.addon)?, ResourceId::from(lease.key.as_str()));
        let (kind, told) = (lease.kind, reply.clone());
        let work = async move { told.tell(&*follow, kind, &addon, &key).await };
        let renewal = || Renew { operation: lease.operation, fence: lease.fence };
        let told = self.ledger.under_lease(renewal, work).instrument(observe::span(&lease)).await;
        let result = match told {
            Told::Stopped => return Err(Failure::unavailable(STOPPED)),
            Told::LeaseLost => Err(Failure::unavailable(LEASE_LOST)),
            Told::Said(result) => result,
        };
        let (operation, key) = (lease.operation, lease.key.clone());
        match result {
            Ok(()) => {
                self.ledger.db.finish(Finish::told(&self.ledger.engine, lease, reply)).await?;
            }
            Err(failure) if matches!(failure.kind(), FailureKind::Gone | FailureKind::Unknown) => {
                tracing::warn!(resource = key, operation, "the marketplace does not know this resource any more");
                let reply = reply.of_what_is_gone(lease.kind);
                self.ledger.db.finish(Finish::told(&self.ledger.engine, lease, reply)).await?;
            }
            Err(failure) => {
                let for_good = failure.kind() != FailureKind::Unavailable;
                let cause = failure.cause().or_else(|| failure.message().map(ToOwned::to_owned)).unwrap_or_default();
                tracing::warn!(resource = key, operation, cause, "cannot tell the marketplace");
                let defer = Defer { lease: lease.clone(), cause, for_good };
                if let Deferred::NotTold = self.ledger.db.write(defer).await? {
                    tracing::error!(
                        resource = key,
                        operation,
                        "the marketplace was never told of a removal: it waits no more"
                    );
                    self.ledger.db.finish(Finish::told(&self.ledger.engine, lease, reply)).await?;
                }
            }
        }
        self.ledger.waiting.hurry();
        Ok(())
    }
}
