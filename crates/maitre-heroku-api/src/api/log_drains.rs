use maitre_core::Secret;
use serde_json::json;

use super::{Api, path};
use crate::{Error, List, LogDrain};

/// Log drains. Apps of the generation `fir` have none.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use maitre_heroku_api::{Client, OauthGrant};
/// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
/// # let heroku = platform.serve().await?;
/// # let install = platform.install_builder("basic").app("shop").create();
/// # let grant = OauthGrant::new(install.grant().code(), install.grant().expires_at());
/// # let client = Client::builder("client secret").base_url(heroku.url()).build()?;
/// # let api = client.api(&client.exchange(&grant).await?);
/// let drain = api.add_log_drain("shop", &"https://user:pw@logs.example/shop".into()).await?;
/// assert_eq!(drain.url.expose(), "https://user:pw@logs.example/shop");
/// assert!(!format!("{drain:?}").contains("pw"));
/// api.remove_log_drain("shop", &drain.id).await?;
/// # Ok(())
/// # }
/// ```
impl Api {
    /// `GET /addons/{addon}/log-drains`: lists the add-on's own drains.
    pub fn log_drains(&self, add_on: &str) -> List<LogDrain> {
        self.get(path(["addons", add_on, "log-drains"])).list()
    }

    /// `PUT /addons/{addon}/log-drains/{drain}`: changes the URL of one of the add-on's own drains. Pass the id of the
    /// drain: Heroku accepts its token and URL as well, but both are secrets, and paths are logged.
    pub async fn update_log_drain(&self, add_on: &str, drain: &str, url: &Secret) -> Result<LogDrain, Error> {
        let body = json!({ "url": url.expose() });
        self.put(path(["addons", add_on, "log-drains", drain])).json(&body).read().await
    }

    /// `POST /apps/{app}/log-drains`: adds a drain to an app. The call is not retried after a failure: check the app's
    /// drains first.
    pub async fn add_log_drain(&self, app: &str, url: &Secret) -> Result<LogDrain, Error> {
        self.post(path(["apps", app, "log-drains"])).json(&json!({ "url": url.expose() })).read().await
    }

    /// `DELETE /apps/{app}/log-drains/{drain}`: removes a drain, by its id.
    pub async fn remove_log_drain(&self, app: &str, drain: &str) -> Result<(), Error> {
        self.delete(path(["apps", app, "log-drains", drain])).send().await.map(drop)
    }
}
