//! Binds and unbinds as recorded operations.

use maitre_core::{
    AddonId, Bind, Bound, Capability, ConfigVars, Context, Endpoint, Failure, Fields, Listener, ResourceId, Result,
    Unbind, Unbound,
};
use time::OffsetDateTime;

use super::inner::Inner;
use super::operation::{Operation, removed};
use crate::engine::{
    BeginBind, BeginUnbind, OperationKind, ReadConfig, StoredBound, StoredEndpoint, StoredReply, StoredRequest, expose,
};
use crate::error::LedgerError;

impl Operation for Bind {
    const KIND: OperationKind = OperationKind::Bind;
    const ACCEPTED: &'static str = "The binding is being created. It will be ready in a few minutes.";
    type Reply = Bound;
    type Begin = BeginBind;

    fn context(&self) -> &Context {
        &self.context
    }

    /// Adds the current config vars of the resource.
    async fn prepare(mut self, ledger: &Inner, resource: i64) -> std::result::Result<Self, LedgerError> {
        let config = ledger.db.read(ReadConfig { resource }).await?;
        self.config = config.map(|config| config.into_iter().collect::<ConfigVars>());
        Ok(self)
    }

    fn target(&mut self) -> (&mut ResourceId, &mut Context) {
        (&mut self.resource, &mut self.context)
    }

    /// Without config vars, only a listener with bindings of its own can know the resource.
    async fn call<L: Listener>(self, listener: &L) -> Result<Bound> {
        if self.config.is_none() && !listener.capabilities().contains(Capability::Bind) {
            return Err(Failure::unknown());
        }
        listener.bind(self).await
    }

    fn restore(request: StoredRequest, addon: AddonId, key: &str) -> Option<Self> {
        let StoredRequest::Bind(stored) = request else { return None };
        Some(stored.restore(addon, key))
    }

    fn unchanged() -> Option<Bound> {
        None
    }

    fn store(reply: &Bound) -> StoredReply {
        let milliseconds =
            |at: Option<OffsetDateTime>| at.and_then(|at| i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok());
        StoredReply::Bound(Box::new(StoredBound {
            credentials: reply.credentials().as_map().clone(),
            endpoints: reply.endpoints().iter().map(endpoint).collect(),
            syslog_drain_url: expose(reply.syslog_drain_url()),
            route_service_url: expose(reply.route_service_url()),
            volume_mounts: reply.volume_mounts().iter().map(|mount| mount.as_map().clone()).collect(),
            expires_at: milliseconds(reply.expires_at()),
            renew_before: milliseconds(reply.renew_before()),
        }))
    }

    fn restore_reply(reply: StoredReply) -> Option<Bound> {
        let StoredReply::Bound(stored) = reply else { return None };
        let time = |at: Option<i64>| {
            at.and_then(|at| OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000).ok())
        };
        let mut bound = Fields::from(stored.credentials)
            .into_iter()
            .fold(Bound::new(), |bound, (name, value)| bound.with_credential(name, value));
        for StoredEndpoint { host, ports, protocol } in stored.endpoints {
            let endpoint = Endpoint::new(host, ports);
            bound = bound.with_endpoint(match protocol {
                Some(protocol) => endpoint.with_protocol(protocol),
                None => endpoint,
            });
        }
        for mount in stored.volume_mounts {
            bound = bound.with_volume_mount(mount);
        }
        if let Some(url) = stored.syslog_drain_url {
            bound = bound.with_syslog_drain_url(url);
        }
        if let Some(url) = stored.route_service_url {
            bound = bound.with_route_service_url(url);
        }
        if let Some(at) = time(stored.expires_at) {
            bound = bound.with_expires_at(at);
        }
        Some(match time(stored.renew_before) {
            Some(at) => bound.with_renew_before(at),
            None => bound,
        })
    }
}

fn endpoint(endpoint: &Endpoint) -> StoredEndpoint {
    StoredEndpoint {
        host: endpoint.host().to_owned(),
        ports: endpoint.ports().to_vec(),
        protocol: endpoint.protocol().map(ToOwned::to_owned),
    }
}

impl Operation for Unbind {
    const KIND: OperationKind = OperationKind::Unbind;
    const ACCEPTED: &'static str = "The binding is being removed.";
    type Reply = Unbound;
    type Begin = BeginUnbind;

    fn context(&self) -> &Context {
        &self.context
    }

    fn target(&mut self) -> (&mut ResourceId, &mut Context) {
        (&mut self.resource, &mut self.context)
    }

    fn call<L: Listener>(self, listener: &L) -> impl Future<Output = Result<Unbound>> + Send {
        listener.unbind(self)
    }

    fn restore(request: StoredRequest, addon: AddonId, key: &str) -> Option<Self> {
        let StoredRequest::Unbind(stored) = request else { return None };
        Some(stored.restore(addon, key))
    }

    fn interpret(result: Result<Unbound>, asks: bool) -> Result<Unbound> {
        removed(result, asks)
    }

    fn unchanged() -> Option<Unbound> {
        Some(Unbound::new())
    }

    fn store(reply: &Unbound) -> StoredReply {
        StoredReply::Deprovisioned { message: reply.message().map(ToOwned::to_owned) }
    }

    fn restore_reply(reply: StoredReply) -> Option<Unbound> {
        let StoredReply::Deprovisioned { message } = reply else { return None };
        Some(message.into_iter().fold(Unbound::new(), Unbound::with_message))
    }
}
