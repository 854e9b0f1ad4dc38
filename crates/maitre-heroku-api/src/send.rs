//! Sends requests, with retries and the rate limit.

use std::time::{Duration, Instant};

use maitre_core::Secret;
use reqwest::{
    Method, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use time::OffsetDateTime;

use crate::{
    Client, Error,
    rate_limit::RateLimiter,
    response::{Response, request_id},
    retry::retry_after,
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
        let retry = &self.0.retry;
        let mut backoff = retry.backoff();
        loop {
            if let Some(rate_limiter) = rate_limiter {
                rate_limiter.wait(retry.max_wait).await.map_err(|wait| Error::rate_limited(&outgoing.call, wait))?;
            }
            let error = match self.attempt(outgoing, rate_limiter).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let Some(pause) = self.next_pause(outgoing, &error, &mut backoff) else { return Err(error) };
            tracing::debug!(%error, ?pause, "retrying a request to Heroku");
            tokio::time::sleep(pause).await;
        }
    }

    /// Returns the pause before the next attempt, or `None` if there is none.
    fn next_pause(
        &self,
        outgoing: &Outgoing,
        error: &Error,
        backoff: &mut impl Iterator<Item = Duration>,
    ) -> Option<Duration> {
        if !error.may_repeat(outgoing.idempotent) {
            return None;
        }
        let pause = backoff.next()?;
        // `Retry-After` plus jitter, so that clients do not retry at the same time.
        let pause = match error.retry_after() {
            Some(after) if after > self.0.retry.max_wait => return None,
            Some(after) => after + pause,
            None => pause,
        };
        let then = self.now().saturating_add(time::Duration::try_from(pause).unwrap_or(time::Duration::MAX));
        outgoing.deadline.is_none_or(|deadline| then < deadline).then_some(pause)
    }

    async fn attempt(&self, outgoing: &Outgoing, rate_limiter: Option<&RateLimiter>) -> Result<Response, Error> {
        let call = &outgoing.call;
        let mut request = self.0.http.request(outgoing.method.clone(), outgoing.url.clone());
        request = request.headers(outgoing.headers.clone());
        if let Some(body) = &outgoing.body {
            request = request.body(body.clone());
        }
        let start = Instant::now();
        let response = request.send().await;
        let status = response.as_ref().ok().map(|response| response.status().as_u16());
        crate::metrics::call(&outgoing.method, status, start.elapsed());
        let mut response = response.map_err(|cause| Error::transport(call, cause))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let (request_id, retry_after) = (request_id(&headers), retry_after(&headers, self.now()));
        tracing::debug!(%call, status = status.as_u16(), request_id, "response from Heroku");
        if let Some(rate_limiter) = rate_limiter {
            rate_limiter.update(status.as_u16(), &headers, retry_after);
        }
        let body = read_body(&mut response).await;
        if !status.is_success() {
            // An unreadable body of an error response is ignored, because the status is sufficient.
            let body = body.unwrap_or_default().unwrap_or_default();
            return Err(Error::status_error(call, status.as_u16(), &body, request_id, retry_after));
        }
        let body = body.map_err(|cause| Error::transport(call, cause))?;
        let too_long = || Error::unreadable(call, status.as_u16(), request_id, "the body is longer than 64 MiB");
        Ok(Response::new(call.clone(), status.as_u16(), headers, body.ok_or_else(too_long)?))
    }
}

/// Reads the body. Returns `None` if it is too long.
async fn read_body(response: &mut reqwest::Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Returns an `Authorization` header that is marked as sensitive, so that HTTP libraries do not log it.
pub(crate) fn authorization(scheme: &str, credentials: &Secret) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {}", credentials.expose())).ok()?;
    value.set_sensitive(true);
    Some((AUTHORIZATION, value))
}
