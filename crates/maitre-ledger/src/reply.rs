//! The three replies that are kept: how each is asked for, written down and read back.

use std::sync::Arc;
use std::time::Duration;

use maitre_core::{
    AddonId, ConfigVars, Deprovision, Deprovisioned, Failure, FailureKind, Listener, PlanChange, PlanChanged, Progress,
    Provision, Provisioned, ResourceId,
};

use crate::db::Command;
use crate::engine::{AskDeprovision, AskPlanChange, AskProvision, Begun, Kind};
use crate::error::LedgerError;
use crate::ledger::Inner;
use crate::stored::{StoredReply, StoredRequest, expose};

/// A listener's reply, and the request that it answers. Read back, it makes the same bytes on the wire.
pub(crate) trait Reply: Sized + Send + 'static {
    const KIND: Kind;
    /// What the listener is asked.
    type Request: Send + 'static;
    /// What is written down before it is asked.
    type Ask: Command<Outcome = Begun>;

    /// Writes the intent down.
    fn begin(ledger: &Inner, ask: Self::Ask) -> impl Future<Output = Result<Begun, LedgerError>> + Send;

    /// What a caller is told who is let go before it is done.
    const ACCEPTED: &'static str;

    /// How long the caller waits before it is let go, where it may be.
    fn give_way(request: &Self::Request) -> Option<Duration>;

    /// Asks the listener, by the resource's key whatever name the request came with.
    fn ask<L: Listener>(
        listener: &L,
        request: Self::Request,
        key: ResourceId,
        fence: u64,
        progress: Progress,
    ) -> impl Future<Output = maitre_core::Result<Self>> + Send;

    /// The request as it was written down.
    fn request(stored: StoredRequest, addon: AddonId, key: &str) -> Option<Self::Request>;

    /// Whether the marketplace would know the resource again. If not, what did not work out is taken down.
    fn asks_again(_: &Self::Request) -> bool {
        true
    }

    /// The same answered under the resource's key, and the listener's own name of it beside: who was let go cannot have
    /// been told that one.
    fn under_key(self, _: &str) -> (Self, Option<String>) {
        (self, None)
    }

    /// What the listener's word means.
    fn told(result: maitre_core::Result<Self>) -> maitre_core::Result<Self> {
        result
    }

    /// The answer to what needed no call, where there is such a thing.
    fn nothing() -> Option<Self>;
    fn store(&self) -> StoredReply;
    fn revive(reply: StoredReply) -> Option<Self>;
}

pub(crate) fn config_of(config: &ConfigVars) -> Vec<(String, String)> {
    config.iter().map(|(name, value)| (name.to_owned(), value.expose().to_owned())).collect()
}

impl Reply for Provisioned {
    const KIND: Kind = Kind::Provision;
    type Request = Arc<Provision>;
    type Ask = AskProvision;
    const ACCEPTED: &'static str = "Your add-on is being made. It is ready in a few minutes.";

    fn give_way(request: &Arc<Provision>) -> Option<Duration> {
        request.context.async_after
    }

    fn under_key(self, key: &str) -> (Self, Option<String>) {
        let own = self.id().as_str().to_owned();
        (self.with_id(key), Some(own))
    }

    fn begin(ledger: &Inner, ask: AskProvision) -> impl Future<Output = Result<Begun, LedgerError>> + Send {
        ledger.db.begin(ask)
    }

    fn ask<L: Listener>(
        listener: &L,
        request: Arc<Provision>,
        key: ResourceId,
        fence: u64,
        progress: Progress,
    ) -> impl Future<Output = maitre_core::Result<Self>> + Send {
        let mut request = Arc::unwrap_or_clone(request);
        request.resource = key;
        (request.context.fence, request.context.progress) = (fence, progress);
        listener.provision(request)
    }

    fn request(stored: StoredRequest, addon: AddonId, key: &str) -> Option<Arc<Provision>> {
        let StoredRequest::Provision(stored) = stored else { return None };
        Some(Arc::new(stored.revive(addon, key)))
    }

    fn asks_again(request: &Arc<Provision>) -> bool {
        request.context.keyed
    }

    fn nothing() -> Option<Self> {
        None
    }

    fn store(&self) -> StoredReply {
        StoredReply::Provisioned {
            id: self.id().as_str().to_owned(),
            own: None,
            config: config_of(self.config()),
            message: self.message().map(ToOwned::to_owned),
            log_drain_url: expose(self.log_drain_url()),
        }
    }

