//! Journal of calls in both directions, with their responses, and of state changes.

mod filter;
mod store;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use maitre_testkit::platform::Exchange;
use time::OffsetDateTime;

pub(crate) use self::{filter::Filter, store::Store};
use crate::{
    entry::{Completion, Direction, Entry, Finding, Head, Kind, Message, Replay},
    events::{PageEvent, Subscribers},
};

/// A clone is the same journal.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Inner>);

struct Inner {
    store: Store,
    /// Pending calls to the platform: the platform's exchange number and the entry id.
    pending: Mutex<HashMap<usize, i64>>,
    /// Current operation of each resource: the id of its first entry, or `None` until that entry is recorded.
    operations: Mutex<HashMap<String, Option<i64>>>,
    subscribers: Subscribers,
}

impl Journal {
    pub(crate) fn new(store: Store, subscribers: Subscribers) -> Self {
        Self(Arc::new(Inner { store, pending: Mutex::default(), operations: Mutex::default(), subscribers }))
    }

    /// Starts an operation of a resource: the next entry of the resource is the first one of the operation, and the
    /// entries after it belong to it until the next operation starts.
    pub(crate) fn start_operation(&self, uuid: &str) {
        self.operations().insert(uuid.to_owned(), None);
    }

    /// Deletes all entries, and records why.
    pub(crate) fn clear(&self, at: OffsetDateTime, title: &str) {
        self.operations().clear();
        let head = Head { completed: true, ..Head::new(at, Direction::Internal, Kind::Note, title) };
        let id = self.0.store.insert(&head, None);
        self.0.store.delete_before(id);
        self.0.subscribers.publish(PageEvent::Cleared);
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// Records the start of a call, and returns the entry id.
    pub(crate) fn begin(&self, mut head: Head, request: &Message) -> i64 {
        self.assign_operation(&mut head);
        let id = self.0.store.insert(&head, Some(request));
        self.note_first_entry(id, &head);
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
        self.publish_completed(id, head);
    }

    /// Records how a replayed call compares with the recorded one.
    pub(crate) fn compare(&self, id: i64, replay: Replay) {
        let Some(Entry { mut head, response, .. }) = self.0.store.get(id) else { return };
        head.replay = Some(replay);
        self.0.store.update(id, &head, response.as_ref());
        self.publish(id, head);
    }

    /// Adds a finding to a completed call.
    pub(crate) fn add_finding(&self, id: i64, finding: Finding) {
        let Some(Entry { mut head, response, .. }) = self.0.store.get(id) else { return };
        head.findings.push(finding.clone());
        self.0.store.update(id, &head, response.as_ref());
        self.0.subscribers.publish(PageEvent::Finding(Arc::new((head.title.clone(), finding))));
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
        let mut head = Head {
            uuid: uuid.map(str::to_owned),
            completed: true,
            findings: finding.into_iter().collect(),
            ..Head::new(at, Direction::Internal, Kind::Note, title)
        };
        self.assign_operation(&mut head);
        let id = self.0.store.insert(&head, None);
        self.publish_completed(id, head);
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
        head.uuid = exchange.uuid().or_else(|| uuid_in(exchange.path())).map(str::to_owned);
        head.completed = true;
        head.status = exchange.status();
        head.duration_ms = exchange.responded_at().map(|at| millis(at - exchange.at()));
        head.fault = exchange.fault().map(str::to_owned);
        self.assign_operation(&mut head);
        let response = exchange.status().map(|_| Message::new(exchange.response_headers(), exchange.response_body()));
        self.0.store.update(id, &head, response.as_ref());
        self.publish_completed(id, head);
    }

    fn assign_operation(&self, head: &mut Head) {
        if let Some(uuid) = head.uuid.as_deref().filter(|_| head.continues_operation()) {
            head.operation = self.operations().get(uuid).copied().flatten();
        }
    }

    /// Makes an entry the first one of its operation if the operation has none yet.
    fn note_first_entry(&self, id: i64, head: &Head) {
        if let Some(uuid) = head.uuid.as_deref().filter(|_| head.continues_operation())
            && let Some(first) = self.operations().get_mut(uuid)
        {
            first.get_or_insert(id);
        }
    }

    fn publish_completed(&self, id: i64, head: Head) {
        self.0.subscribers.publish(PageEvent::Completed(Arc::new(head.clone())));
        self.publish(id, head);
    }

    fn publish(&self, id: i64, head: Head) {
        self.0.subscribers.publish(PageEvent::Entry(Arc::new((id, head))));
    }

    fn operations(&self) -> MutexGuard<'_, HashMap<String, Option<i64>>> {
        self.0.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<usize, i64>> {
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the UUID in a path, which names the resource at some marketplaces.
fn uuid_in(path: &str) -> Option<&str> {
    let is_uuid = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') && text.contains('-');
    let ends = path.split('/').filter_map(|part| part.get(part.len().checked_sub(36)?..));
    ends.into_iter().find(|end| is_uuid(end))
}

fn millis(span: time::Duration) -> u64 {
    u64::try_from(span.whole_milliseconds()).unwrap_or_default()
}
