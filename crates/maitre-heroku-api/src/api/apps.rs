use serde_json::json;

use super::{Api, path};
use crate::{App, Collaborator, Domain, Error, List, Member};

/// Apps that the add-on is attached to, and their users. Do not cache the users for longer than five minutes: a user who
/// loses access to an app must lose access to its add-ons (Heroku's article on syncing user access).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use maitre_heroku_api::{Client, OauthGrant};
/// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
/// # let heroku = platform.serve().await?;
/// # let install = platform.install_builder("basic").app("shop").create();
/// # platform.app("shop").team("makers").member("grace@example.org", "admin");
/// # let grant = OauthGrant::new(install.grant().code(), install.grant().expires_at());
/// # let client = Client::builder("client secret").base_url(heroku.url()).build()?;
/// # let api = client.api(&client.exchange(&grant).await?);
/// let shop = api.app("shop").await?;
/// assert_eq!(api.apps_by_id(&[&shop.id]).all().await?[0].name, "shop");
///
/// let mut may_use = Vec::new();
/// may_use.extend(api.collaborators(&shop.id).all().await?.into_iter().map(|one| one.user.id));
/// if let Some(team) = shop.team {
///     may_use.extend(api.team_members(&team.id).all().await?.into_iter().filter_map(|one| Some(one.user?.id)));
/// }
/// assert_eq!(may_use.len(), 2); // the owner of the app, and a member of its team
/// # Ok(())
/// # }
/// ```
impl Api {
    /// `GET /apps/{app}`: returns an app, by id or name.
    pub async fn app(&self, app: &str) -> Result<App, Error> {
        self.get(path(["apps", app])).read().await
    }

    /// `GET /apps`: lists the apps that the token gives access to.
    pub fn apps(&self) -> List<App> {
        self.get("/apps").list()
    }

    /// `GET /users/{user}/apps`: lists the accessible apps of one user.
    pub fn apps_of_user(&self, user: &str) -> List<App> {
        self.get(path(["users", user, "apps"])).list()
    }

    /// `POST /filters/apps`: lists the apps with these ids that the token gives access to.
    pub fn apps_by_id(&self, ids: &[&str]) -> List<App> {
        self.post("/filters/apps").json(&json!({ "in": { "id": ids } })).idempotent().list()
    }

    /// `GET /apps/{app}/collaborators`: lists the collaborators of an app. They and the [members](Self::team_members) of
    /// its team may use the add-on.
    pub fn collaborators(&self, app: &str) -> List<Collaborator> {
        self.get(path(["apps", app, "collaborators"])).list()
    }

    /// `GET /teams/{team}/members`: lists the members of a team. There are no webhooks for their changes.
    pub fn team_members(&self, team: &str) -> List<Member> {
        self.get(path(["teams", team, "members"])).list()
    }

    /// `GET /apps/{app}/domains`: lists the host names of an app.
    pub fn domains(&self, app: &str) -> List<Domain> {
        self.get(path(["apps", app, "domains"])).list()
    }
}
