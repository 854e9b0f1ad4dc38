use serde_json::json;

use super::{Api, path};
use crate::{AddOn, Attachment, ConfigVar, Error, List, models::Exposed};

/// The add-on itself: what it is, its config vars, and the two calls that end what takes its time.
///
/// Errors are [`Error`]s throughout; 401 asks for a [refresh](crate::Client::refresh) of the token.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use maitre_heroku_api::{AddOnState, Client, ConfigVar, OauthGrant};
/// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
/// # let heroku = platform.serve().await?;
/// # let install = platform.order("basic").app("shop").install();
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
    /// `GET /addons/{addon}`: the add-on.
    pub async fn add_on(&self, add_on: &str) -> Result<AddOn, Error> {
        self.get(path(["addons", add_on])).read().await
    }

    /// `GET /addons`: the add-ons of the same service that the token reaches.
    pub fn add_ons(&self) -> List<AddOn> {
        self.get("/addons").list()
    }

    /// `GET /apps/{app}/addons`: the same on one app.
    pub fn add_ons_of_app(&self, app: &str) -> List<AddOn> {
        self.get(path(["apps", app, "addons"])).list()
    }

    /// `GET /users/{user}/addons`: the same of one user.
    pub fn add_ons_of_user(&self, user: &str) -> List<AddOn> {
        self.get(path(["users", user, "addons"])).list()
    }

    /// `GET /addons/{addon}/config`: the add-on's config vars.
    pub async fn config(&self, add_on: &str) -> Result<Vec<ConfigVar>, Error> {
        self.get(path(["addons", add_on, "config"])).read().await
    }

    /// `PATCH /addons/{addon}/config`: sets and unsets config vars by the names of the manifest, leaves the others alone,
    /// and returns all.
    ///
    /// On a provisioned add-on every such call restarts the owning app and all attached ones: change all at once, and keep
    /// an old credential alive for an hour or two (Heroku's article on rolling credentials). So it is not repeated after a
    /// fault that may have come too late to stop it: compare with the [config](Self::config) first.
    pub async fn set_config(&self, add_on: &str, vars: &[ConfigVar]) -> Result<Vec<ConfigVar>, Error> {
        let vars: Vec<_> = vars.iter().map(Exposed::from).collect();
        self.patch(path(["addons", add_on, "config"])).json(&json!({ "config": vars })).read().await
    }

    /// `POST /addons/{addon}/actions/provision`: the end of a provision that was answered 202. Config vars are released,
    /// and the app restarts once, so set them before.
    ///
    /// It is repeated after a fault. What Heroku says to the second of two is not documented: if it is refused, look at
    /// the add-on's [state](AddOn::state).
    pub async fn mark_provisioned(&self, add_on: &str) -> Result<AddOn, Error> {
        self.post(path(["addons", add_on, "actions", "provision"])).idempotent().read().await
    }

    /// `POST /addons/{addon}/actions/deprovision`: the provision failed for good, or a deprovision that was answered 202 is
    /// done. The token is dead after it.
    ///
    /// It is repeated after a fault, and 401 after such a repetition may mean that the first try did it.
    pub async fn mark_deprovisioned(&self, add_on: &str) -> Result<AddOn, Error> {
        self.post(path(["addons", add_on, "actions", "deprovision"])).idempotent().read().await
    }

    /// `GET /addons/{addon}/addon-attachments`: on which apps it is, and under which names.
    pub fn attachments(&self, add_on: &str) -> List<Attachment> {
        self.get(path(["addons", add_on, "addon-attachments"])).list()
    }

    /// `GET /apps/{app}/addon-attachments`: the same on one app.
    pub fn attachments_of_app(&self, app: &str) -> List<Attachment> {
        self.get(path(["apps", app, "addon-attachments"])).list()
    }
}
