//! One request, tried until it is answered or there is no sense in trying.

use std::time::Duration;

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

/// No answer of Heroku is longer: a page of a thousand objects has a few megabytes.
const MAX_BODY: usize = 64 << 20;

/// A request with all that it needs.
pub(crate) struct Outgoing {
    /// Method and path, for errors and the log.
    pub(crate) call: String,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
    /// Whether asking twice is as good as once.
    pub(crate) idempotent: bool,
    /// When there is no sense in it any more.
    pub(crate) until: Option<OffsetDateTime>,
}

impl Client {
    /// Sends it, keeping to the rate limit, and again where that does no harm and may help.
    pub(crate) async fn send(
        &self,
        outgoing: &Outgoing,
        rate_limiter: Option<&RateLimiter>,
    ) -> Result<Response, Error> {
        let retry = &self.0.retry;
        let mut pauses = retry.backoff();
        loop {
            if let Some(rate_limiter) = rate_limiter {
                rate_limiter.wait(retry.max_wait).await.map_err(|wait| Error::paced(&outgoing.call, wait))?;
            }
            let error = match self.attempt(outgoing, rate_limiter).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(pause) = self.pause(outgoing, &error, &mut pauses) else { return Err(error) };
            tracing::debug!(%error, ?pause, "asking Heroku again");
            tokio::time::sleep(pause).await;
        }
    }

    /// How long to wait before the next try, if there is to be one.
    fn pause(
        &self,
        outgoing: &Outgoing,
        error: &Error,
        pauses: &mut impl Iterator<Item = Duration>,
    ) -> Option<Duration> {
        if !error.may_repeat(outgoing.idempotent) {
            return None;
        }
        let pause = pauses.next()?;
        // not before Heroku says, and not all at the same instant
        let pause = match error.retry_after() {
            Some(after) if after > self.0.retry.max_wait => return None,
            Some(after) => after + pause,
            None => pause,
        };
        let then = self.now().saturating_add(time::Duration::try_from(pause).unwrap_or(time::Duration::MAX));
        outgoing.until.is_none_or(|until| then < until).then_some(pause)
    }

    async fn attempt(&self, outgoing: &Outgoing, rate_limiter: Option<&RateLimiter>) -> Result<Response, Error> {
        let call = &outgoing.call;
        let mut request = self.0.http.request(outgoing.method.clone(), outgoing.url.clone());
        request = request.headers(outgoing.headers.clone());
        if let Some(body) = &outgoing.body {
            request = request.body(body.clone());
        }
        let mut response = request.send().await.map_err(|cause| Error::transport(call, cause))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let (request_id, retry_after) = (request_id(&headers), retry_after(&headers, self.now()));
        tracing::debug!(%call, status = status.as_u16(), request_id, "Heroku answered");
        if let Some(rate_limiter) = rate_limiter {
            rate_limiter.heard(status.as_u16(), &headers, retry_after);
        }
        let body = read(&mut response).await;
        if !status.is_success() {
            // what cannot be read of a refusal is not missed: the status says enough
            let body = body.unwrap_or_default().unwrap_or_default();
            return Err(Error::answered(call, status.as_u16(), &body, request_id, retry_after));
        }
        let body = body.map_err(|cause| Error::transport(call, cause))?;
        let too_long = || Error::unreadable(call, status.as_u16(), request_id, "the body is longer than 64 MiB");
        Ok(Response::new(call.clone(), status.as_u16(), headers, body.ok_or_else(too_long)?))
    }
}

/// The body; none if it is too long.
async fn read(response: &mut reqwest::Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// An `Authorization` that no log below shows.
pub(crate) fn authorization(scheme: &str, credentials: &Secret) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {}", credentials.expose())).ok()?;
    value.set_sensitive(true);
    Some((AUTHORIZATION, value))
}
