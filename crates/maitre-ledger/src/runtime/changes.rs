//! Plan changes, updates of parameters and rotations of credentials as recorded operations.

use maitre_core::{
    AddonId, Capability, Context, Listener, PlanChange, PlanChanged, ResourceId, Result, Rotate, Rotated, Update,
    Updated,
};

use super::operation::Operation;
use crate::engine::{Attributes, BeginChange, OperationKind, Page, StoredReply, StoredRequest, config_of};

/// Stores and restores a reply of this type, which is the same for both kinds of change.
macro_rules! change_reply {
    ($reply:ty) => {
        fn unchanged() -> Option<$reply> {
            Some(<$reply>::new())
        }

        fn store(reply: &$reply) -> StoredReply {
            let (config, page) = (config_of(reply.config()), Page::new(reply.dashboard_url(), reply.notice()));
            let message = reply.message().map(ToOwned::to_owned);
            StoredReply::PlanChanged { config, message, page, attributes: None }
        }

        fn restore_reply(reply: StoredReply) -> Option<$reply> {
            let StoredReply::PlanChanged { config, message, page, .. } = reply else { return None };
            let mut restored =
                config.into_iter().fold(<$reply>::new(), |reply, (name, value)| reply.with_config(name, value));
            restored = message.into_iter().fold(restored, <$reply>::with_message);
            restored = page.dashboard_url().into_iter().fold(restored, <$reply>::with_dashboard_url);
            Some(page.notice().into_iter().fold(restored, <$reply>::with_notice))
        }
    };
}

impl Operation for PlanChange {
    const KIND: OperationKind = OperationKind::PlanChange;
    const ACCEPTED: &'static str = "Your plan change is in progress and will complete in a few minutes.";
    type Reply = PlanChanged;
    type Begin = BeginChange;

    fn context(&self) -> &Context {
        &self.context
    }

    fn target(&mut self) -> (&mut ResourceId, &mut Context) {
        (&mut self.resource, &mut self.context)
    }

    fn call<L: Listener>(self, listener: &L) -> impl Future<Output = Result<PlanChanged>> + Send {
        listener.plan_change(self)
    }

    fn restore(request: StoredRequest, addon: AddonId, key: &str) -> Option<Self> {
        let StoredRequest::PlanChange(stored) = request else { return None };
        Some(stored.restore(addon, key))
    }

    fn attributes(&self) -> Option<Attributes> {
        let parameters = self.parameters.as_ref().map(|parameters| parameters.as_map().clone());
        let reads_back = self.context.polled || self.context.reads_back;
        reads_back.then(|| Attributes {
            service: self.service.clone(),
            name: self.name.clone(),
            parameters: parameters.unwrap_or_default(),
            ..Attributes::default()
        })
    }

    change_reply!(PlanChanged);
}

impl Operation for Update {
    const KIND: OperationKind = OperationKind::Update;
    const ACCEPTED: &'static str = "Your change is in progress and will complete in a few minutes.";
    type Reply = Updated;
    type Begin = BeginChange;

    fn context(&self) -> &Context {
        &self.context
    }

    fn attributes(&self) -> Option<Attributes> {
        let reads_back = self.context.polled || self.context.reads_back;
        reads_back.then(|| Attributes {
            service: self.service.clone(),
            name: self.name.clone(),
            parameters: self.parameters.as_map().clone(),
            ..Attributes::default()
        })
    }

    fn target(&mut self) -> (&mut ResourceId, &mut Context) {
        (&mut self.resource, &mut self.context)
    }

    /// A change of the name only does not require a listener with parameters.
    async fn call<L: Listener>(self, listener: &L) -> Result<Updated> {
        let is_name = self.name.is_some() && self.parameters.is_empty();
        if is_name && !listener.capabilities().contains(Capability::Update) {
            return Ok(Updated::new());
        }
        listener.update(self).await
    }

    fn restore(request: StoredRequest, addon: AddonId, key: &str) -> Option<Self> {
        let StoredRequest::Update(stored) = request else { return None };
        Some(stored.restore(addon, key))
    }

    change_reply!(Updated);
}

impl Operation for Rotate {
    const KIND: OperationKind = OperationKind::Rotate;
    const ACCEPTED: &'static str = "Your credentials are being replaced.";
    type Reply = Rotated;
    type Begin = BeginChange;

    fn context(&self) -> &Context {
        &self.context
    }

    fn target(&mut self) -> (&mut ResourceId, &mut Context) {
        (&mut self.resource, &mut self.context)
    }

    fn call<L: Listener>(self, listener: &L) -> impl Future<Output = Result<Rotated>> + Send {
        listener.rotate(self)
    }

    fn restore(request: StoredRequest, addon: AddonId, key: &str) -> Option<Self> {
        let StoredRequest::Rotate(stored) = request else { return None };
        Some(stored.restore(addon, key))
    }

    fn unchanged() -> Option<Rotated> {
        None
    }

    fn store(reply: &Rotated) -> StoredReply {
        let message = reply.message().map(ToOwned::to_owned);
        StoredReply::PlanChanged { config: config_of(reply.config()), message, page: Page::default(), attributes: None }
    }

    fn restore_reply(reply: StoredReply) -> Option<Rotated> {
        let StoredReply::PlanChanged { config, message, .. } = reply else { return None };
        let restored = config.into_iter().fold(Rotated::new(), |reply, (name, value)| reply.with_config(name, value));
        Some(message.into_iter().fold(restored, Rotated::with_message))
    }
}
