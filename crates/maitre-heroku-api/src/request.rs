use std::fmt;

use reqwest::{
    Method,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Api, Error, List, Response,
    send::{Outgoing, authorization},
};

/// The version of the API that this crate speaks (Heroku's Platform API reference, clients).
const VERSION_3: HeaderValue = HeaderValue::from_static("application/vnd.heroku+json; version=3");

/// A call of the Platform API that is not sent yet: the way to whatever has no method of its own in [`Api`].
///
/// It is sent with the token, within the rate limit, and repeated where that does no harm, as all others are.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use maitre_heroku_api::{Client, Token};
/// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
/// # let heroku = platform.serve().await?;
/// # let install = platform.order("basic").app("shop").install();
/// # let grant = install.grant();
/// # let client = Client::builder("client secret").base_url(heroku.url()).build()?;
/// # let token = client.exchange(&maitre_core::OauthGrant::new(grant.code(), grant.expires_at())).await?;
/// # let api = client.api(&token);
/// let answer = api.get("/apps/shop").header("accept-expansion", "owner").send().await?;
/// let shop: serde_json::Value = answer.json()?;
/// assert_eq!(shop["generation"]["name"], "cedar");
///
/// let drain = serde_json::json!({ "url": "https://logs.example/1" });
/// assert_eq!(api.post("/apps/shop/log-drains").json(&drain).send().await?.status(), 201);
/// # Ok(())
/// # }
/// ```
///
/// `Debug` shows method and path.
#[must_use = "a call is sent with send()"]
pub struct Request {
    api: Api,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    idempotent: bool,
    /// What went wrong while it was written.
    spoiled: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Request {
    pub(crate) fn new(api: Api, method: Method, path: String) -> Self {
        let idempotent = matches!(method, Method::GET | Method::PUT | Method::DELETE);
        Self { api, method, path, headers: HeaderMap::new(), body: None, idempotent, spoiled: None }
    }

    /// Sends this as a JSON body.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.body = Some(body),
            Err(error) => self.spoiled = Some(error.into()),
        }
        self
    }

    /// Sends this header, too, or in place of the one of the same name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => drop(self.headers.insert(name, value)),
            _ => self.spoiled = Some("a header is none".into()),
        }
        self
    }

    /// Says that asking twice is as good as once, as it is with GET, PUT and DELETE, so that it is repeated after a
    /// fault from which one cannot tell whether it was done.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Sends it.
    ///
    /// # Errors
    /// Every answer but 2xx is an [`Error`], and so is none.
    pub async fn send(self) -> Result<Response, Error> {
        let (api, outgoing) = self.outgoing()?;
        api.client().send(&outgoing, Some(api.rate_limiter())).await
    }

    /// Takes the answer for a list in pages, of objects of this type. Nothing is sent before the list is read.
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
        let Self { api, method, path, mut headers, body, idempotent, spoiled } = self;
        let call = format!("{method} {}", path.split('?').next().unwrap_or_default());
        if let Some(cause) = spoiled {
            return Err(Error::unsendable(&call, cause));
        }
        let url = api.client().0.api.join(&path).map_err(|cause| Error::unsendable(&call, cause))?;
        let bearer = authorization("Bearer", api.access_token());
        let (name, bearer) = bearer.ok_or_else(|| Error::unsendable(&call, "the token fits in no header"))?;
        headers.insert(name, bearer);
        headers.entry(ACCEPT).or_insert(VERSION_3);
        if body.is_some() {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        Ok((api, Outgoing { call, method, url, headers, body, idempotent, until: None }))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}
