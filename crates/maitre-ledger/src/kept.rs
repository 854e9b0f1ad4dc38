//! A listener around a listener: asks the records first, and writes down what the vendor's own one says.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use maitre_core::sso::Strength;
use maitre_core::{
    Deprovision, Deprovisioned, Failure, FailureKind, Listener, Outlive, PlanChange, PlanChanged, PlanWarning,
    Provision, Provisioned, ResourceId, Result, Resume, SignOn, SignedOn,
};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument;

use crate::engine::{
    AskDeprovision, AskPlanChange, AskProvision, Begun, Claim, Claimed, Defer, Find, Finish, Kind, Lease, Mark,
    RESOURCE, Renew, key_of,
};
use crate::error::LedgerError;
use crate::ledger::Inner;
use crate::observe;
use crate::reply::Reply;
use crate::stored::{StoredReply, StoredRequest, asked};

/// A listener that is safe under duplicates, crashes and many processes; see [`Ledger::keep`](crate::Ledger::keep).
pub struct Kept<L> {
    ledger: Arc<Inner>,
    listener: Arc<L>,
}

impl<L> Clone for Kept<L> {
    fn clone(&self) -> Self {
        Self { ledger: self.ledger.clone(), listener: self.listener.clone() }
    }
}

impl<L> std::fmt::Debug for Kept<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

impl<L: Listener> Kept<L> {
    pub(crate) fn new(ledger: Arc<Inner>, listener: L) -> Self {
        Self { ledger, listener: Arc::new(listener) }
    }

    /// What is written down as begun is done, though the caller hangs up.
    fn ask<T: Reply>(&self, addon: String, command: T::Ask, request: T::Request) -> Outlive<Result<T>> {
        let kept = self.clone();
        let asking = async move {
            let begun = T::begin(&kept.ledger, command).await?;
            observe::answered(&addon, T::KIND, &begun);
            kept.go_on(begun, request).await
        };
        // without a runtime the process is about to end, and another one goes on
        Outlive::new(asking.in_current_span(), |work| {
            drop(Handle::try_current().map(|runtime| runtime.spawn(work)));
        })
    }

    /// From a decision to an answer, whoever finds it. What takes long is in a box, so that what does not is small.
    async fn go_on<T: Reply>(&self, begun: Begun, request: T::Request) -> Result<T> {
        match begun {
            Begun::Run(lease) => Box::pin(self.run(lease, request)).await,
            Begun::Wait { operation, key } => Box::pin(self.wait(operation, &key)).await,
            Begun::Replay(resource) => self.ledger.engine.reply_of(&resource)?.revive(),
            Begun::NoCall => T::nothing().ok_or_else(Failure::unknown),
            Begun::Conflict => Err(Failure::conflict("This add-on was ordered otherwise before.")),
            Begun::Unknown => Err(Failure::unknown()),
            Begun::Gone => Err(Failure::gone()),
            Begun::Unavailable => Err(Failure::unavailable("the ledger has nobody who could do this now")),
        }
    }

    /// Waits for somebody else's result; takes over what nobody works on any more.
    async fn wait<T: Reply>(&self, operation: i64, key: &str) -> Result<T> {
        let mut waiter = self.ledger.waiting.join(operation);
        let end = Instant::now() + self.ledger.patience;
        loop {
            match self.ledger.db.write(Claim { operation }).await? {
                Claimed::Ours(lease, request) => return self.take_over(lease, request).await,
                Claimed::Ended(reply) => return reply.revive(),
                Claimed::Deferred => return Err(Failure::unavailable("it failed just now and is tried again later")),
                Claimed::Parked => return Err(Failure::unavailable("it was parked: a person has to look at it")),
                Claimed::Busy if Instant::now() >= end => {
                    tracing::info!(resource = key, "still under way elsewhere: whoever asks again joins");
                    return Err(Failure::unavailable("still under way elsewhere"));
                }
                Claimed::Busy => waiter.moved().await,
            }
        }
    }

    /// Goes on with what was asked of another process, or of this one before.
    async fn take_over<T: Reply>(&self, lease: Lease, request: StoredRequest) -> Result<T> {
        let addon = self.ledger.addon_id(&lease.addon)?;
        let request =
            T::request(request, addon, &lease.key).ok_or(LedgerError::damaged("a request of another kind"))?;
        self.run(lease, request).await
    }

