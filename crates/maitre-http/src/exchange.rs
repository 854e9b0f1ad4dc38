//! One attempt of a call.

use std::{
    fmt,
    time::{Duration, Instant},
};

use maitre_core::TraceParent;
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use time::OffsetDateTime;

use crate::{body::read_body, call_error::CallError, retry::retry_after};

/// Response of a marketplace, with its body read completely.
///
/// The body of an error response that could not be read is empty, because its status is sufficient. `Debug` prints the status
/// only, because bodies contain config values and tokens.
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl Reply {
    /// Whether the status is one of success (2xx).
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the marketplace's id of the request.
    #[must_use]
    pub fn request_id(&self) -> Option<String> {
        text(&self.headers, "request-id").map(str::to_owned)
    }

    /// Returns the time that the marketplace requires before the next attempt.
    #[must_use]
    pub fn retry_after(&self, now: OffsetDateTime) -> Option<Duration> {
        retry_after(&self.headers, now)
    }

    /// Returns the number of requests that the rate limit still allows.
    #[must_use]
    pub fn remaining_requests(&self) -> Option<u32> {
        let names = ["ratelimit-remaining", "x-ratelimit-remaining"];
        names.iter().find_map(|name| text(&self.headers, name)?.trim().parse().ok())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Sends a request once, in the current trace, and reads the response. With the feature `metrics` it is counted. `call` is
/// method and path, for errors and the log.
///
/// # Errors
/// Returns an error if there is no response, or if the body of a success cannot be read or is longer than `max_body` bytes.
pub async fn exchange(
    marketplace: &'static str,
    call: &str,
    request: RequestBuilder,
    max_body: usize,
) -> Result<Reply, CallError> {
    let unsent = |cause| CallError::transport(call, cause);
    let request = match TraceParent::current() {
        Some(trace) => request.header("traceparent", trace.as_str()),
        None => request,
    };
    let (http, request) = request.build_split();
    let request = request.map_err(unsent)?;
    let (method, start) = (request.method().clone(), Instant::now());
    let response = http.execute(request).await;
    let status = response.as_ref().ok().map(|response| response.status().as_u16());
    count(marketplace, &method, status, start.elapsed());
    let mut response = response.map_err(unsent)?;
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let body = read_body(&mut response, max_body).await;
    let mut reply = Reply { status: status.as_u16(), headers, body: Vec::new() };
    tracing::debug!(marketplace, call, status = reply.status, request_id = reply.request_id(), "response");
    let too_long = || {
        let cause = format!("the body is longer than {} MiB", max_body >> 20);
        CallError::unreadable(call, reply.status, reply.request_id(), cause)
    };
    reply.body = match body {
        Ok(Some(body)) => body,
        _ if !reply.is_success() => Vec::new(),
        Ok(None) => return Err(too_long()),
        Err(cause) => return Err(unsent(cause)),
    };
    Ok(reply)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Counts an attempt and its duration. The status is `none` without a response.
#[cfg(feature = "metrics")]
fn count(marketplace: &'static str, method: &Method, status: Option<u16>, took: Duration) {
    let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    let method = method.as_str().to_owned();
    metrics::histogram!("maitre_marketplace_call_duration_seconds", "marketplace" => marketplace).record(took);
    let labels = [("marketplace", marketplace.to_owned()), ("method", method), ("status", status)];
    metrics::counter!("maitre_marketplace_calls_total", &labels).increment(1);
}

#[cfg(not(feature = "metrics"))]
fn count(_: &'static str, _: &Method, _: Option<u16>, _: Duration) {}
