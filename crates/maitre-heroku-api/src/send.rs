//! Sends requests, with retries and the rate limit.

use std::time::{Duration, Instant};

use maitre_core::TraceParent;
use maitre_http::{CallError, RateLimiter, read_body, retry_after};
use reqwest::{Method, Url, header::HeaderMap};
use time::OffsetDateTime;

use crate::{
    Client, Error,
    response::{Response, request_id},
};

/// Longest accepted response body. A page of a thousand objects has a few megabytes.
const MAX_BODY: usize = 64 << 20;

/// A complete request.
pub(crate) struct Outgoing {
    /// Method and path, for errors and the log.
    pub(crate) call: String,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
    /// Whether a repetition has no further effect.
    pub(crate) idempotent: bool,
    /// Time after which the request is useless.
    pub(crate) deadline: Option<OffsetDateTime>,
}

impl Client {
    /// Sends a request. Obeys the rate limit, and retries where that is safe and may help.
    pub(crate) async fn send(
        &self,
        outgoing: &Outgoing,
        rate_limiter: Option<&RateLimiter>,
    ) -> Result<Response, Error> {
        let time_left = || {
            let deadline = outgoing.deadline?;
            Some(Duration::try_from(deadline - self.now()).unwrap_or_default())
        };
        self.0.retry.run(outgoing.idempotent, time_left, || self.attempt(outgoing, rate_limiter)).await
    }

    async fn attempt(&self, outgoing: &Outgoing, rate_limiter: Option<&RateLimiter>) -> Result<Response, Error> {
        let call = &outgoing.call;
        if let Some(rate_limiter) = rate_limiter {
            rate_limiter.wait(self.0.retry.max_wait).await.map_err(|wait| CallError::rate_limited(call, wait))?;
        }
        let mut request = self.0.http.request(outgoing.method.clone(), outgoing.url.clone());
        request = request.headers(outgoing.headers.clone());
        if let Some(trace) = TraceParent::current() {
            request = request.header("traceparent", trace.as_str());
        }
        if let Some(body) = &outgoing.body {
            request = request.body(body.clone());
        }
        let start = Instant::now();
        let response = request.send().await;
        let status = response.as_ref().ok().map(|response| response.status().as_u16());
        crate::metrics::call(&outgoing.method, status, start.elapsed());
        let mut response = response.map_err(|cause| CallError::transport(call, cause))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let (request_id, retry_after) = (request_id(&headers), retry_after(&headers, self.now()));
        tracing::debug!(%call, status = status.as_u16(), request_id, "response from Heroku");
        if let Some(rate_limiter) = rate_limiter {
            rate_limiter.update(status.as_u16(), remaining_requests(&headers), retry_after);
        }
        let body = read_body(&mut response, MAX_BODY).await;
        if !status.is_success() {
            // An unreadable body of an error response is ignored, because the status is sufficient.
            let body = body.unwrap_or_default().unwrap_or_default();
            return Err(Error::refused(call, status.as_u16(), &body, request_id, retry_after));
        }
        let body = body.map_err(|cause| CallError::transport(call, cause))?;
        let too_long = || CallError::unreadable(call, status.as_u16(), request_id, "the body is longer than 64 MiB");
        Ok(Response::new(call.clone(), status.as_u16(), headers, body.ok_or_else(too_long)?))
    }
}

fn remaining_requests(headers: &HeaderMap) -> Option<u32> {
    headers.get("ratelimit-remaining")?.to_str().ok()?.trim().parse().ok()
}
