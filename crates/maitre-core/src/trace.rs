//! Trace context by W3C's recommendation, which connects a request with its operation and the calls that follow.

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

thread_local! {
    static CURRENT: RefCell<Option<TraceParent>> = const { RefCell::new(None) };
}

/// Value of a `traceparent` header (W3C Trace Context, version 00).
///
/// ```
/// use maitre_core::TraceParent;
///
/// let parent = TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
/// assert_eq!(parent.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert!(TraceParent::parse("00-00000000000000000000000000000000-00f067aa0ba902b7-01").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(Arc<str>);

impl TraceParent {
    /// Parses the value of the header. Returns `None` if it is invalid; a request must then be handled as without it. Fields
    /// that a later version adds are dropped.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut fields = header.split('-');
        let (version, trace, span, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let is_hex = |field: &str, length: usize| {
            field.len() == length && field.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_id = |field: &str, length: usize| is_hex(field, length) && field.bytes().any(|byte| byte != b'0');
        let is_valid = is_hex(version, 2)
            && version != "ff"
            && is_id(trace, 32)
            && is_id(span, 16)
            && is_hex(flags, 2)
            && (version != "00" || fields.next().is_none());
        is_valid.then(|| Self(format!("00-{trace}-{span}-{flags}").into()))
    }

    /// Returns the header's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the id of the trace, 32 hex digits.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        self.0.get(3..35).unwrap_or_default()
    }

    /// Returns the trace of the running listener call or notification. Add it to the calls that a listener makes.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Runs a future in which [`current`](Self::current) returns the trace. Without one, it only runs the future.
    ///
    /// ```
    /// use maitre_core::TraceParent;
    ///
    /// # let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    /// let parent = TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    /// let call = TraceParent::scope(parent.clone(), async { TraceParent::current() });
    /// # let std::task::Poll::Ready(seen) = std::pin::pin!(call).poll(&mut cx) else { panic!() };
    /// assert_eq!(seen, parent);
    /// assert_eq!(TraceParent::current(), None);
    /// ```
    pub async fn scope<F: Future>(trace: Option<Self>, future: F) -> F::Output {
        let Some(trace) = trace else { return future.await };
        let mut future = pin!(future);
        poll_fn(|cx| {
            let _entered = Entered(CURRENT.replace(Some(trace.clone())));
            future.as_mut().poll(cx)
        })
        .await
    }
}

/// Restores the earlier trace, also after a panic.
struct Entered(Option<TraceParent>);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_header_is_ignored() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parse = |header: &str| TraceParent::parse(header).map(|parent| parent.to_string());
        let valid = format!("00-{trace}-00f067aa0ba902b7-01");
        assert_eq!(parse(&valid), Some(valid.clone()));
        assert_eq!(parse(&format!("cc-{trace}-00f067aa0ba902b7-01-later")), Some(valid.clone()), "a later version");
        for header in [
            String::new(),
            trace.to_owned(),
            format!("{valid}-more"),
            valid.to_uppercase(),
            valid.replace(trace, &trace[1..]),
            valid.replace("00f067aa0ba902b7", "0000000000000000"),
            valid.replacen("00", "ff", 1),
            format!("{valid} "),
        ] {
            assert_eq!(parse(&header), None, "{header}");
        }
    }
}
