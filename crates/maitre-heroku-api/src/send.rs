//! Sends requests, with retries and the rate limit.

use std::time::Duration;

use maitre_http::{CallError, RateLimiter, exchange};
use reqwest::{Method, Url, header::HeaderMap};
use time::OffsetDateTime;

use crate::{Client, Error, response::Response};

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
        if let Some(body) = &outgoing.body {
            request = request.body(body.clone());
        }
        let reply = exchange("heroku", call, request, MAX_BODY).await?;
        let retry_after = reply.retry_after(self.now());
        if let Some(rate_limiter) = rate_limiter {
            rate_limiter.update(reply.status, reply.remaining_requests(), retry_after);
        }
        if reply.is_success() {
            return Ok(Response::new(call.clone(), reply));
        }
        Err(Error::refused(call, reply.status, &reply.body, reply.request_id(), retry_after))
    }
}
