//! Calls with the add-on's own credentials: the list of installs, and replacement grants.

use maitre_core::{OauthGrant, Secret, parse_timestamp};
use maitre_http::{BaseUrl, CallError, authorization, basic_credentials, segment};
use reqwest::{
    Method,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue},
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use time::Duration;

use crate::{Client, Error, List, lenient, send::Outgoing};

/// Assumed lifetime of a grant whose expiry cannot be read.
const GRANT_LIFETIME: Duration = Duration::minutes(5);

/// Entry of Heroku's list of installs.
///
/// ```
/// use maitre_heroku_api::Install;
///
/// let json = r#"{"resource": {"uuid": "7b0c9c1e", "name": "lantern-curved-4821"}, "plan": "basic", "provider_id": 4711}"#;
/// let install: Install = serde_json::from_str(json)?;
/// assert_eq!((install.uuid.as_str(), install.provider_id.as_deref()), ("7b0c9c1e", Some("4711")));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Install {
    /// Heroku's id of the add-on.
    pub uuid: String,
    /// Current name.
    pub name: Option<String>,
    /// Plan.
    pub plan: Option<String>,
    /// The `id` that the vendor returned.
    pub provider_id: Option<String>,
}

impl<'de> Deserialize<'de> for Install {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            resource: Option<Resource>,
            #[serde(default, alias = "id", deserialize_with = "lenient::text")]
            uuid: Option<String>,
            #[serde(default, deserialize_with = "lenient::text")]
            name: Option<String>,
            #[serde(default)]
            plan: Value,
            #[serde(default, deserialize_with = "lenient::text")]
            provider_id: Option<String>,
        }
        #[derive(Deserialize)]
        struct Resource {
            uuid: String,
            name: Option<String>,
        }
        let wire = Wire::deserialize(deserializer)?;
        let (uuid, name) = match wire.resource {
            Some(resource) => (Some(resource.uuid), resource.name),
            None => (wire.uuid, None),
        };
        let plan = wire.plan.as_str().or_else(|| wire.plan["name"].as_str());
        Ok(Self {
            uuid: uuid.ok_or_else(|| serde::de::Error::missing_field("resource.uuid"))?,
            name: name.or(wire.name),
            plan: plan.map(str::to_owned),
            provider_id: wire.provider_id,
        })
    }
}

impl Client {
    /// `GET /api/v3/apps` at `addons.heroku.com`: lists the installs of the add-on with this slug. Authenticates with the
    /// password of its manifest.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use maitre_heroku_api::Client;
    /// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
    /// # let heroku = platform.serve().await?;
    /// # let install = platform.install("basic");
    /// # let client = Client::builder("client secret").base_url(heroku.url()).build()?;
    /// let installs = client.installs("lantern", &"password".into()).all().await?;
    /// assert_eq!(installs[0].uuid, install.uuid());
    /// # Ok(())
    /// # }
    /// ```
    pub fn installs(&self, slug: &str, password: &Secret) -> List<Install> {
        match vendor_request(&self.0.addons, "/api/v3/apps", slug, password) {
            Ok(first) => List::links(self.clone(), first),
            Err(error) => List::failed(error),
        }
    }

    /// `GET /vendor/resources/{uuid}/oauth-grant`: requests a replacement for a lost grant, if Heroku has enabled this for
    /// the vendor.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use maitre_heroku_api::Client;
    /// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
    /// # platform.update_settings(|settings| settings.grant_backfill = true);
    /// # let heroku = platform.serve().await?;
    /// # let install = platform.install("basic");
    /// # let client = Client::builder("client secret").base_url(heroku.url()).build()?;
    /// let grant = client.replacement_grant("lantern", &"password".into(), install.uuid()).await?;
    /// client.exchange(&grant).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the call fails: 4xx if Heroku has not enabled it, or the add-on was removed.
    pub async fn replacement_grant(&self, slug: &str, password: &Secret, uuid: &str) -> Result<OauthGrant, Error> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(deserialize_with = "lenient::secret")]
            code: Secret,
            #[serde(default, rename = "type")]
            kind: Option<String>,
            #[serde(default, deserialize_with = "lenient::text")]
            expires_at: Option<String>,
        }
        let path = format!("/vendor/resources/{}/oauth-grant", segment(uuid));
        let mut outgoing = vendor_request(&self.0.api, &path, slug, password)?;
        // A repetition may invalidate the grant of the first response.
        outgoing.idempotent = false;
        let wire: Wire = self.send(&outgoing, None).await?.json()?;
        let expires_at = wire.expires_at.as_deref().and_then(parse_timestamp);
        let mut grant = OauthGrant::new(wire.code, expires_at.unwrap_or_else(|| self.now() + GRANT_LIFETIME));
        grant.kind = wire.kind.unwrap_or(grant.kind);
        Ok(grant)
    }
}

/// Returns a request with the add-on's Basic credentials.
fn vendor_request(base: &BaseUrl, path: &str, slug: &str, password: &Secret) -> Result<Outgoing, Error> {
    let call = format!("GET {path}");
    let url = base.join(path).map_err(|cause| CallError::unsendable(&call, cause))?;
    let basic = authorization("Basic", &basic_credentials(slug, password));
    let accept = (ACCEPT, HeaderValue::from_static("application/json"));
    let headers: HeaderMap = basic.map(|basic| (AUTHORIZATION, basic)).into_iter().chain([accept]).collect();
    Ok(Outgoing { call, method: Method::GET, url, headers, body: None, idempotent: true, deadline: None })
}
