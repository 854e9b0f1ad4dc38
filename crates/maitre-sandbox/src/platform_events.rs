//! Records the events of the platform in the journal.

use std::sync::atomic::Ordering;

use maitre_conformance::Marketplace;
use maitre_testkit::{
    Reply,
    platform::{PlatformEvent, Rule},
};

use crate::{
    entry::{Completion, Direction, Finding, Head, Kind, Message},
    events::PageEvent,
    journal::Filter,
    sandbox::Inner,
};

impl Inner {
    pub(crate) fn on_platform_event(&self, event: &PlatformEvent) {
        self.dirty.store(true, Ordering::Relaxed);
        match event {
            PlatformEvent::RequestReceived(exchange) => self.journal.exchange_started(exchange),
            PlatformEvent::ExchangeEnded(exchange) => self.journal.exchange_ended(exchange),
            // the rules of Heroku's API
            PlatformEvent::RuleViolated(_) if self.addon.credentials.marketplace != Marketplace::Heroku => {}
            PlatformEvent::WebhookPosted { uuid, request, reply } => {
                let now = self.platform.clock().now();
                let head = Head {
                    uuid: Some(uuid.clone()),
                    method: request.method().to_owned(),
                    url: request.url().to_owned(),
                    ..Head::new(now, Direction::ToAddon, Kind::Webhook, Kind::Webhook.title())
                };
                let id = self.journal.begin(head, &Message::new(request.headers(), request.body()));
                let response = reply.as_ref().map(|reply| Message::new(reply.headers(), reply.body()));
                let status = reply.as_ref().map(Reply::status);
                self.journal.complete(id, Completion { status, response, ..Completion::default() });
            }
            PlatformEvent::RuleViolated(violation) => {
                if violation.rule() == Rule::LostGrant && !self.needs_token(violation.uuid()) {
                    return;
                }
                if let Some(check) = maitre_conformance::inspect::check_for_rule(violation.rule()) {
                    let finding = Finding::new(check, violation.to_string());
                    let title = "Violation of Heroku's rules";
                    self.journal.note(violation.at(), violation.uuid(), title, Some(finding));
                }
            }
            PlatformEvent::InstallChanged(_) => self.subscribers.publish(PageEvent::Installs),
            _ => {}
        }
    }

    /// Whether the add-on answered a provision with 202, and so has to call Heroku. Reads the journal, because the
    /// platform is locked during an event.
    fn needs_token(&self, uuid: Option<&str>) -> bool {
        let entries = self.journal.store().page(&Filter { uuid: uuid.map(str::to_owned), ..Filter::default() }, 100);
        entries.iter().any(|(_, head)| head.kind == Kind::Provision && head.status == Some(202))
    }
}
