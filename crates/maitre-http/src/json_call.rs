//! Calls of an API that reads and writes JSON.

use std::{fmt, sync::Arc};

use maitre_core::Secret;
use reqwest::{
    Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    base_url::segment,
    body::{authorization, basic_credentials, parse_json},
    call_error::{CallError, Refusal, message},
    exchange::exchange,
    json_client::JsonClient,
    rate_limit::RateLimiter,
};

/// Longest accepted response body.
const MAX_BODY: usize = 16 << 20;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl JsonClient {
    /// Starts a call. The segments of the path are escaped. It is repeated after a failure of unknown outcome unless it is a
    /// `POST`; see [`JsonCall::repeatable`].
    pub fn call(&self, method: Method, path: &[&str]) -> JsonCall {
        let repeatable = method != Method::POST;
        let path = path.iter().flat_map(|part| ["/".to_owned(), segment(part)]).collect();
        JsonCall {
            client: self.clone(),
            method,
            path,
            query: String::new(),
            authorization: None,
            body: None,
            rate_limiter: None,
            repeatable,
        }
    }
}

/// Call that has not been sent.
#[must_use = "a call is sent by send() or read()"]
pub struct JsonCall {
    client: JsonClient,
    method: Method,
    path: String,
    query: String,
    authorization: Option<(&'static str, Secret)>,
    body: Option<Value>,
    rate_limiter: Option<Arc<RateLimiter>>,
    repeatable: bool,
}

impl JsonCall {
    /// Sets the query, which must be escaped.
    pub fn query(mut self, query: impl fmt::Display) -> Self {
        self.query = format!("?{query}");
        self
    }

    /// Sets scheme and credentials of the `Authorization` header.
    pub fn authorization(mut self, scheme: &'static str, credentials: Secret) -> Self {
        self.authorization = Some((scheme, credentials));
        self
    }

    /// Sets user name and password (RFC 7617).
    pub fn basic(self, user: &str, password: &Secret) -> Self {
        self.authorization("Basic", basic_credentials(user, password))
    }

    /// Sets the body.
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Sets the rate limit of the credentials, which the call obeys and updates.
    pub fn rate_limiter(mut self, limiter: Arc<RateLimiter>) -> Self {
        self.rate_limiter = Some(limiter);
        self
    }

    /// Repeats the call after a failure of unknown outcome, although it is a `POST`.
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Sends the call and ignores the body of a success.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn send(self) -> Result<(), CallError> {
        self.attempts().await.map(drop)
    }

    /// Sends the call and parses the body of a success.
    ///
    /// # Errors
    /// Returns an error if the call fails, or if the body has another structure.
    pub async fn read<T: DeserializeOwned>(self) -> Result<T, CallError> {
        let (status, body) = self.attempts().await?;
        parse_json(&body).map_err(|cause| CallError::unreadable(&self.name(), status, None, cause))
    }

    /// Returns method and path, for errors and the log.
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    async fn attempts(&self) -> Result<(u16, Vec<u8>), CallError> {
        self.client.0.retry.run(self.repeatable, || None, || self.attempt()).await
    }

    async fn attempt(&self) -> Result<(u16, Vec<u8>), CallError> {
        let (call, inner) = (self.name(), &self.client.0);
        if let Some(limiter) = &self.rate_limiter {
            limiter.wait(inner.retry.max_wait).await.map_err(|wait| CallError::rate_limited(&call, wait))?;
        }
        let unsendable = |cause: &'static str| CallError::unsendable(&call, cause);
        let url = inner.base.join(&format!("{}{}", self.path, self.query)).map_err(unsendable)?;
        let mut request = inner.http.request(self.method.clone(), url).header(ACCEPT, JSON);
        if let Some((scheme, credentials)) = &self.authorization {
            let value = authorization(scheme, credentials);
            request = request
                .header(AUTHORIZATION, value.ok_or_else(|| unsendable("the credentials are not a header value"))?);
        }
        if let Some(body) = &self.body {
            request = request.header(CONTENT_TYPE, JSON).body(body.to_string());
        }
        let reply = exchange(inner.marketplace, &call, request, MAX_BODY).await?;
        let retry_after = reply.retry_after(self.client.now());
        if let Some(limiter) = &self.rate_limiter {
            limiter.update(reply.status, reply.remaining_requests(), retry_after);
        }
        if reply.is_success() {
            return Ok((reply.status, reply.body));
        }
        let body = serde_json::from_slice(&reply.body).unwrap_or_default();
        Err(CallError::refused(&call, Refusal { retry_after, ..refusal(reply.status, &body) }))
    }
}

impl fmt::Debug for JsonCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JsonCall").field(&self.name()).finish()
    }
}

/// Reads code and message of an error in the forms that marketplaces use.
fn refusal(status: u16, body: &Value) -> Refusal {
    let error = if body["error"].is_object() { &body["error"] } else { body };
    let code = ["id", "code"].iter().find_map(|name| error[name].as_str()).map(str::to_owned);
    let message = ["message", "error_description", "error"].iter().find_map(|name| message(&error[name]));
    Refusal { code, message, ..Refusal::new(status) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_message_of_an_error_is_found_in_several_forms() {
        for (body, code, text) in [
            (json!({ "id": "unauthorized", "message": "No." }), Some("unauthorized"), Some("No.")),
            (json!({ "error": "not found" }), None, Some("not found")),
            (json!({ "error": "invalid_grant", "error_description": "Used." }), None, Some("Used.")),
            (json!({ "error": { "code": "conflict", "message": "It exists." } }), Some("conflict"), Some("It exists.")),
            (json!({ "error": { "app": ["is unknown"] } }), None, None),
            (Value::Null, None, None),
        ] {
            let refusal = refusal(422, &body);
            assert_eq!((refusal.code.as_deref(), refusal.message.as_deref()), (code, text), "{body}");
        }
    }
}
