//! Sending requests over HTTP.

use std::time::Duration;

use reqwest::{
    Body, Client, Method, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};

use crate::{error::Error, reply::Reply, request::Request};

/// The time after which Heroku counts a request as failed.
const TIMEOUT: Duration = Duration::from_secs(25);

/// The longest response body that is read.
const MAX_RESPONSE: usize = 16 * 1024 * 1024;

/// Returns the HTTP client for every request of this crate.
///
/// It does not follow redirects, because tests check them, and it ignores a proxy of the environment. Like the
/// marketplaces' own tools it opens a connection for every request: the server could close an idle one just as the next
/// request is sent.
pub(crate) fn client() -> Client {
    client_with_timeout(TIMEOUT)
}

/// Returns the same client with another timeout.
pub(crate) fn client_with_timeout(timeout: Duration) -> Client {
    Client::builder()
        .redirect(Policy::none())
        .timeout(timeout)
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()
        .expect("these settings are valid")
}

pub(crate) async fn send(request: Request, client: &Client) -> Result<Reply, Error> {
    // an empty body would still send Content-Length
    let body = (!request.body.is_empty()).then(|| request.body.clone().into());
    send_with(request, body, client).await
}

/// Sends a request with another body than its own.
pub(crate) async fn send_with(request: Request, body: Option<Body>, client: &Client) -> Result<Reply, Error> {
    let line = request.line();
    let invalid = |cause: Box<dyn std::error::Error + Send + Sync>| Error::unsendable(&line, cause);
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|cause| invalid(cause.into()))?;
    let url = Url::parse(&request.url).map_err(|cause| invalid(cause.into()))?;
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|cause| invalid(cause.into()))?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|cause| invalid(cause.into()))?;
        headers.append(name, value);
    }
    let mut sent = client.request(method, url).headers(headers);
    if let Some(body) = body {
        sent = sent.body(body);
    }
    let no_response = |cause| Error::no_answer(&line, cause);
    let mut response = sent.send().await.map_err(no_response)?;
    let status = response.status().as_u16();
    let (headers, address) = (response.headers().clone(), response.remote_addr());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(no_response)? {
        if body.len() + chunk.len() > MAX_RESPONSE {
            return Err(Error::too_long(&line, MAX_RESPONSE));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply::new(status, &headers, body, request, address))
}