    /// Calls the vendor's listener under a lease, and writes its answer down.
    async fn run<T: Reply>(&self, lease: Lease, request: T::Request) -> Result<T> {
        let _running = self.ledger.running.enter();
        let asks_again = T::asks_again(&request);
        let began = Instant::now();
        let result = match self.call::<T>(&lease, request).instrument(observe::span(&lease)).await {
            Told::Stopped => return Err(Failure::unavailable("the process stops: another one goes on")),
            Told::LeaseLost => Err(Failure::unavailable("the lease was lost: another process goes on")),
            Told::Said(result) => result,
        };
        let told = match &result {
            Ok(_) => observe::Result::Done,
            Err(failure) if failure.kind() == FailureKind::Unavailable => observe::Result::Failed,
            Err(_) => observe::Result::SaidNo,
        };
        let (addon, operation, key) = (lease.addon.clone(), lease.operation, lease.key.clone());
        let (written, result) = match result {
            Err(failure) if failure.kind() == FailureKind::Unavailable && asks_again => {
                let cause = failure.cause().unwrap_or_default();
                self.ledger.db.write(Defer { lease, cause }).await?;
                (true, Err(failure))
            }
            result => {
                let stored = result.as_ref().map_or_else(StoredReply::failed, T::store);
                (self.ledger.db.finish(Finish::new(&self.ledger.engine, lease, stored)).await?, result)
            }
        };
        self.ledger.waiting.hurry();
        observe::called(&addon, T::KIND, if written { told } else { observe::Result::Late }, began.elapsed());
        if written {
            return result;
        }
        tracing::warn!(resource = key, "came too late: another process has taken this operation over");
        Box::pin(self.wait(operation, &key)).await
    }

    /// The listener's work and the heartbeat side by side: without a lease there is no going on.
    async fn call<T: Reply>(&self, lease: &Lease, request: T::Request) -> Told<T> {
        let listener = self.listener.clone();
        let (key, fence) = (ResourceId::from(lease.key.as_str()), u64::try_from(lease.fence).unwrap_or_default());
        let work = async move { T::ask(&*listener, request, key, fence).await };
        let mut work = Box::pin(CatchPanic(Box::pin(work)).in_current_span());
        // what is done at the first look needs neither a task nor a heartbeat
        if let Poll::Ready(result) = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
            return Told::Said(T::told(result));
        }
        let mut work = Task(tokio::spawn(work));
        let mut stopping = self.ledger.stopping.subscribe();
        let told = tokio::select! {
            result = &mut work.0 => {
                return Told::Said(T::told(result.unwrap_or_else(|_| Err(Failure::unavailable("the process stops")))));
            }
            () = self.keep_alive(lease) => Told::LeaseLost,
            _ = stopping.wait_for(|stopping| *stopping) => Told::Stopped,
        };
        work.0.abort();
        let _ = (&mut work.0).await; // it may stand in a place where it cannot be stopped
        told
    }

    /// Renews the lease every third of it; returns when two thirds have passed without success.
    async fn keep_alive(&self, lease: &Lease) {
        let length = Duration::from_millis(u64::try_from(self.ledger.engine.limits.lease).unwrap_or_default());
        let mut renewed = Instant::now();
        loop {
            sleep(length / 3).await;
            let (began, end) = (Instant::now(), renewed + length * 2 / 3);
            let renewal = Renew { operation: lease.operation, fence: lease.fence };
            match timeout_at(end, self.ledger.db.write(renewal)).await {
                Ok(Ok(true)) => renewed = began,
                Ok(Ok(false)) | Err(_) => return,
                Ok(Err(error)) => {
                    tracing::warn!(%error, resource = lease.key, "cannot renew a lease");
                    if Instant::now() >= end {
                        return;
                    }
                }
            }
        }
    }
}

/// What became of a call.
enum Told<T> {
    Said(Result<T>),
    LeaseLost,
    Stopped,
}

/// Ends with whoever waits for it.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A call that panics has failed, and nothing else has.
struct CatchPanic<F>(Pin<Box<F>>);

