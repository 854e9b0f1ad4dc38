use serde_json::json;

use super::{Api, path};
use crate::{AddOn, Attachment, ConfigVar, Error, List, models::Exposed};

/// The add-on, its config vars and attachments, and the two calls that complete asynchronous operations.
///
/// Every method returns an [`Error`] if the call fails; after a 401, [refresh](crate::Client::refresh) the token.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use maitre_heroku_api::{AddOnState, Client, ConfigVar, OauthGrant};
/// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
/// # let heroku = platform.serve().await?;
/// # let install = platform.install_builder("basic").app("shop").create();
/// # let grant = OauthGrant::new(install.grant().code(), install.grant().expires_at());
/// # let client = Client::builder("client secret").base_url(heroku.url()).build()?;
/// # let uuid = install.uuid();
/// # let api = client.api(&client.exchange(&grant).await?);
/// let vars = [ConfigVar::set("LANTERN_URL", "https://eu1.lantern.example"), ConfigVar::unset("LANTERN_OLD")];
/// let all = api.set_config(uuid, &vars).await?;
/// assert_eq!(all.len(), 1);
/// assert_eq!(api.config(uuid).await?[0].name, "LANTERN_URL");
///
/// assert_eq!(api.mark_provisioned(uuid).await?.state, AddOnState::Provisioned);
/// assert_eq!(api.add_on(uuid).await?.config_vars, ["LANTERN_URL"]);
/// assert_eq!(api.add_ons_of_app("shop").all().await?.len(), 1);
/// assert_eq!(api.attachments(uuid).all().await?[0].name, "LANTERN");
/// # Ok(())
/// # }
/// ```
impl Api {
    /// `GET /addons/{addon}`: returns the add-on.
    pub async fn add_on(&self, add_on: &str) -> Result<AddOn, Error> {
        self.get(path(["addons", add_on])).read().await
    }

    /// `GET /addons`: lists the add-ons of the same service that the token gives access to.
    pub fn add_ons(&self) -> List<AddOn> {
        self.get("/addons").list()
    }

    /// `GET /apps/{app}/addons`: lists the add-ons of the same service on one app.
    pub fn add_ons_of_app(&self, app: &str) -> List<AddOn> {
        self.get(path(["apps", app, "addons"])).list()
    }

    /// `GET /users/{user}/addons`: lists the add-ons of the same service of one user.
    pub fn add_ons_of_user(&self, user: &str) -> List<AddOn> {
        self.get(path(["users", user, "addons"])).list()
    }

    /// `GET /addons/{addon}/config`: returns the add-on's config vars.
    pub async fn config(&self, add_on: &str) -> Result<Vec<ConfigVar>, Error> {
        self.get(path(["addons", add_on, "config"])).read().await
    }

    /// `PATCH /addons/{addon}/config`: sets and removes config vars, named as in the manifest, keeps the others, and
    /// returns all.
    ///
    /// On a provisioned add-on every call restarts the owning app and all attached apps: change all config vars in one call,
    /// and keep old credentials valid for an hour or two (Heroku's article on rolling credentials). For the same reason the
    /// call is not retried after a failure with an unknown outcome: compare with the [config](Self::config) first.
    pub async fn set_config(&self, add_on: &str, vars: &[ConfigVar]) -> Result<Vec<ConfigVar>, Error> {
        let vars: Vec<_> = vars.iter().map(Exposed::from).collect();
        self.patch(path(["addons", add_on, "config"])).json(&json!({ "config": vars })).read().await
    }

    /// `POST /addons/{addon}/actions/provision`: completes a provision that was answered 202. Heroku then releases the
    /// config vars and restarts the app once, so set them first.
    ///
    /// The call is retried after a failure. Heroku's response to a repetition is not documented: if it is an error, check
    /// the add-on's [state](AddOn::state).
    pub async fn mark_provisioned(&self, add_on: &str) -> Result<AddOn, Error> {
        self.post(path(["addons", add_on, "actions", "provision"])).idempotent().read().await
    }

    /// `POST /addons/{addon}/actions/deprovision`: reports that a provision failed permanently, or that a deprovision which was
    /// answered 202 has completed. The token is invalid afterwards.
    ///
    /// The call is retried after a failure. A 401 on the retry may mean that the first attempt succeeded.
    pub async fn mark_deprovisioned(&self, add_on: &str) -> Result<AddOn, Error> {
        self.post(path(["addons", add_on, "actions", "deprovision"])).idempotent().read().await
    }

    /// `GET /addons/{addon}/addon-attachments`: lists the apps that the add-on is attached to, with the names there.
    pub fn attachments(&self, add_on: &str) -> List<Attachment> {
        self.get(path(["addons", add_on, "addon-attachments"])).list()
    }

    /// `GET /apps/{app}/addon-attachments`: lists the attachments on one app.
    pub fn attachments_of_app(&self, app: &str) -> List<Attachment> {
        self.get(path(["apps", app, "addon-attachments"])).list()
    }
}
