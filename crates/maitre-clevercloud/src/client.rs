//! Calls of the Add-on Infos API.

use std::{fmt, time::Duration};

use maitre_core::{Manifest, Reload, ReloadError, Replaceable, Secret};
use maitre_http::{CallError, JsonCall, JsonClient, JsonClientBuilder};
use maitre_platform::{CurrentConfig, read_pages};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

/// Starts the connection to `https://api.clever-cloud.com/v2`.
///
/// ```
/// let http = maitre_clevercloud::connect().user_agent("quince/2.1").build()?;
/// assert!(format!("{http:?}").contains("https://api.clever-cloud.com/v2"));
/// # Ok::<(), maitre_clevercloud::CallError>(())
/// ```
pub fn connect() -> JsonClientBuilder {
    JsonClient::builder("clevercloud", "https://api.clever-cloud.com/v2")
}

/// Add-on, as the list of add-ons has it.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AddonSummary {
    /// Clever Cloud's id, which is the key of the resource.
    #[serde(alias = "heroku_id")]
    pub addon_id: String,
    /// The `id` that the vendor returned.
    pub provider_id: Option<String>,
    /// Plan.
    pub plan: Option<String>,
    /// Id of the organization or user that pays.
    pub owner_id: Option<String>,
}

/// Add-on of a customer.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AddonDetails {
    /// Clever Cloud's or the vendor's id; which of them is not documented.
    pub id: Option<String>,
    /// Customer's name of the add-on.
    pub name: Option<String>,
    /// Config vars.
    #[serde(default)]
    pub config: CurrentConfig,
    /// Id of the organization or user that pays.
    pub owner_id: Option<String>,
    /// Name of the organization.
    pub owner_name: Option<String>,
    /// Address of the owner.
    pub owner_email: Option<String>,
    /// Addresses of the members of the organization.
    #[serde(default)]
    pub owner_emails: Vec<String>,
    /// Region.
    pub region: Option<String>,
}

/// Client of the Add-on Infos API for one provider. Clones share the connection pool and the password. An add-on does not exist
/// in the API before its provision was answered.
///
/// `Debug` prints the URL and the provider's id.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let clever_cloud = maitre_testkit::apis::CleverCloudApi::new("quince", "s3cr3t-example");
/// # clever_cloud.add_addon("addon_1", "q-81", "dev");
/// # let server = clever_cloud.serve().await?;
/// use maitre_clevercloud::{Client, connect};
///
/// let http = connect();
/// # let http = http.url(server.url());
/// let client = Client::new("quince", "s3cr3t-example", http.build()?);
/// let addons = client.addons().await?;
/// assert_eq!(addons[0].provider_id.as_deref(), Some("q-81"));
/// assert_eq!(client.addon(&addons[0].addon_id).await?.owner_name.as_deref(), Some("Quince Labs"));
/// client.report_consumption("addon_1", 1_250).await?; // 12.50
/// assert_eq!(clever_cloud.costs("addon_1"), [12.5]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    http: JsonClient,
    id: String,
    password: Replaceable<Secret>,
}

impl Client {
    /// Creates a client with the manifest's `id` and `api.password`.
    pub fn new(id: &str, password: impl Into<Secret>, http: JsonClient) -> Self {
        Self { http, id: id.to_owned(), password: Replaceable::new(password.into()) }
    }

    /// Returns the manifest's `id`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `GET /vendor/apps`: lists all add-ons of the provider.
    ///
    /// # Errors
    /// Returns an error if a page cannot be read.
    pub async fn addons(&self) -> Result<Vec<AddonSummary>, CallError> {
        let page = |offset: usize, _| async move {
            let call = self.call(Method::GET, &[]).query(format!("offset={offset}"));
            call.read::<Vec<AddonSummary>>().await
        };
        read_pages(page, |addon| addon.addon_id.clone()).await
    }

    /// `GET /vendor/apps/{addon_id}`: returns an add-on.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn addon(&self, addon_id: &str) -> Result<AddonDetails, CallError> {
        self.call(Method::GET, &[addon_id]).read().await
    }

    /// `PUT /vendor/apps/{addon_id}`: replaces all config vars, a JSON object with text as values.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn replace_config(&self, addon_id: &str, config: Value) -> Result<(), CallError> {
        self.call(Method::PUT, &[addon_id]).body(json!({ "config": config })).send().await
    }

    /// `POST /vendor/apps/{addon_id}/consumptions`: bills the owner. It is not repeated after a failure of unknown outcome.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn report_consumption(&self, addon_id: &str, cost_in_cents: u32) -> Result<(), CallError> {
        let cost = f64::from(cost_in_cents) / 100.0;
        self.call(Method::POST, &[addon_id, "consumptions"]).body(json!({ "cost": cost })).send().await
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.http.now()
    }

    fn call(&self, method: Method, path: &[&str]) -> JsonCall {
        let path = [&["vendor", "apps"], path].concat();
        self.http.call(method, &path).basic(&self.id, &self.password.get())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("http", &self.http).field("id", &self.id).finish_non_exhaustive()
    }
}

/// The text is the manifest, whose password is used for calls.
impl Reload for Client {
    fn reload(&self, text: &str, _: OffsetDateTime, _: Duration) -> Result<(), ReloadError> {
        let manifest = Manifest::parse(text).map_err(ReloadError::new)?;
        self.password.replace(manifest.password().map_err(ReloadError::new)?.clone());
        Ok(())
    }
}
