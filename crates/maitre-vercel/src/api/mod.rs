//! Calls of an installation, by subject.

mod billing;
mod people;
mod resources;

use std::{fmt, sync::Arc};

use maitre_core::Secret;
use maitre_http::{JsonCall, RateLimiter};
use reqwest::Method;

use crate::client::Client;

/// Vercel's API for one installation, with its access token.
///
/// Resources are named by the vendor's ids. After an uninstall every call fails with
/// [`is_installation_gone`](crate::Error::is_installation_gone). Clones share the state of the rate limit. `Debug` does not
/// print the token.
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

    fn get(&self, path: &[&str]) -> JsonCall {
        self.call(Method::GET, path)
    }

    /// Starts a call. A `POST` is not repeated after a failure of unknown outcome.
    fn call(&self, method: Method, path: &[&str]) -> JsonCall {
        let segments: Vec<_> = ["v1", "installations", &self.installation].iter().chain(path).copied().collect();
        let call = self.client.0.http.call(method, &segments);
        call.authorization("Bearer", self.access_token.clone()).rate_limiter(self.rate_limiter.clone())
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
