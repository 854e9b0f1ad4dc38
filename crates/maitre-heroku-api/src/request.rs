use std::fmt;

use maitre_http::{CallError, authorization};
use reqwest::{
    Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Api, Error, List, Response, send::Outgoing};

/// Media type of the API version that this crate implements (Heroku's Platform API reference, clients).
const VERSION_3: HeaderValue = HeaderValue::from_static("application/vnd.heroku+json; version=3");

/// A request to the Platform API that has not been sent yet, for endpoints without a method in [`Api`].
///
/// It is sent with the token, obeys the rate limit, and is retried where that is safe, like all other calls.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use maitre_heroku_api::{Client, Token};
/// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
/// # let heroku = platform.serve().await?;
/// # let install = platform.install_builder("basic").app("shop").create();
/// # let grant = install.grant();
/// # let client = Client::builder("client secret").base_url(heroku.url()).build()?;
/// # let token = client.exchange(&maitre_core::OauthGrant::new(grant.code(), grant.expires_at())).await?;
/// # let api = client.api(&token);
/// let response = api.get("/apps/shop").header("accept-expansion", "owner").send().await?;
/// let shop: serde_json::Value = response.json()?;
/// assert_eq!(shop["generation"]["name"], "cedar");
///
/// let drain = serde_json::json!({ "url": "https://logs.example/1" });
/// assert_eq!(api.post("/apps/shop/log-drains").json(&drain).send().await?.status(), 201);
/// # Ok(())
/// # }
/// ```
///
/// `Debug` prints the method and the path.
#[must_use = "call send() to send the request"]
pub struct Request {
    api: Api,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    idempotent: bool,
    /// Error from building the request, returned when it is sent.
    invalid: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Api {
    /// Creates a GET request for this path, which must begin with a slash.
    pub fn get(&self, path: impl Into<String>) -> Request {
        Request::new(self.clone(), Method::GET, path.into())
    }

    /// Creates a POST request for this path. It is not retried after a failure unless marked as
    /// [`idempotent`](Request::idempotent).
    pub fn post(&self, path: impl Into<String>) -> Request {
        Request::new(self.clone(), Method::POST, path.into())
    }

    /// Creates a PUT request for this path.
    pub fn put(&self, path: impl Into<String>) -> Request {
        Request::new(self.clone(), Method::PUT, path.into())
    }

    /// Creates a PATCH request for this path. It is not retried after a failure unless marked as
    /// [`idempotent`](Request::idempotent).
    pub fn patch(&self, path: impl Into<String>) -> Request {
        Request::new(self.clone(), Method::PATCH, path.into())
    }

    /// Creates a DELETE request for this path.
    pub fn delete(&self, path: impl Into<String>) -> Request {
        Request::new(self.clone(), Method::DELETE, path.into())
    }
}

impl Request {
    fn new(api: Api, method: Method, path: String) -> Self {
        let idempotent = matches!(method, Method::GET | Method::PUT | Method::DELETE);
        Self { api, method, path, headers: HeaderMap::new(), body: None, idempotent, invalid: None }
    }

    /// Sets a JSON body.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.body = Some(body),
            Err(error) => self.invalid = Some(error.into()),
        }
        self
    }

    /// Sets a header. Replaces a header of the same name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => drop(self.headers.insert(name, value)),
            _ => self.invalid = Some("a header has an invalid name or value".into()),
        }
        self
    }

    /// Marks the request as idempotent, as GET, PUT and DELETE are, so that it is retried even if the outcome of the failed
    /// attempt is unknown.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Sends the request.
    ///
    /// # Errors
    /// Returns an error for every status except 2xx, and if no response arrives.
    pub async fn send(self) -> Result<Response, Error> {
        let (api, outgoing) = self.outgoing()?;
        api.client().send(&outgoing, Some(api.rate_limiter())).await
    }

    /// Reads the response as a paginated list of this type. Nothing is sent before the list is read.
    pub fn list<T: DeserializeOwned + Send + 'static>(self) -> List<T> {
        match self.outgoing() {
            Ok((api, first)) => List::ranges(api, first),
            Err(error) => List::failed(error),
        }
    }

    pub(crate) async fn read<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.send().await?.json()
    }

    fn outgoing(self) -> Result<(Api, Outgoing), Error> {
        let Self { api, method, path, mut headers, body, idempotent, invalid } = self;
        let call = format!("{method} {}", path.split('?').next().unwrap_or_default());
        if let Some(cause) = invalid {
            return Err(CallError::unsendable(&call, cause).into());
        }
        let url = api.client().0.api.join(&path).map_err(|cause| CallError::unsendable(&call, cause))?;
        let bearer = authorization("Bearer", api.access_token());
        let bearer = bearer.ok_or_else(|| CallError::unsendable(&call, "the token is not a valid header value"))?;
        headers.insert(AUTHORIZATION, bearer);
        headers.entry(ACCEPT).or_insert(VERSION_3);
        if body.is_some() {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        Ok((api, Outgoing { call, method, url, headers, body, idempotent, deadline: None }))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}
