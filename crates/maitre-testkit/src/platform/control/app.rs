//! Handle of a customer's app.

use std::fmt;

use serde_json::{Value, json};

use super::{
    super::state::{
        customer_app::{CustomerApp, Team, User},
        store::PlatformState,
        webhook::{Action, Entity},
    },
    platform::Platform,
};
use crate::generate::new_uuid;

/// Customer's app: see [`Platform::app`].
///
/// ```
/// use maitre_testkit::platform::Platform;
///
/// let platform = Platform::new("tally", "password", "client secret");
/// let app = platform.app("shop");
/// app.collaborator("ada@example.org", "member");
/// app.team("makers").member("grace@example.org", "admin");
///
/// let install = platform.install_builder("basic").app("shop").create();
/// assert_eq!(install.app(), "shop");
/// ```
///
/// The users of an add-on are the collaborators of its app and the members of the app's team (Heroku's article on
/// syncing user access). A new app has its owner as the only collaborator.
#[derive(Clone)]
pub struct App {
    platform: Platform,
    id: String,
}

#[expect(clippy::must_use_candidate, reason = "the app is returned only for chaining")]
impl App {
    pub(crate) fn new(platform: Platform, id: String) -> Self {
        Self { platform, id }
    }

    /// Returns Heroku's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the current name.
    #[must_use]
    pub fn name(&self) -> String {
        self.with(|app| app.name.clone())
    }

    /// Returns the app as the Platform API does.
    #[must_use]
    pub fn json(&self) -> Value {
        self.platform.state().app_object(&self.id)
    }

    /// Adds a collaborator with a role such as `member`.
    pub fn collaborator(&self, email: &str, role: &str) -> &Self {
        let user = User::new(email);
        self.with(|app| app.collaborators.push((user.clone(), role.to_owned())));
        self.tell(|state| state.collaborator_object(&self.id, &user.email), Entity::Collaborator, Action::Create);
        self
    }

    /// Removes a collaborator.
    pub fn remove_collaborator(&self, email: &str) -> &Self {
        self.tell(|state| state.collaborator_object(&self.id, email), Entity::Collaborator, Action::Destroy);
        self.with(|app| app.collaborators.retain(|(user, _)| user.email != email));
        self
    }

    /// Transfers the app to a team of this name.
    pub fn team(&self, name: &str) -> &Self {
        self.with(|app| app.team = Some(Team { id: new_uuid(), name: name.to_owned(), members: Vec::new() }));
        self
    }

    /// Adds a member to the app's team, if it has one. This does not cause a webhook.
    pub fn member(&self, email: &str, role: &str) -> &Self {
        self.with(|app| {
            if let Some(team) = &mut app.team {
                team.members.push((User::new(email), role.to_owned()));
            }
        });
        self
    }

    /// Adds a domain.
    pub fn domain(&self, hostname: &str) -> &Self {
        self.with(|app| app.domains.push((new_uuid(), hostname.to_owned())));
        self
    }

    /// Changes the name.
    pub fn rename(&self, name: &str) -> &Self {
        let before = self.with(|app| std::mem::replace(&mut app.name, name.to_owned()));
        let mut state = self.platform.state();
        let data = state.app_object(&self.id);
        state.emit_to_app(&self.id, Entity::App, Action::Update, &data, &json!({ "name": before }));
        self
    }

    fn with<T>(&self, change: impl FnOnce(&mut CustomerApp) -> T) -> T {
        change(self.platform.state().apps.get_mut(&self.id).expect("apps are never removed"))
    }

    fn tell(&self, data: impl FnOnce(&PlatformState) -> Value, entity: Entity, action: Action) {
        let mut state = self.platform.state();
        let data = data(&state);
        state.emit_to_app(&self.id, entity, action, &data, &json!({}));
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("App").field(&self.name()).finish()
    }
}

impl Platform {
    /// Returns all apps of customers.
    #[must_use]
    pub fn apps(&self) -> Vec<App> {
        let ids: Vec<_> = self.state().apps.keys().cloned().collect();
        ids.into_iter().map(|id| App::new(self.clone(), id)).collect()
    }

    /// Returns the customer's app of this name, and creates it if it does not exist.
    #[expect(clippy::must_use_candidate, reason = "the call may be made to create the app")]
    pub fn app(&self, name: &str) -> App {
        let id = self.state().app_named(name);
        App::new(self.clone(), id)
    }
}
