//! What was asked and answered, in the order of arrival. The newest is remembered.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::{request::Parts, response};
use time::OffsetDateTime;

use super::{
    event::{PlatformEvent, Watchers},
    exchange::Exchange,
    world::Seq,
};

pub(super) struct Journal {
    calls: Mutex<Calls>,
    watchers: Arc<Watchers>,
}

#[derive(Default)]
struct Calls {
    /// How many are forgotten, and so the number of the first that is not.
    forgotten: Seq,
    kept: VecDeque<Exchange>,
}

impl Journal {
    pub(super) fn new(watchers: Arc<Watchers>) -> Self {
        Self { calls: Mutex::default(), watchers }
    }

    /// Writes a call down, and forgets what is older than the newest `limit`.
    pub(super) fn arrived(&self, limit: usize, at: OffsetDateTime, parts: &Parts, body: &[u8]) -> Seq {
        let mut calls = self.calls();
        let number = calls.next();
        let exchange = Exchange::new(number, at, parts, body);
        calls.kept.push_back(exchange.clone());
        while calls.kept.len() > limit.max(1) {
            calls.kept.pop_front();
            calls.forgotten += 1;
        }
        drop(calls);
        self.watchers.tell(&PlatformEvent::RequestReceived(exchange));
        number
    }

    /// How many arrived up to now.
    pub(super) fn len(&self) -> Seq {
        self.calls().next()
    }

    /// Goes on counting from here, as after so many calls.
    pub(super) fn continue_at(&self, number: Seq) {
        let mut calls = self.calls();
        if calls.kept.is_empty() {
            calls.forgotten = number;
        }
    }

    pub(super) fn about(&self, seq: Seq, uuid: &str) {
        self.change(seq, |exchange| exchange.uuid = Some(uuid.to_owned()));
    }

    pub(super) fn mark_corrupted(&self, seq: Seq, fault: String) {
        self.change(seq, |exchange| exchange.fault = Some(fault));
    }

    pub(super) fn answered(&self, seq: Seq, at: OffsetDateTime, head: &response::Parts, body: &[u8]) {
        self.change(seq, |exchange| exchange.answer(at, head, body));
    }

    /// Tells that a call came to its end, answered or not.
    pub(super) fn ended(&self, seq: Seq) {
        let exchange = self.calls().get(seq).cloned();
        if let Some(exchange) = exchange {
            self.watchers.tell(&PlatformEvent::ExchangeEnded(exchange));
        }
    }

    pub(super) fn drop_response(&self, seq: Seq, response_dropped: bool) {
        self.change(seq, |exchange| exchange.response_dropped = response_dropped);
    }

    /// Whether the vendor may not have learnt what was done. What is forgotten is held against nobody.
    pub(super) fn is_response_dropped(&self, seq: Seq) -> bool {
        self.calls().get(seq).is_none_or(|exchange| exchange.response_dropped)
    }

    pub(super) fn copy(&self) -> Vec<Exchange> {
        self.calls().kept.iter().cloned().collect()
    }

    fn change(&self, seq: Seq, change: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = self.calls().get(seq) {
            change(exchange);
        }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls {
    fn next(&self) -> Seq {
        self.forgotten + self.kept.len()
    }

    fn get(&mut self, seq: Seq) -> Option<&mut Exchange> {
        self.kept.get_mut(seq.checked_sub(self.forgotten)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_when_the_oldest_are_forgotten() {
        let journal = Journal::new(Arc::default());
        let (parts, ()) = axum::http::Request::new(()).into_parts();
        let numbers: Vec<_> = (0..5).map(|_| journal.arrived(2, OffsetDateTime::UNIX_EPOCH, &parts, b"")).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
        journal.about(0, "nobody remembers");
        journal.about(4, "7");
        let kept: Vec<_> = journal.copy().iter().map(|call| (call.number(), call.uuid().is_some())).collect();
        assert_eq!(kept, [(3, false), (4, true)]);
        assert!(journal.is_response_dropped(0), "what is forgotten is held against nobody");
        assert!(!journal.is_response_dropped(3));
    }
}
