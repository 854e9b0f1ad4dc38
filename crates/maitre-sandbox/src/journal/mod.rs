//! Journal of calls in both directions, with their responses, and of state changes.

mod store;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use maitre_testkit::platform::Exchange;
use time::OffsetDateTime;

pub(crate) use self::store::{Filter, Store};
use crate::{
    entry::{Completion, Direction, Entry, Finding, Head, Kind, Message},
    events::{PageEvent, Subscribers},
};

/// A clone is the same journal.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Inner>);

struct Inner {
    store: Store,
    /// Pending calls to the platform: the platform's exchange number and the entry id.
    pending: Mutex<HashMap<usize, i64>>,
    subscribers: Subscribers,
}

impl Journal {
    pub(crate) fn new(store: Store, subscribers: Subscribers) -> Self {
        Self(Arc::new(Inner { store, pending: Mutex::default(), subscribers }))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// Records the start of a call, and returns the entry id.
    pub(crate) fn begin(&self, head: Head, request: &Message) -> i64 {
        let id = self.0.store.insert(&head, Some(request));
        self.publish(id, head);
        id
    }

    /// Records the result of a call.
    pub(crate) fn complete(&self, id: i64, completion: Completion) {
        let Some(mut head) = self.0.store.head(id) else { return };
        head.completed = true;
        head.status = completion.status;
        head.duration_ms = completion.duration_ms;
        head.findings.extend(completion.findings);
        self.0.store.update(id, &head, completion.response.as_ref());
        self.publish(id, head);
    }

    /// Adds a finding to a completed call.
    pub(crate) fn add_finding(&self, id: i64, finding: Finding) {
        let Some(Entry { mut head, response, .. }) = self.0.store.get(id) else { return };
        head.findings.push(finding);
        self.0.store.update(id, &head, response.as_ref());
        self.publish(id, head);
    }

    /// Records an event that is not a call.
    pub(crate) fn note(
        &self,
        at: OffsetDateTime,
        uuid: Option<&str>,
        title: impl Into<String>,
        finding: Option<Finding>,
    ) {
        let head = Head {
            uuid: uuid.map(str::to_owned),
            completed: true,
            findings: finding.into_iter().collect(),
            ..Head::new(at, Direction::Internal, Kind::Note, title)
        };
        let id = self.0.store.insert(&head, None);
        self.publish(id, head);
    }

    /// Records the start of a call from the add-on to the platform.
    pub(crate) fn exchange_started(&self, exchange: &Exchange) {
        let kind = Kind::of_platform_call(exchange.method(), exchange.path());
        let head = Head {
            method: exchange.method().to_owned(),
            url: exchange.request().url().to_owned(),
            ..Head::new(exchange.at(), Direction::FromAddon, kind, kind.title())
        };
        let message = Message::new(exchange.request().headers(), exchange.request().body());
        let id = self.begin(head, &message);
        self.pending().insert(exchange.number(), id);
    }

    /// Records the response to a call from the add-on to the platform, or that there will be none.
    pub(crate) fn exchange_ended(&self, exchange: &Exchange) {
        let Some(id) = self.pending().remove(&exchange.number()) else { return };
        let Some(mut head) = self.0.store.head(id) else { return };
        head.uuid = exchange.uuid().map(str::to_owned);
        head.completed = true;
        head.status = exchange.status();
        head.duration_ms = exchange.responded_at().map(|at| millis(at - exchange.at()));
        head.fault = exchange.fault().map(str::to_owned);
        let response = exchange.status().map(|_| Message::new(exchange.response_headers(), exchange.response_body()));
        self.0.store.update(id, &head, response.as_ref());
        self.publish(id, head);
    }

    fn publish(&self, id: i64, head: Head) {
        self.0.subscribers.publish(PageEvent::Entry(Arc::new((id, head))));
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<usize, i64>> {
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(span: time::Duration) -> u64 {
    u64::try_from(span.whole_milliseconds()).unwrap_or_default()
}