impl<T, F: Future<Output = Result<T>>> Future for CatchPanic<F> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let work = self.0.as_mut();
        // the call is not looked at again, and what it shares with others is the vendor's to keep whole
        catch_unwind(AssertUnwindSafe(|| work.poll(cx)))
            .unwrap_or_else(|_| Poll::Ready(Err(Failure::unavailable("the listener panicked"))))
    }
}

impl<L: Listener> Listener for Kept<L> {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let addon = self.ledger.remember(&request.addon);
        let request = Arc::new(request);
        let command = AskProvision {
            addon: addon.clone(),
            key: key_of(request.resource.as_str()).into_owned(),
            plan: request.plan.clone(),
            asked: asked(&request),
            request: request.clone(),
        };
        self.ask(addon, command, request).await
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        let addon = self.ledger.remember(&request.addon);
        let command = AskPlanChange {
            addon: addon.clone(),
            id: request.resource.as_str().to_owned(),
            plan: request.plan.clone(),
            request: serde_json::to_vec(&StoredRequest::from(&request))?,
        };
        self.ask(addon, command, request).await
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        let addon = self.ledger.remember(&request.addon);
        let command = AskDeprovision { addon: addon.clone(), id: request.resource.as_str().to_owned() };
        self.ask(addon, command, request).await
    }

    /// Only into what is there, by the resource's key whatever the token named it by, and once with each token.
    async fn single_sign_on(&self, mut request: SignOn) -> Result<SignedOn> {
        let addon = self.ledger.remember(&request.addon);
        let resource = self.ledger.db.read(Find { addon: addon.clone(), id: request.resource.to_string() }).await?;
        let Some(resource) = resource.filter(|resource| resource.state.lives()) else {
            observe::signed_on(&addon, observe::SignOn::Unknown);
            return Err(Failure::unknown());
        };
        request.resource = ResourceId::from(resource.key);
        if !self.ledger.db.write(mark(&addon, &request)).await? {
            observe::signed_on(&addon, observe::SignOn::UsedBefore);
            tracing::warn!(resource = %request.resource, "refused a single sign-on: its token was used before");
            return Err(Failure::refused("Please go back and open the add-on once more."));
        }
        observe::signed_on(&addon, observe::SignOn::Accepted);
        let tie = format!("{addon} {}", request.resource);
        let signed_on = self.listener.single_sign_on(request).await?;
        // a session that is opened for a resource ends with it; see `Sessions`
        let opens_session = !signed_on.session_values().is_empty();
        Ok(if opens_session { signed_on.session(RESOURCE, tie) } else { signed_on })
    }

    fn plan_warning(&self, request: PlanWarning) -> impl Future<Output = Result<()>> + Send {
        self.listener.plan_warning(request)
    }

    /// The worker's way in: runs what nobody works on, if its turn has come.
    async fn resume(&self, operation: Resume) -> Result<()> {
        self.ledger.remember(&operation.addon);
        let claim = Claim { operation: operation.operation };
        let Claimed::Ours(lease, request) = self.ledger.db.write(claim).await? else { return Ok(()) };
        match lease.kind {
            Kind::Provision => self.take_over::<Provisioned>(lease, request).await.map(drop),
            Kind::PlanChange => self.take_over::<PlanChanged>(lease, request).await.map(drop),
            Kind::Deprovision => self.take_over::<Deprovisioned>(lease, request).await.map(drop),
        }
    }
}

/// The marks of a token and of every weaker one that the same form held: computed from what they cover, so that a form
/// that was stripped or altered where nothing is signed has the same ones.
fn mark(addon: &str, request: &SignOn) -> Mark {
    let covered = |strength: Strength| {
        let (user_id, email) = match (strength, &request.identity) {
            (Strength::User, who) => (who.user_id().unwrap_or_default(), who.email().unwrap_or_default()),
            _ => ("", ""),
        };
        let parts = (addon, request.resource.as_str(), format!("{strength:?}"), request.token.made_at, user_id, email);
        Sha256::digest(serde_json::to_vec(&parts).unwrap_or_default()).to_vec()
    };
    let weaker = [Strength::Resource, Strength::Legacy].into_iter().filter(|weaker| *weaker < request.token.strength);
    Mark {
        decider: covered(request.token.strength),
        weaker: weaker.map(covered).collect(),
        lasts: i64::try_from(request.token.good_for.whole_milliseconds()).unwrap_or(i64::MAX / 2),
    }
}
