//! Calls of an installation, by subject.

mod billing;
mod people;
mod resources;

use std::{fmt, sync::Arc};

use maitre_core::Secret;
use maitre_http::{RateLimiter, segment};
use reqwest::Method;
use serde_json::Value;

use crate::{
    client::Client,
    error::Error,
    send::{Outgoing, Response},
};

/// Vercel's API for one installation, with its access token.
///
/// Resources are named by the vendor's ids. After an uninstall every call fails with
/// [`is_installation_gone`](Error::is_installation_gone). Clones share the state of the rate limit. `Debug` does not print
/// the token.
#[derive(Clone)]
pub struct Api {
    client: Client,
    installation: String,
    access_token: Secret,
    rate_limiter: Arc<RateLimiter>,
}

impl Client {
    /// Returns the API of an installation, with the access token of Vercel's upsert.
    #[must_use]
    pub fn installation(&self, id: &str, access_token: Secret) -> Api {
        Api { client: self.clone(), installation: id.to_owned(), access_token, rate_limiter: Arc::default() }
    }
}

impl Api {
    /// Returns the id of the installation.
    #[must_use]
    pub fn installation(&self) -> &str {
        &self.installation
    }

    async fn get(&self, path: &[&str]) -> Result<Response, Error> {
        self.send(Method::GET, path, None, true).await
    }

    /// Sends a call whose repetition has no further effect.
    async fn repeatable(&self, method: Method, path: &[&str], body: Option<Value>) -> Result<Response, Error> {
        self.send(method, path, body, true).await
    }

    /// Sends a call that is not repeated after a failure of unknown outcome.
    async fn once(&self, path: &[&str], body: Option<Value>) -> Result<Response, Error> {
        self.send(Method::POST, path, body, false).await
    }

    async fn send(
        &self,
        method: Method,
        path: &[&str],
        body: Option<Value>,
        idempotent: bool,
    ) -> Result<Response, Error> {
        let segments = ["v1", "installations", &self.installation].into_iter().chain(path.iter().copied());
        let path = segments.flat_map(|part| ["/".to_owned(), segment(part)]).collect();
        let outgoing = Outgoing { method, path, body, token: &self.access_token, idempotent };
        self.client.send(&outgoing, &self.rate_limiter).await
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("client", &self.client)
            .field("installation", &self.installation)
            .finish_non_exhaustive()
    }
}
