//! Calls that a vendor's token permits, by subject.

mod add_ons;
mod apps;
mod log_drains;
mod pipelines;
mod webhooks;

use std::{fmt, sync::Arc};

use maitre_core::Secret;
use maitre_http::{RateLimiter, segment};

use crate::{Client, Error, RateLimits, Token};

/// Heroku's Platform API with one token, which gives access to one add-on and the apps it is attached to.
///
/// Pass the uuid of an add-on: names are accepted as well, but may change. Use [`get`](Self::get), [`post`](Self::post) and
/// so on for endpoints that have no method here.
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
/// Clones share the state of the rate limit. `Debug` does not print the token.
#[derive(Clone)]
pub struct Api {
    client: Client,
    access_token: Secret,
    rate_limiter: Arc<RateLimiter>,
}

impl Client {
    /// Returns the Platform API with this token, which gives access to one add-on and its apps.
    ///
    /// Reuse the value while you use the token: it and its clones share the state of the rate limit.
    #[must_use]
    pub fn api(&self, token: &Token) -> Api {
        Api { client: self.clone(), access_token: token.access_token().clone(), rate_limiter: Arc::default() }
    }
}

impl Api {
    /// `GET /account/rate-limits`: returns the number of remaining requests. The call itself is not counted.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn rate_limits(&self) -> Result<RateLimits, Error> {
        self.get("/account/rate-limits").read().await
    }

    /// Returns the number of remaining requests according to the latest response.
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
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("client", &self.client).finish_non_exhaustive()
    }
}

/// Joins segments to a path. Escapes each, so that they may be ids from any source.
fn path<const N: usize>(segments: [&str; N]) -> String {
    segments.map(|part| format!("/{}", segment(part))).concat()
}