    fn revive(reply: StoredReply) -> Option<Self> {
        let StoredReply::Provisioned { id, config, message, log_drain_url, .. } = reply else { return None };
        let mut revived = config.into_iter().fold(Self::new(id), |reply, (name, value)| reply.with_config(name, value));
        if let Some(message) = message {
            revived = revived.with_message(message);
        }
        Some(match log_drain_url {
            Some(url) => revived.with_log_drain_url(url),
            None => revived,
        })
    }
}

impl Reply for PlanChanged {
    const KIND: Kind = Kind::PlanChange;
    type Request = PlanChange;
    type Ask = AskPlanChange;
    const ACCEPTED: &'static str = "Your plan is being changed. It is ready in a few minutes.";

    fn give_way(request: &PlanChange) -> Option<Duration> {
        request.context.async_after
    }

    fn begin(ledger: &Inner, ask: AskPlanChange) -> impl Future<Output = Result<Begun, LedgerError>> + Send {
        ledger.db.write(ask)
    }

    fn ask<L: Listener>(
        listener: &L,
        mut request: PlanChange,
        key: ResourceId,
        fence: u64,
        _: Progress,
    ) -> impl Future<Output = maitre_core::Result<Self>> + Send {
        (request.resource, request.context.fence) = (key, fence);
        listener.plan_change(request)
    }

    fn request(stored: StoredRequest, addon: AddonId, key: &str) -> Option<PlanChange> {
        let StoredRequest::PlanChange(stored) = stored else { return None };
        Some(stored.revive(addon, key))
    }

    fn nothing() -> Option<Self> {
        Some(Self::new())
    }

    fn store(&self) -> StoredReply {
        let message = self.message().map(ToOwned::to_owned);
        StoredReply::PlanChanged { config: config_of(self.config()), message }
    }

    fn revive(reply: StoredReply) -> Option<Self> {
        let StoredReply::PlanChanged { config, message } = reply else { return None };
        let revived = config.into_iter().fold(Self::new(), |reply, (name, value)| reply.with_config(name, value));
        Some(match message {
            Some(message) => revived.with_message(message),
            None => revived,
        })
    }
}

impl Reply for Deprovisioned {
    const KIND: Kind = Kind::Deprovision;
    type Request = Deprovision;
    type Ask = AskDeprovision;
    const ACCEPTED: &'static str = "Your add-on is being removed.";

    fn give_way(request: &Deprovision) -> Option<Duration> {
        request.context.async_after
    }

    fn begin(ledger: &Inner, ask: AskDeprovision) -> impl Future<Output = Result<Begun, LedgerError>> + Send {
        ledger.db.write(ask)
    }

    fn ask<L: Listener>(
        listener: &L,
        mut request: Deprovision,
        key: ResourceId,
        fence: u64,
        _: Progress,
    ) -> impl Future<Output = maitre_core::Result<Self>> + Send {
        (request.resource, request.context.fence) = (key, fence);
        listener.deprovision(request)
    }

    fn request(_: StoredRequest, addon: AddonId, key: &str) -> Option<Deprovision> {
        Some(Deprovision::new(addon, key))
    }

    /// What finds nothing to remove has been done: by the run before it, which died on the way home.
    fn told(result: maitre_core::Result<Self>) -> maitre_core::Result<Self> {
        let failure = match result {
            Ok(reply) => return Ok(reply),
            Err(failure) => failure,
        };
        match failure.kind() {
            FailureKind::Unknown | FailureKind::Gone => Ok(Self::new()),
            FailureKind::Unavailable => Err(failure),
            _ => {
                tracing::error!("the listener refused a deprovision, which no marketplace knows: tried again later");
                Err(Failure::unavailable("a refused deprovision"))
            }
        }
    }

    fn nothing() -> Option<Self> {
        Some(Self::new())
    }

    fn store(&self) -> StoredReply {
        StoredReply::Deprovisioned { message: self.message().map(ToOwned::to_owned) }
    }

    fn revive(reply: StoredReply) -> Option<Self> {
        let StoredReply::Deprovisioned { message } = reply else { return None };
        Some(match message {
            Some(message) => Self::new().with_message(message),
            None => Self::new(),
        })
    }
}
