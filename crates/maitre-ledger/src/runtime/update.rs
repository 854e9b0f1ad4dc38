//! Updates of parameters as recorded operations.

use maitre_core::{AddonId, Context, Listener, Progress, ResourceId, Result, Update, Updated};

use super::operation::Operation;
use crate::engine::{
    Attributes, BeginChange, BeginOutcome, Database, OperationKind, Page, StoredReply, StoredRequest, config_of,
};
use crate::error::LedgerError;

impl Operation for Update {
    const KIND: OperationKind = OperationKind::Update;
    const ACCEPTED: &'static str = "Your change is in progress and will complete in a few minutes.";
    type Reply = Updated;
    type Begin = BeginChange;

    fn begin(
        db: &Database,
        command: BeginChange,
    ) -> impl Future<Output = std::result::Result<BeginOutcome, LedgerError>> + Send {
        db.write(command)
    }

    fn context(&self) -> &Context {
        &self.context
    }

    fn attributes(&self) -> Option<Attributes> {
        self.context.polled.then(|| Attributes {
            service: self.service.clone(),
            name: self.name.clone(),
            parameters: self.parameters.as_map().clone(),
            ..Attributes::default()
        })
    }

    fn call<L: Listener>(
        mut self,
        listener: &L,
        key: ResourceId,
        fence: u64,
        progress: Progress,
    ) -> impl Future<Output = Result<Updated>> + Send {
        self.resource = key;
        (self.context.fence, self.context.progress) = (fence, progress);
        listener.update(self)
    }

    fn restore(request: StoredRequest, addon: AddonId, key: &str) -> Option<Self> {
        let StoredRequest::Update(stored) = request else { return None };
        Some(stored.restore(addon, key))
    }

    fn unchanged() -> Option<Updated> {
        Some(Updated::new())
    }

    fn store(reply: &Updated) -> StoredReply {
        let (config, page) = (config_of(reply.config()), Page::new(reply.dashboard_url(), reply.notice()));
        let message = reply.message().map(ToOwned::to_owned);
        StoredReply::PlanChanged { config, message, page, attributes: None }
    }

    fn restore_reply(reply: StoredReply) -> Option<Updated> {
        let StoredReply::PlanChanged { config, message, page, .. } = reply else { return None };
        let mut updated =
            config.into_iter().fold(Updated::new(), |reply, (name, value)| reply.with_config(name, value));
        updated = message.into_iter().fold(updated, Updated::with_message);
        updated = page.dashboard_url().into_iter().fold(updated, Updated::with_dashboard_url);
        Some(page.notice().into_iter().fold(updated, Updated::with_notice))
    }
}
