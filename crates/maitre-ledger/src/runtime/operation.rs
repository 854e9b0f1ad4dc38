//! Operations: what differs between their kinds, and provisions and deprovisions.

use std::sync::Arc;

use maitre_core::{
    AddonId, Context, Deprovision, Deprovisioned, Failure, FailureKind, Listener, Provision, Provisioned, ResourceId,
    Result,
};

use super::inner::Inner;
use crate::db::Command;
use crate::engine::{
    Attributes, BeginDeprovision, BeginOutcome, BeginProvision, Database, Engine, OperationKind, Page, Readiness,
    StoredReply, StoredRequest, config_of, expose,
};
use crate::error::LedgerError;

/// Request that runs as a recorded operation. A restored reply renders to the same bytes on the wire.
pub(super) trait Operation: Sized + Send + 'static {
    const KIND: OperationKind;
    /// Message to the customer when the operation is accepted.
    const ACCEPTED: &'static str;
    type Reply: Send + 'static;
    /// Command that records the operation.
    type Begin: Command<Engine, Outcome = BeginOutcome>;

    /// Records the operation.
    fn begin(
        db: &Database,
        command: Self::Begin,
    ) -> impl Future<Output = std::result::Result<BeginOutcome, LedgerError>> + Send {
        db.write(command)
    }

    fn context(&self) -> &Context;

    /// Returns what each run sets: the resource, which becomes its key whatever id the request came with, and the context.
    fn target(&mut self) -> (&mut ResourceId, &mut Context);

    /// Adds what the listener needs and only the ledger knows. `resource`: id of the resource's row.
    fn prepare(
        self,
        ledger: &Inner,
        resource: i64,
    ) -> impl Future<Output = std::result::Result<Self, LedgerError>> + Send {
        let _ = (ledger, resource);
        std::future::ready(Ok(self))
    }

    /// Returns the request's own values, if the marketplace reads them back.
    fn attributes(&self) -> Option<Attributes> {
        None
    }

    fn call<L: Listener>(self, listener: &L) -> impl Future<Output = Result<Self::Reply>> + Send;

    /// Restores a recorded request.
    fn restore(request: StoredRequest, addon: AddonId, key: &str) -> Option<Self>;

    /// Whether a worker repeats a failed operation. Not a provision without a key, whose repetition would mean another resource: what
    /// it may have created is deprovisioned.
    fn is_retryable(&self) -> bool {
        true
    }

    /// Interprets the listener's result. `asks`: see [`Lease::asks`](crate::engine::Lease).
    fn interpret(result: Result<Self::Reply>, asks: bool) -> Result<Self::Reply> {
        let _ = asks;
        result
    }

    /// Replaces the id in the reply by the key and returns the vendor's id: a caller that was answered "accepted" does not
    /// learn the vendor's id.
    fn with_key(reply: Self::Reply, _key: &str) -> (Self::Reply, Option<String>) {
        (reply, None)
    }

    /// Returns the reply if nothing has changed, where there is one.
    fn unchanged() -> Option<Self::Reply>;

    fn store(reply: &Self::Reply) -> StoredReply;

    fn restore_reply(reply: StoredReply) -> Option<Self::Reply>;
}

/// Restores the reply or the failure of an operation.
///
/// # Errors
/// Returns the recorded failure, or an error if the reply belongs to another kind of operation.
pub(super) fn restore_reply<O: Operation>(reply: StoredReply) -> Result<O::Reply> {
    if let StoredReply::Provisioned { readiness: Some(Readiness::Failed(message)), .. } = reply {
        let failure = Failure::refused("The add-on could not be set up.");
        return Err(message.into_iter().fold(failure, Failure::with_message));
    }
    if let StoredReply::Failed { ref message, ref code, .. } = reply {
        let declined = "The add-on provider declined this request.";
        let failure = match reply.failure_kind() {
            FailureKind::Refused => Failure::refused(declined),
            FailureKind::Conflict => Failure::conflict(declined),
            FailureKind::Unknown => Failure::unknown(),
            FailureKind::Gone => Failure::gone(),
            FailureKind::Concurrent => Failure::concurrent(),
            FailureKind::AsyncRequired => Failure::async_required(),
            _ => Failure::unavailable("an earlier attempt failed"),
        };
        let failure = code.iter().cloned().fold(failure, Failure::with_code);
        return Err(message.iter().cloned().fold(failure, Failure::with_message));
    }
    O::restore_reply(reply).ok_or_else(|| Failure::unavailable("the stored reply is of another kind of operation"))
}

/// Interprets the result of a removal. A listener that finds nothing to remove has succeeded: an earlier attempt removed it
/// and then died. If there was no earlier attempt and the ledger does not know it either, there was nothing.
pub(super) fn removed<R: Default>(result: Result<R>, asks: bool) -> Result<R> {
    let failure = match result {
        Ok(reply) => return Ok(reply),
        Err(failure) => failure,
    };
    match failure.kind() {
        FailureKind::Unknown | FailureKind::Gone if asks => Err(failure),
        FailureKind::Unknown | FailureKind::Gone => Ok(R::default()),
        FailureKind::Unavailable => Err(failure),
        _ => {
            tracing::error!("listener refused a removal, which no marketplace accepts: will be retried");
            Err(Failure::unavailable("the listener refused the removal"))
        }
    }
}

