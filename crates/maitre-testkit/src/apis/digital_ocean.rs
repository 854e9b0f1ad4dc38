//! DigitalOcean's API for vendors of SaaS add-ons.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::api::{Answer, Api, ApiRequest, Model, Problem};
use crate::{generate, platform::Clock};

/// Lifetime of an access token.
const LIFETIME: time::Duration = time::Duration::hours(8);

/// State of [`DigitalOceanApi`].
#[derive(Debug)]
pub struct DigitalOceanResources {
    client_secret: String,
    /// Codes of grants that are not exchanged, with their resources.
    grants: BTreeMap<String, String>,
    /// Codes of all grants so far: a code is issued once.
    issued: BTreeSet<String>,
    resources: BTreeMap<String, Resource>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct Resource {
    access_tokens: BTreeMap<String, OffsetDateTime>,
    refresh_tokens: BTreeSet<String>,
    exchanges: usize,
    refreshes: usize,
    config: BTreeMap<String, String>,
}

/// DigitalOcean's API for one app: grants, tokens of resources, and their config vars. A refresh invalidates the older tokens.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use maitre_testkit::apis::DigitalOceanApi;
/// use serde_json::{Value, json};
///
/// let digitalocean = DigitalOceanApi::new("client secret");
/// digitalocean.add_grant("c0de-1", "0f6a2c3e");
/// let server = digitalocean.serve().await?;
/// let http = reqwest::Client::new();
/// let grant = json!({ "grant_type": "authorization_code", "code": "c0de-1", "client_secret": "client secret" });
/// let url = format!("{}/add-ons/oauth/token", server.url());
/// let token: Value = http.post(url).json(&grant).send().await?.json().await?;
///
/// let url = format!("{}/add-ons/resources/0f6a2c3e/config", server.url());
/// let call = http.patch(url).bearer_auth(token["access_token"].as_str().unwrap());
/// assert_eq!(call.json(&json!({ "config": { "API_KEY": "t-1" } })).send().await?.status(), 200);
/// assert_eq!(digitalocean.config("0f6a2c3e")["API_KEY"], "t-1");
/// # Ok(())
/// # }
/// ```
pub type DigitalOceanApi = Api<DigitalOceanResources>;

impl DigitalOceanApi {
    /// Returns an API without resources, for the app with this client secret.
    #[must_use]
    pub fn new(client_secret: &str) -> Self {
        Self::with_clock(client_secret, &Clock::new())
    }

    /// Returns an API without resources that shares its clock with others.
    #[must_use]
    pub fn with_clock(client_secret: &str, clock: &Clock) -> Self {
        Self::with_state(DigitalOceanResources {
            client_secret: client_secret.to_owned(),
            grants: BTreeMap::new(),
            issued: BTreeSet::new(),
            resources: BTreeMap::new(),
            clock: clock.clone(),
        })
    }

    /// Issues a grant for a resource, whose code the vendor can exchange once. A code that was issued before is not issued
    /// again.
    pub fn add_grant(&self, code: &str, uuid: &str) {
        let mut state = self.state();
        if state.issued.insert(code.to_owned()) {
            state.grants.insert(code.to_owned(), uuid.to_owned());
        }
        state.resources.entry(uuid.to_owned()).or_default();
    }

    /// Removes a resource with its tokens, without a request to the vendor.
    pub fn remove_resource(&self, uuid: &str) {
        self.state().resources.remove(uuid);
    }

    /// Ends the access tokens of a resource before their time.
    pub fn revoke_access_tokens(&self, uuid: &str) {
        if let Some(resource) = self.state().resources.get_mut(uuid) {
            resource.access_tokens.clear();
        }
    }

    /// Returns the time of the API's clock.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.state().now()
    }

    /// Advances the API's clock, by which tokens expire.
    pub fn advance(&self, by: Duration) {
        self.state().clock.advance(by);
    }

    /// Returns how often a grant was exchanged, and a token refreshed, for a resource.
    #[must_use]
    pub fn exchanges_and_refreshes(&self, uuid: &str) -> (usize, usize) {
        self.state().resources.get(uuid).map(|resource| (resource.exchanges, resource.refreshes)).unwrap_or_default()
    }

    /// Returns the config vars of a resource.
    #[must_use]
    pub fn config(&self, uuid: &str) -> BTreeMap<String, String> {
        self.state().resources.get(uuid).map(|resource| resource.config.clone()).unwrap_or_default()
    }
}

impl Model for DigitalOceanResources {
    fn answer(&mut self, request: &ApiRequest<'_>) -> Answer {
        match (request.method, &request.path[..]) {
            ("POST", ["add-ons", "oauth", "token"]) => self.issue(&request.body),
            ("PATCH", ["add-ons", "resources", uuid, "config"]) => {
                let now = self.now();
                let resource = self.resources.get_mut(*uuid).ok_or_else(|| Problem::new(404, "no such resource"))?;
                let token = request.authorization.and_then(|value| value.strip_prefix("Bearer "));
                if token.and_then(|token| resource.access_tokens.get(token)).is_none_or(|end| now >= *end) {
                    return Err(Problem::new(401, "the token is missing, expired or of another resource"));
                }
                let values = request.config()?.iter();
                let values = values.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
                resource.config.extend(values);
                Ok((200, json!({})))
            }
            _ => Err(Problem::new(404, "not found")),
        }
    }
}

impl DigitalOceanResources {
    fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    fn issue(&mut self, body: &Value) -> Answer {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        let fields = body.as_object().map_or(0, serde_json::Map::len);
        if fields != 3 || text("client_secret") != self.client_secret {
            return Err(Problem::new(401, "the client secret is wrong, or there are other fields"));
        }
        let end = self.now() + LIFETIME;
        let invalid = || Problem::new(401, "the grant or token is unknown or used");
        let resource = match text("grant_type") {
            "authorization_code" => {
                let uuid = self.grants.remove(text("code")).ok_or_else(invalid)?;
                let resource = self.resources.get_mut(&uuid).ok_or_else(invalid)?;
                resource.exchanges += 1;
                resource
            }
            "refresh_token" => {
                let known = |resource: &&mut Resource| resource.refresh_tokens.contains(text("refresh_token"));
                let resource = self.resources.values_mut().find(known).ok_or_else(invalid)?;
                resource.refreshes += 1;
                resource
            }
            _ => return Err(Problem::new(400, "the grant type is unknown")),
        };
        let (access, refresh) = (generate::new_uuid(), generate::new_uuid());
        resource.access_tokens = BTreeMap::from([(access.clone(), end)]);
        resource.refresh_tokens = BTreeSet::from([refresh.clone()]);
        let lifetime = LIFETIME.whole_seconds();
        Ok((
            200,
            json!({
                "access_token": access, "refresh_token": refresh, "expires_in": lifetime, "token_type": "Bearer",
            }),
        ))
    }
}
