//! Sends requests, with retries and the rate limit.

use maitre_core::Secret;
use maitre_http::{CallError, RateLimiter, authorization, parse_json, read_body, retry_after};
use reqwest::{
    Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{client::Client, error::Error};

/// Longest accepted response body.
const MAX_BODY: usize = 16 << 20;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A complete request.
pub(crate) struct Outgoing<'a> {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    pub(crate) token: &'a Secret,
    /// Whether a repetition has no further effect.
    pub(crate) idempotent: bool,
}

/// Successful response.
pub(crate) struct Response {
    call: String,
    status: u16,
    body: Vec<u8>,
}

impl Response {
    /// Parses the body. The error contains the position, and never a value.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Ok(parse_json(&self.body).map_err(|cause| CallError::unreadable(&self.call, self.status, None, cause))?)
    }
}

impl Client {
    /// Sends a request. Obeys the rate limit, and retries where that is safe and may help.
    pub(crate) async fn send(&self, outgoing: &Outgoing<'_>, rate_limiter: &RateLimiter) -> Result<Response, Error> {
        let attempt = || self.attempt(outgoing, rate_limiter);
        self.0.retry.run(outgoing.idempotent, || None, attempt).await
    }

    async fn attempt(&self, outgoing: &Outgoing<'_>, rate_limiter: &RateLimiter) -> Result<Response, Error> {
        let call = format!("{} {}", outgoing.method, outgoing.path.split('?').next().unwrap_or_default());
        let max_wait = self.0.retry.max_wait;
        rate_limiter.wait(max_wait).await.map_err(|wait| CallError::rate_limited(&call, wait))?;
        let url = self.0.api.join(&outgoing.path).map_err(|cause| CallError::unsendable(&call, cause))?;
        let token = authorization("Bearer", outgoing.token)
            .ok_or_else(|| CallError::unsendable(&call, "the token is not a header value"))?;
        let request =
            self.0.http.request(outgoing.method.clone(), url).header(AUTHORIZATION, token).header(ACCEPT, JSON);
        let request = match &outgoing.body {
            Some(body) => request.header(CONTENT_TYPE, JSON).body(body.to_string()),
            None => request,
        };
        let mut response = request.send().await.map_err(|cause| CallError::transport(&call, cause))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let retry_after = retry_after(&headers, self.now());
        tracing::debug!(%call, status = status.as_u16(), "response from Vercel");
        rate_limiter.update(status.as_u16(), remaining_requests(&headers), retry_after);
        let body = read_body(&mut response, MAX_BODY).await;
        if !status.is_success() {
            // An unreadable body of an error response is ignored, because the status is sufficient.
            let body = body.unwrap_or_default().unwrap_or_default();
            return Err(Error::refused(&call, status.as_u16(), &body, retry_after));
        }
        let body = body.map_err(|cause| CallError::transport(&call, cause))?;
        let body =
            body.ok_or_else(|| CallError::unreadable(&call, status.as_u16(), None, "the body is longer than 16 MiB"))?;
        Ok(Response { call, status: status.as_u16(), body })
    }
}

fn remaining_requests(headers: &HeaderMap) -> Option<u32> {
    headers.get("x-ratelimit-remaining")?.to_str().ok()?.trim().parse().ok()
}
