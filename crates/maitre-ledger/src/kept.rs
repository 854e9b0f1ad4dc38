//! A listener around a listener: asks the records first, and writes down what the vendor's own one says.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use maitre_core::sso::Strength;
use maitre_core::{
    Deprovision, Deprovisioned, Failure, FailureKind, Listener, PlanChange, PlanChanged, PlanWarning, Provision,
    Provisioned, ResourceId, Result, Resume, SignOn, SignedOn,
};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep, timeout_at};

use crate::db::Command;
use crate::engine::{
    AskDeprovision, AskPlanChange, AskProvision, Begun, Claim, Claimed, Defer, Find, Finish, Kind, Lease, Mark,
    RESOURCE, Renew,
};
use crate::ledger::Inner;
use crate::stored::{Request, Storable, StoredReply, StoredRequest, asked};

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

    /// In a task of its own: what is written down as begun is done, though the caller hangs up.
    async fn ask<T: Storable>(&self, command: impl Command<Outcome = Begun>, request: StoredRequest) -> Result<T> {
        let kept = self.clone();
        let asking = async move {
            let begun = kept.ledger.write(command).await?;
            kept.go_on(begun, request).await
        };
        match tokio::spawn(tracing::Instrument::in_current_span(asking)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::unavailable("the process stops")),
        }
    }

    /// From a decision to an answer, whoever finds it.
    async fn go_on<T: Storable>(&self, begun: Begun, request: StoredRequest) -> Result<T> {
        match begun {
            Begun::Run(lease) => self.run(lease, request).await,
            Begun::Wait { operation, key } => self.wait(operation, &key).await,
            Begun::Reply(reply) => reply.revive(),
            Begun::NoCall => T::nothing().ok_or_else(Failure::unknown),
            Begun::Conflict => Err(Failure::conflict("This add-on was ordered otherwise before.")),
            Begun::Unknown => Err(Failure::unknown()),
            Begun::Gone => Err(Failure::gone()),
            Begun::Unavailable => Err(Failure::unavailable("the ledger has nobody who could do this now")),
        }
    }

    /// Waits for somebody else's result; takes over what nobody works on any more.
    async fn wait<T: Storable>(&self, operation: i64, key: &str) -> Result<T> {
        let mut waiter = self.ledger.waiting.join(operation);
        let end = Instant::now() + self.ledger.patience;
        loop {
            match self.ledger.write(Claim { operation }).await? {
                Claimed::Ours(lease, request) => return self.run(lease, request).await,
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

    /// Calls the vendor's listener under a lease, and writes its answer down.
    async fn run<T: Storable>(&self, lease: Lease, request: StoredRequest) -> Result<T> {
        let asks_again = request.asks_again();
        let reply = match self.call(&lease, request).await {
            Ok(reply) => reply,
            Err(failure) if failure.kind() == FailureKind::Unavailable && asks_again => {
                let cause = failure.cause().unwrap_or_default();
                self.ledger.write(Defer { lease, cause }).await?;
                self.ledger.waiting.hurry();
                return Err(failure);
            }
            Err(failure) => StoredReply::failed(&failure),
        };
        let (operation, key) = (lease.operation, lease.key.clone());
        let written = self.ledger.write(Finish::new(&self.ledger.engine, lease, reply.clone())).await?;
        self.ledger.waiting.hurry();
        if written {
            return reply.revive();
        }
        tracing::warn!(resource = key, "came too late: another process has taken this operation over");
        Box::pin(self.wait(operation, &key)).await
    }

    /// The listener's work and the heartbeat side by side: without a lease there is no going on.
    async fn call(&self, lease: &Lease, request: StoredRequest) -> Result<StoredReply> {
        let listener = self.listener.clone();
        let fence = u64::try_from(lease.fence).unwrap_or_default();
        let kind = lease.kind;
        let addon = self.ledger.addon_id(&lease.addon)?;
        let request = request.revive(addon, &lease.key);
        let work = tokio::spawn(tracing::Instrument::in_current_span(async move {
            match request {
                Request::Provision(mut request) => {
                    request.fence = fence;
                    listener.provision(*request).await.map(|reply| reply.store())
                }
                Request::PlanChange(mut request) => {
                    request.fence = fence;
                    listener.plan_change(request).await.map(|reply| reply.store())
                }
                Request::Deprovision(mut request) => {
                    request.fence = fence;
                    listener.deprovision(request).await.map(|reply| reply.store())
                }
            }
        }));
        let stop = work.abort_handle();
        tokio::select! {
            result = work => match result {
                Ok(result) => removed_is_removed(kind, result),
                Err(_) => Err(Failure::unavailable("the listener panicked")),
            },
            () = self.keep_alive(lease) => {
                stop.abort();
                Err(Failure::unavailable("the lease was lost: another process goes on"))
            }
        }
    }

    /// Renews the lease every third of it; returns when two thirds have passed without success.
    async fn keep_alive(&self, lease: &Lease) {
        let length = Duration::from_millis(u64::try_from(self.ledger.engine.limits.lease).unwrap_or_default());
        let mut renewed = Instant::now();
        loop {
            sleep(length / 3).await;
            let (began, end) = (Instant::now(), renewed + length * 2 / 3);
            let renewal = Renew { operation: lease.operation, fence: lease.fence };
            match timeout_at(end, self.ledger.write(renewal)).await {
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

/// A removal that finds nothing to remove has been done: by the run before it, which died on the way home.
fn removed_is_removed(kind: Kind, result: Result<StoredReply>) -> Result<StoredReply> {
    match result {
        Err(failure) if kind == Kind::Deprovision => match failure.kind() {
            FailureKind::Unknown | FailureKind::Gone => Ok(StoredReply::Deprovisioned { message: None }),
            FailureKind::Unavailable => Err(failure),
            _ => {
                tracing::error!("the listener refused a deprovision, which no marketplace knows: tried again later");
                Err(Failure::unavailable("a refused deprovision"))
            }
        },
        other => other,
    }
}

impl<L: Listener> Listener for Kept<L> {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let stored = StoredRequest::from(&request);
        let addon = self.ledger.remember(&request.addon);
        let (key, plan) = (request.resource.as_str(), &request.plan);
        let whole = serde_json::to_vec(&stored)?;
        let command = AskProvision::new(&self.ledger.engine, addon, key, plan, asked(&request), &whole);
        self.ask(command, stored).await
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        let stored = StoredRequest::from(&request);
        let command = AskPlanChange {
            addon: self.ledger.remember(&request.addon),
            id: request.resource.as_str().to_owned(),
            plan: request.plan.clone(),
            request: serde_json::to_vec(&stored)?,
        };
        self.ask(command, stored).await
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        let command =
            AskDeprovision { addon: self.ledger.remember(&request.addon), id: request.resource.as_str().to_owned() };
        self.ask(command, StoredRequest::Deprovision).await
    }

    /// Only into what is there, by the resource's key whatever the token named it by, and once with each token.
    async fn single_sign_on(&self, mut request: SignOn) -> Result<SignedOn> {
        let addon = self.ledger.remember(&request.addon);
        let resource = self.ledger.read(Find { addon: addon.clone(), id: request.resource.to_string() }).await?;
        let resource = resource.filter(|resource| resource.state.lives()).ok_or_else(Failure::unknown)?;
        request.resource = ResourceId::from(resource.key);
        if !self.ledger.write(mark(&addon, &request)).await? {
            tracing::warn!(resource = %request.resource, "refused a single sign-on: its token was used before");
            return Err(Failure::refused("Please go back and open the add-on once more."));
        }
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
        let Claimed::Ours(lease, request) = self.ledger.write(claim).await? else { return Ok(()) };
        match lease.kind {
            Kind::Provision => self.run::<Provisioned>(lease, request).await.map(drop),
            Kind::PlanChange => self.run::<PlanChanged>(lease, request).await.map(drop),
            Kind::Deprovision => self.run::<Deprovisioned>(lease, request).await.map(drop),
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
