//! What happened, both directions, in one order: calls with their answers, and notes of what happened without a call.

mod entry;
mod store;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use maitre_testkit::platform::Exchange;
use time::OffsetDateTime;
use tokio::sync::broadcast;

pub(crate) use self::{
    entry::{Completion, Direction, Entry, Finding, Head, Kind, Message},
    store::{Filter, Store},
};
use crate::events::PageEvent;

/// A clone is the same journal.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Inner>);

struct Inner {
    store: Store,
    /// The calls to the platform that have not ended, by their numbers there.
    open: Mutex<HashMap<usize, i64>>,
    live: broadcast::Sender<PageEvent>,
}

impl Journal {
    pub(crate) fn new(store: Store, live: broadcast::Sender<PageEvent>) -> Self {
        Self(Arc::new(Inner { store, open: Mutex::default(), live }))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// Writes down that a call began.
    pub(crate) fn begin(&self, head: Head, request: &Message) -> i64 {
        let id = self.0.store.insert(&head, Some(request));
        self.tell(id, head);
        id
    }

    /// Writes down how it ended, and tells what became of it.
    pub(crate) fn end(&self, id: i64, ending: Completion) -> Option<Head> {
        let (mut head, answer) = (self.0.store.head(id)?, ending.answer);
        head.ended = true;
        head.status = ending.status;
        head.took = ending.took;
        head.fault = ending.fault.or(head.fault);
        head.findings.extend(ending.findings);
        self.0.store.update(id, &head, answer.as_ref());
        self.tell(id, head.clone());
        Some(head)
    }

    /// Adds what turned out to be wrong with a call that has ended.
    pub(crate) fn add_finding(&self, id: i64, finding: Finding) {
        let Some(Entry { mut head, answer, .. }) = self.0.store.get(id) else { return };
        head.findings.push(finding);
        self.0.store.update(id, &head, answer.as_ref());
        self.tell(id, head);
    }

    /// Writes down what no call says.
    pub(crate) fn note(
        &self,
        at: OffsetDateTime,
        uuid: Option<&str>,
        title: impl Into<String>,
        finding: Option<Finding>,
    ) {
        let head = Head {
            uuid: uuid.map(str::to_owned),
            ended: true,
            findings: finding.into_iter().collect(),
            ..Head::new(at, Direction::Internal, Kind::Note, title)
        };
        let id = self.0.store.insert(&head, None);
        self.tell(id, head);
    }

    /// A call of the add-on to the platform arrived.
    pub(crate) fn asked(&self, exchange: &Exchange) {
        let kind = Kind::of_call(exchange.method(), exchange.path());
        let head = Head {
            method: exchange.method().to_owned(),
            url: exchange.request().url().to_owned(),
            ..Head::new(exchange.at(), Direction::FromAddon, kind, kind.title())
        };
        let message = Message::new(exchange.request().headers(), exchange.request().body());
        let id = self.begin(head, &message);
        self.open().insert(exchange.number(), id);
    }

    /// It was answered, or will not be.
    pub(crate) fn answered(&self, exchange: &Exchange) {
        let Some(id) = self.open().remove(&exchange.number()) else { return };
        let Some(mut head) = self.0.store.head(id) else { return };
        head.uuid = exchange.uuid().map(str::to_owned);
        head.ended = true;
        head.status = exchange.status();
        head.took = exchange.answered_at().map(|at| millis(at - exchange.at()));
        head.fault = exchange.fault().map(str::to_owned);
        let answer = exchange.status().map(|_| Message::new(exchange.answer_headers(), exchange.answer_body()));
        self.0.store.update(id, &head, answer.as_ref());
        self.tell(id, head);
    }

    fn tell(&self, id: i64, head: Head) {
        // nobody may be looking
        let _ = self.0.live.send(PageEvent::Entry(Arc::new((id, head))));
    }

    fn open(&self) -> MutexGuard<'_, HashMap<usize, i64>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A span of time in whole milliseconds.
pub(crate) fn millis(span: time::Duration) -> u64 {
    u64::try_from(span.whole_milliseconds()).unwrap_or_default()
}
