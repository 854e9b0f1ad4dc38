//! The newest exchanges, in the order of arrival.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use time::OffsetDateTime;

use super::{
    event::{PlatformEvent, Watchers},
    exchange::{Exchange, ExchangeNumber},
};
use crate::request::Request;

pub(crate) struct Journal {
    calls: Mutex<Calls>,
    watchers: Arc<Watchers>,
}

#[derive(Default)]
struct Calls {
    /// Number of discarded exchanges, which is the number of the first one that is kept.
    discarded: ExchangeNumber,
    kept: VecDeque<Exchange>,
}

impl Journal {
    pub(crate) fn new(watchers: Arc<Watchers>) -> Self {
        Self { calls: Mutex::default(), watchers }
    }

    /// Records a request, and discards all but the newest `limit` exchanges.
    pub(crate) fn record_request(&self, limit: usize, at: OffsetDateTime, request: Request) -> ExchangeNumber {
        let mut calls = self.calls();
        let number = calls.next();
        let exchange = Exchange::new(number, at, request);
        calls.kept.push_back(exchange.clone());
        while calls.kept.len() > limit.max(1) {
            calls.kept.pop_front();
            calls.discarded += 1;
        }
        drop(calls);
        self.watchers.notify(&PlatformEvent::RequestReceived(exchange));
        number
    }

    /// Returns the number of requests so far.
    pub(crate) fn len(&self) -> ExchangeNumber {
        self.calls().next()
    }

    /// Continues to count from this number.
    pub(crate) fn continue_at(&self, number: ExchangeNumber) {
        let mut calls = self.calls();
        if calls.kept.is_empty() {
            calls.discarded = number;
        }
    }

    pub(crate) fn set_addon(&self, number: ExchangeNumber, uuid: &str) {
        self.change(number, |exchange| exchange.uuid = Some(uuid.to_owned()));
    }

    pub(crate) fn set_fault(&self, number: ExchangeNumber, fault: String) {
        self.change(number, |exchange| exchange.fault = Some(fault));
    }

    pub(crate) fn record_response(
        &self,
        number: ExchangeNumber,
        at: OffsetDateTime,
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) {
        self.change(number, |exchange| exchange.set_response(at, status, headers, body));
    }

    /// Reports the end of a call, with or without a response.
    pub(crate) fn end(&self, number: ExchangeNumber) {
        let exchange = self.calls().get(number).cloned();
        if let Some(exchange) = exchange {
            self.watchers.notify(&PlatformEvent::ExchangeEnded(exchange));
        }
    }

    pub(crate) fn set_response_dropped(&self, number: ExchangeNumber, dropped: bool) {
        self.change(number, |exchange| exchange.response_dropped = dropped);
    }

    /// Whether the response may have been lost. True for discarded exchanges, so that they are not held against the
    /// vendor.
    pub(crate) fn is_response_dropped(&self, number: ExchangeNumber) -> bool {
        self.calls().get(number).is_none_or(|exchange| exchange.response_dropped)
    }

    pub(crate) fn copy(&self) -> Vec<Exchange> {
        self.calls().kept.iter().cloned().collect()
    }

    fn change(&self, number: ExchangeNumber, change: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = self.calls().get(number) {
            change(exchange);
        }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls {
    fn next(&self) -> ExchangeNumber {
        self.discarded + self.kept.len()
    }

    fn get(&mut self, number: ExchangeNumber) -> Option<&mut Exchange> {
        self.kept.get_mut(number.checked_sub(self.discarded)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbering_continues_when_old_exchanges_are_discarded() {
        let journal = Journal::new(Arc::default());
        let numbers: Vec<_> =
            (0..5).map(|_| journal.record_request(2, OffsetDateTime::UNIX_EPOCH, Request::new("GET", "/"))).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
        journal.set_addon(0, "discarded");
        journal.set_addon(4, "7");
        let kept: Vec<_> = journal.copy().iter().map(|call| (call.number(), call.uuid().is_some())).collect();
        assert_eq!(kept, [(3, false), (4, true)]);
        assert!(journal.is_response_dropped(0), "discarded exchanges count as dropped");
        assert!(!journal.is_response_dropped(3));
    }
}