impl Operation for Arc<Provision> {
    const KIND: OperationKind = OperationKind::Provision;
    const ACCEPTED: &'static str = "Your add-on is being provisioned. It will be ready in a few minutes.";
    type Reply = Provisioned;
    type Begin = BeginProvision;

    fn begin(
        db: &Database,
        command: BeginProvision,
    ) -> impl Future<Output = std::result::Result<BeginOutcome, LedgerError>> + Send {
        db.write_batched(command)
    }

    fn context(&self) -> &Context {
        &self.context
    }

    fn target(&mut self) -> (&mut ResourceId, &mut Context) {
        let request = Arc::make_mut(self);
        (&mut request.resource, &mut request.context)
    }

    fn call<L: Listener>(self, listener: &L) -> impl Future<Output = Result<Provisioned>> + Send {
        let shows_pending = self.context.shows_pending;
        let reply = listener.provision(Arc::unwrap_or_clone(self));
        async move {
            match reply.await? {
                reply if reply.pending().is_some() && !shows_pending => {
                    Err(Failure::unavailable("the resource is pending, which this marketplace cannot show"))
                }
                reply => Ok(reply),
            }
        }
    }

    fn restore(request: StoredRequest, addon: AddonId, key: &str) -> Option<Self> {
        let StoredRequest::Provision(stored) = request else { return None };
        Some(Arc::new(stored.restore(addon, key)))
    }

    fn attributes(&self) -> Option<Attributes> {
        let reads_back = self.context.polled || self.context.reads_back;
        reads_back.then(|| Attributes {
            service: self.service.clone(),
            name: self.name.clone(),
            region: self.region.clone(),
            parameters: self.parameters.as_map().clone(),
            details: self.details.as_map().clone(),
        })
    }

    fn is_retryable(&self) -> bool {
        self.context.keyed
    }

    fn with_key(reply: Provisioned, key: &str) -> (Provisioned, Option<String>) {
        let provider_id = reply.id().as_str().to_owned();
        (reply.with_id(key), Some(provider_id))
    }

    fn unchanged() -> Option<Provisioned> {
        None
    }

    fn store(reply: &Provisioned) -> StoredReply {
        StoredReply::Provisioned {
            id: reply.id().as_str().to_owned(),
            own: None,
            config: config_of(reply.config()),
            message: reply.message().map(ToOwned::to_owned),
            log_drain_url: expose(reply.log_drain_url()),
            page: Page::new(reply.dashboard_url(), reply.notice()),
            attributes: None,
            readiness: reply.pending().map(Readiness::pending),
        }
    }

    fn restore_reply(reply: StoredReply) -> Option<Provisioned> {
        let check_after = reply.check_after();
        let StoredReply::Provisioned { id, config, message, log_drain_url, page, .. } = reply else { return None };
        let mut restored =
            config.into_iter().fold(Provisioned::new(id), |reply, (name, value)| reply.with_config(name, value));
        restored = message.into_iter().fold(restored, Provisioned::with_message);
        restored = log_drain_url.into_iter().fold(restored, Provisioned::with_log_drain_url);
        restored = check_after.into_iter().fold(restored, Provisioned::with_pending);
        restored = page.dashboard_url().into_iter().fold(restored, Provisioned::with_dashboard_url);
        Some(page.notice().into_iter().fold(restored, Provisioned::with_notice))
    }
}

impl Operation for Deprovision {
    const KIND: OperationKind = OperationKind::Deprovision;
    const ACCEPTED: &'static str = "Your add-on is being removed.";
    type Reply = Deprovisioned;
    type Begin = BeginDeprovision;

    fn context(&self) -> &Context {
        &self.context
    }

    fn target(&mut self) -> (&mut ResourceId, &mut Context) {
        (&mut self.resource, &mut self.context)
    }

    fn call<L: Listener>(self, listener: &L) -> impl Future<Output = Result<Deprovisioned>> + Send {
        listener.deprovision(self)
    }

    fn restore(request: StoredRequest, addon: AddonId, key: &str) -> Option<Self> {
        let StoredRequest::Deprovision(stored) = request else { return None };
        Some(stored.restore(addon, key))
    }

    fn interpret(result: Result<Deprovisioned>, asks: bool) -> Result<Deprovisioned> {
        removed(result, asks)
    }

    fn unchanged() -> Option<Deprovisioned> {
        Some(Deprovisioned::new())
    }

    fn store(reply: &Deprovisioned) -> StoredReply {
        StoredReply::Deprovisioned { message: reply.message().map(ToOwned::to_owned) }
    }

    fn restore_reply(reply: StoredReply) -> Option<Deprovisioned> {
        let StoredReply::Deprovisioned { message } = reply else { return None };
        Some(message.into_iter().fold(Deprovisioned::new(), Deprovisioned::with_message))
    }
}
