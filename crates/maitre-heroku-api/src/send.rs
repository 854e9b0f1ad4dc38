//! One request, tried until it is answered or there is no sense in trying.

use std::time::Duration;

use maitre_core::Secret;
use reqwest::{
    Method, Response, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use crate::{Client, Error, pace::Pace, retry::retry_after};

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

/// What Heroku answered, a success, with its body read to the end.
///
/// `Debug` shows the call and the status: bodies hold config values and tokens.
pub struct Answer {
    call: String,
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    /// The status, from 200 to 299.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first header of this name, in any case; `None` where it is no text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body's bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`Error::is_unreadable`]: it is none, or not of this shape. The error names the place, not the value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let mut json = serde_json::Deserializer::from_slice(&self.body);
        serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let (place, cause) = (error.path().to_string(), error.inner());
            let what = if cause.is_data() { "has another shape than expected" } else { "is no JSON" };
            let sentence = format!("the body {what}, at {place}, line {} column {}", cause.line(), cause.column());
            let request_id = request_id(&self.headers);
            Error::unreadable(&self.call, self.status, request_id, sentence)
        })
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("call", &self.call).field("status", &self.status).finish_non_exhaustive()
    }
}

impl Client {
    /// Sends it, keeping to the rate limit, and again where that does no harm and may help.
    pub(crate) async fn send(&self, outgoing: &Outgoing, pace: Option<&Pace>) -> Result<Answer, Error> {
        let retry = &self.0.retry;
        let mut pauses = retry.pauses();
        loop {
            if let Some(pace) = pace {
                pace.wait(retry.patience).await.map_err(|wait| Error::paced(&outgoing.call, wait))?;
            }
            let error = match self.attempt(outgoing, pace).await {
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
            Some(after) if after > self.0.retry.patience => return None,
            Some(after) => after + pause,
            None => pause,
        };
        let then = self.now().saturating_add(time::Duration::try_from(pause).unwrap_or(time::Duration::MAX));
        outgoing.until.is_none_or(|until| then < until).then_some(pause)
    }

    async fn attempt(&self, outgoing: &Outgoing, pace: Option<&Pace>) -> Result<Answer, Error> {
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
        if let Some(pace) = pace {
            pace.heard(status.as_u16(), &headers, retry_after);
        }
        let body = read(&mut response).await;
        if !status.is_success() {
            // what cannot be read of a refusal is not missed: the status says enough
            let body = body.unwrap_or_default().unwrap_or_default();
            return Err(Error::answered(call, status.as_u16(), &body, request_id, retry_after));
        }
        let body = body.map_err(|cause| Error::transport(call, cause))?;
        let too_long = || Error::unreadable(call, status.as_u16(), request_id, "the body is longer than 64 MiB");
        Ok(Answer { call: call.clone(), status: status.as_u16(), body: body.ok_or_else(too_long)?, headers })
    }
}

/// The body; none if it is too long.
async fn read(response: &mut Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    Some(headers.get("request-id")?.to_str().ok()?.to_owned())
}

/// An `Authorization` that no log below shows.
pub(crate) fn authorization(scheme: &str, credentials: &Secret) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {}", credentials.expose())).ok()?;
    value.set_sensitive(true);
    Some((AUTHORIZATION, value))
}
