//! Calls of the App Addon API.

use std::{fmt, time::Duration};

use maitre_core::{ConfigVars, Reload, ReloadError, Replaceable, Secret};
use maitre_http::{CallError, JsonCall, JsonClient, JsonClientBuilder};
use maitre_platform::{CurrentConfig, config_json, read_pages};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

/// Starts the connection to the API of a region, such as `osc-fr1`.
///
/// ```
/// let http = maitre_scalingo::region("osc-fr1").user_agent("lychee/2.1").build()?;
/// assert!(format!("{http:?}").contains("https://api.osc-fr1.scalingo.com/v1"));
/// # Ok::<(), maitre_scalingo::CallError>(())
/// ```
pub fn region(name: &str) -> JsonClientBuilder {
    JsonClient::builder("scalingo", &format!("https://api.{name}.scalingo.com/v1"))
}

/// App with the add-on, as the list of apps has it.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AppSummary {
    /// The `id` that the vendor returned.
    pub addon_provider_id: String,
    /// Id of the app.
    pub app_id: String,
    /// Plan.
    pub plan: Option<String>,
}

/// App with the add-on.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct App {
    /// The `id` that the vendor returned.
    pub addon_provider_id: Option<String>,
    /// Id of the app.
    pub id: String,
    /// Name of the app.
    pub name: Option<String>,
    /// Address of the app's owner.
    pub owner_email: Option<String>,
    /// Plan.
    pub plan: Option<String>,
    /// Config vars of the add-on.
    #[serde(default)]
    pub config: CurrentConfig,
}

/// Client of the App Addon API for one add-on. Clones share the connection pool and the password.
///
/// `Debug` prints the URL and the user name.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let scalingo = maitre_testkit::apis::ScalingoApi::new("lychee", "s3cr3t-example");
/// # scalingo.add_app("66c0ffee", "ad-7d0c2b8e", "small");
/// # let server = scalingo.serve().await?;
/// use maitre_scalingo::{Client, region};
///
/// let http = region("osc-fr1");
/// # let http = http.url(server.url());
/// let client = Client::new("lychee", "s3cr3t-example", http.build()?);
/// let apps = client.apps().await?;
/// assert_eq!(apps[0].addon_provider_id, "ad-7d0c2b8e");
/// assert_eq!(client.app(&apps[0].app_id).await?.plan.as_deref(), Some("small"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    http: JsonClient,
    username: String,
    password: Replaceable<Secret>,
}

impl Client {
    /// Creates a client with the manifest's `username` and `password`.
    pub fn new(username: &str, password: impl Into<Secret>, http: JsonClient) -> Self {
        Self { http, username: username.to_owned(), password: Replaceable::new(password.into()) }
    }

    /// Creates a client from the manifest.
    ///
    /// # Errors
    /// Returns an error if the manifest has no `username` or `password`. It contains neither.
    pub fn from_manifest(manifest: &str, http: JsonClient) -> Result<Self, ReloadError> {
        let manifest: Manifest = serde_json::from_str(manifest).map_err(|error| ReloadError::json(&error))?;
        Ok(Self::new(&manifest.username, manifest.password, http))
    }

    /// Returns the manifest's `username`.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// `GET /provider/apps`: lists all apps with the add-on.
    ///
    /// # Errors
    /// Returns an error if a page cannot be read.
    pub async fn apps(&self) -> Result<Vec<AppSummary>, CallError> {
        #[derive(Deserialize)]
        struct Page {
            apps: Vec<AppSummary>,
        }
        let page = |_, page: usize| async move {
            let call = self.call(Method::GET, &["provider", "apps"]).query(format!("page={page}"));
            Ok(call.read::<Page>().await?.apps)
        };
        read_pages(page, |app| (app.app_id.clone(), app.addon_provider_id.clone())).await
    }

    /// `GET /provider/apps/{app_id}`: returns an app.
    ///
    /// # Errors
    /// Returns an error if the call fails: 404 if the app no longer has the add-on.
    pub async fn app(&self, app_id: &str) -> Result<App, CallError> {
        app(self.call(Method::GET, &["provider", "apps", app_id])).await
    }

    /// `PATCH /provider/apps/{app_id}`: changes these config vars, and restarts the app. Their names must be in the manifest.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn set_config(&self, app_id: &str, config: &ConfigVars) -> Result<App, CallError> {
        let body = json!({ "config": config_json(config) });
        app(self.call(Method::PATCH, &["provider", "apps", app_id]).body(body)).await
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.http.now()
    }

    fn call(&self, method: Method, path: &[&str]) -> JsonCall {
        self.http.call(method, path).basic(&self.username, &self.password.get())
    }
}

/// Body of a response about one app.
#[derive(Deserialize)]
struct AppBody {
    app: App,
}

async fn app(call: JsonCall) -> Result<App, CallError> {
    Ok(call.read::<AppBody>().await?.app)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("http", &self.http).field("username", &self.username).finish_non_exhaustive()
    }
}

/// The part of the manifest that calls need.
#[derive(Deserialize)]
struct Manifest {
    username: String,
    password: Secret,
}

/// The text is the manifest, whose password is used for calls.
impl Reload for Client {
    fn reload(&self, text: &str, _: OffsetDateTime, _: Duration) -> Result<(), ReloadError> {
        let manifest: Manifest = serde_json::from_str(text).map_err(|error| ReloadError::json(&error))?;
        self.password.replace(manifest.password);
        Ok(())
    }
}
