//! Scalingo's App Addon API.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::api::{Answer, Api, ApiRequest, Model, Problem};

/// Number of apps on a page.
const PAGE_SIZE: usize = 2;

/// State of [`ScalingoApi`].
#[derive(Debug)]
pub struct ScalingoApps {
    username: String,
    password: String,
    apps: BTreeMap<String, App>,
}

#[derive(Debug)]
struct App {
    addon_provider_id: String,
    plan: String,
    config: BTreeMap<String, String>,
}

/// Scalingo's App Addon API for one add-on, with two apps on a page.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use maitre_testkit::apis::ScalingoApi;
///
/// let scalingo = ScalingoApi::new("lychee", "password");
/// scalingo.add_app("66c0ffee", "ad-7d0c2b8e", "small");
/// let server = scalingo.serve().await?;
/// let url = format!("{}/provider/apps/66c0ffee", server.url());
/// let body = serde_json::json!({ "config": { "LYCHEE_URL": "https://lychee.example" } });
/// let call = reqwest::Client::new().patch(url).basic_auth("lychee", Some("password")).json(&body);
/// assert_eq!(call.send().await?.status(), 200);
/// assert_eq!(scalingo.config("66c0ffee")["LYCHEE_URL"], "https://lychee.example");
/// # Ok(())
/// # }
/// ```
pub type ScalingoApi = Api<ScalingoApps>;

impl ScalingoApi {
    /// Returns an API without apps, for the add-on with this user name and password.
    #[must_use]
    pub fn new(username: &str, password: &str) -> Self {
        let (username, password) = (username.to_owned(), password.to_owned());
        Self::with_state(ScalingoApps { username, password, apps: BTreeMap::new() })
    }

    /// Adds an app with the add-on, whose id by the vendor is `addon_provider_id`.
    pub fn add_app(&self, app_id: &str, addon_provider_id: &str, plan: &str) {
        let (addon_provider_id, plan) = (addon_provider_id.to_owned(), plan.to_owned());
        self.state().apps.insert(app_id.to_owned(), App { addon_provider_id, plan, config: BTreeMap::new() });
    }

    /// Replaces the config vars of an app, for example by those of the vendor's response.
    pub fn set_config(&self, app_id: &str, config: BTreeMap<String, String>) {
        if let Some(app) = self.state().apps.get_mut(app_id) {
            app.config = config;
        }
    }

    /// Removes an app, without a request to the vendor.
    pub fn remove_app(&self, app_id: &str) {
        self.state().apps.remove(app_id);
    }

    /// Returns the config vars of an app.
    #[must_use]
    pub fn config(&self, app_id: &str) -> BTreeMap<String, String> {
        self.state().apps.get(app_id).map(|app| app.config.clone()).unwrap_or_default()
    }
}

impl Model for ScalingoApps {
    fn answer(&mut self, request: &ApiRequest<'_>) -> Answer {
        request.require_basic(&self.username, &self.password)?;
        match (request.method, &request.path[..]) {
            ("GET", ["provider", "apps"]) => {
                let page = request.number("page").unwrap_or(1).max(1);
                let list: Vec<Value> = self.apps.iter().map(|(app_id, app)| app.summary(app_id)).collect();
                let apps = list.chunks(PAGE_SIZE).nth(page - 1).unwrap_or_default();
                Ok((200, json!({ "apps": apps })))
            }
            ("GET", ["provider", "apps", app_id]) => Ok((200, self.app(app_id)?.details(app_id))),
            ("PATCH", ["provider", "apps", app_id]) => {
                let app = self.app(app_id)?;
                let values = request.config()?.iter();
                app.config.extend(values.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))));
                Ok((200, app.details(app_id)))
            }
            _ => Err(Problem::new(404, "not found")),
        }
    }
}

impl ScalingoApps {
    fn app(&mut self, app_id: &str) -> Result<&mut App, Problem> {
        self.apps.get_mut(app_id).ok_or_else(|| Problem::new(404, "no such app"))
    }
}

impl App {
    fn summary(&self, app_id: &str) -> Value {
        json!({ "addon_provider_id": self.addon_provider_id, "app_id": app_id, "plan": self.plan })
    }

    fn details(&self, app_id: &str) -> Value {
        json!({ "app": {
            "addon_provider_id": self.addon_provider_id, "id": app_id, "name": "orchard",
            "owner_email": "ada@customer.example", "plan": self.plan, "config": self.config,
        } })
    }
}
