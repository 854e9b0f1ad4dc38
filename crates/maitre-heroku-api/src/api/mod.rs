//! The calls that a vendor's token opens, by subject.

mod add_ons;
mod apps;
mod log_drains;
mod pipelines;
mod webhooks;

use std::{fmt, sync::Arc};

use maitre_core::Secret;
use reqwest::Method;

use crate::{Client, Error, RateLimits, Request, base_url::segment, rate_limit::RateLimiter};

/// Heroku's Platform API with one token, which reaches one add-on and the apps that it touches.
///
/// Add-ons are meant by their uuid: names work, too, and change. [`get`](Self::get), [`post`](Self::post) and the like
/// lead to what has no method here.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use maitre_core::OauthGrant;
/// use maitre_heroku_api::{AddOnState, Client, ConfigVar};
///
/// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
/// # let heroku = platform.serve().await?;
/// # let install = platform.install("basic");
/// # let grant = OauthGrant::new(install.grant().code(), install.grant().expires_at());
/// # let client = Client::builder("client secret").base_url(heroku.url()).build()?;
/// # let uuid = install.uuid();
/// let api = client.api(&client.exchange(&grant).await?);
///
/// api.set_config(uuid, &[ConfigVar::set("LANTERN_URL", "https://u4:pw@eu1.lantern.example")]).await?;
/// let add_on = api.mark_provisioned(uuid).await?;
/// assert_eq!(add_on.state, AddOnState::Provisioned);
/// # Ok(())
/// # }
/// ```
///
/// A clone is the same: it shares what is known of the rate limit. `Debug` shows no token.
#[derive(Clone)]
pub struct Api {
    client: Client,
    access_token: Secret,
    rate_limiter: Arc<RateLimiter>,
}

impl Api {
    pub(crate) fn new(client: Client, access_token: Secret, rate_limiter: Arc<RateLimiter>) -> Self {
        Self { client, access_token, rate_limiter }
    }

    /// A call by GET of this path, which begins with a slash.
    pub fn get(&self, path: impl Into<String>) -> Request {
        self.call(Method::GET, path.into())
    }

    /// A call by POST of this path; not repeated after a fault unless it is [`idempotent`](Request::idempotent).
    pub fn post(&self, path: impl Into<String>) -> Request {
        self.call(Method::POST, path.into())
    }

    /// A call by PUT of this path.
    pub fn put(&self, path: impl Into<String>) -> Request {
        self.call(Method::PUT, path.into())
    }

    /// A call by PATCH of this path; not repeated after a fault unless it is [`idempotent`](Request::idempotent).
    pub fn patch(&self, path: impl Into<String>) -> Request {
        self.call(Method::PATCH, path.into())
    }

    /// A call by DELETE of this path.
    pub fn delete(&self, path: impl Into<String>) -> Request {
        self.call(Method::DELETE, path.into())
    }

    /// `GET /account/rate-limits`: how many requests are left; it costs none.
    ///
    /// # Errors
    /// As any call: [`Error`].
    pub async fn rate_limits(&self) -> Result<RateLimits, Error> {
        self.get("/account/rate-limits").read().await
    }

    /// How many requests were left when Heroku last said so.
    #[must_use]
    pub fn remaining_requests(&self) -> Option<u32> {
        self.rate_limiter.remaining_requests()
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn access_token(&self) -> &Secret {
        &self.access_token
    }

    pub(crate) fn rate_limiter(&self) -> &RateLimiter {
        &self.rate_limiter
    }

    fn call(&self, method: Method, path: String) -> Request {
        Request::new(self.clone(), method, path)
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("client", &self.client).finish_non_exhaustive()
    }
}

/// A path of these segments, which may be ids from anywhere.
fn path<const N: usize>(segments: [&str; N]) -> String {
    segments.map(|part| format!("/{}", segment(part))).concat()
}
