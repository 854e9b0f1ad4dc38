//! Customers' apps, and who works on them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    Platform,
    webhooks::{Action, Entity},
    world::PlatformState,
};
use crate::endpoint::new_uuid;

#[derive(Serialize, Deserialize)]
pub(super) struct AppRecord {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) owner: User,
    pub(super) team: Option<Team>,
    pub(super) collaborators: Vec<(User, String)>,
    pub(super) domains: Vec<(String, String)>,
    pub(super) drains: Vec<Drain>,
    pub(super) created_at: OffsetDateTime,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) email: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Team {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) members: Vec<(User, String)>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Drain {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) url: String,
    /// The add-on that it belongs to, where it is not the app's own.
    pub(super) addon: Option<String>,
    pub(super) created_at: OffsetDateTime,
}

impl User {
    fn new(email: &str) -> Self {
        Self { id: new_uuid(), email: email.to_owned() }
    }
}

impl AppRecord {
    pub(super) fn new(name: &str, now: OffsetDateTime) -> Self {
        let owner = User::new(&format!("owner@{name}.example.org"));
        Self {
            id: new_uuid(),
            name: name.to_owned(),
            collaborators: vec![(owner.clone(), "owner".to_owned())],
            owner,
            team: None,
            domains: Vec::new(),
            drains: Vec::new(),
            created_at: now,
        }
    }
}

/// A customer's app, as [`Platform::app`] finds or makes it.
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
/// Who may use an add-on are the collaborators of its app and the members of the app's team (Heroku's article on
/// syncing user access). An app begins with its owner as the only collaborator.
#[derive(Clone)]
pub struct App {
    platform: Platform,
    id: String,
}

#[expect(clippy::must_use_candidate, reason = "what changes an app returns it only for the next change")]
impl App {
    pub(super) fn new(platform: Platform, id: String) -> Self {
        Self { platform, id }
    }

    /// Heroku's id of it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its name now; names change.
    #[must_use]
    pub fn name(&self) -> String {
        self.with(|app| app.name.clone())
    }

    /// The app as the Platform API shows it.
    #[must_use]
    pub fn json(&self) -> Value {
        self.platform.world().app_object(&self.id)
    }

    /// Lets someone work on it, in a role such as `member`.
    pub fn collaborator(&self, email: &str, role: &str) -> &Self {
        let user = User::new(email);
        self.with(|app| app.collaborators.push((user.clone(), role.to_owned())));
        self.tell(|world| world.collaborator_object(&self.id, &user.email), Entity::Collaborator, Action::Create);
        self
    }

    /// Ends someone's work on it.
    pub fn remove_collaborator(&self, email: &str) -> &Self {
        self.tell(|world| world.collaborator_object(&self.id, email), Entity::Collaborator, Action::Destroy);
        self.with(|app| app.collaborators.retain(|(user, _)| user.email != email));
        self
    }

    /// Hands it to a team of this name.
    pub fn team(&self, name: &str) -> &Self {
        self.with(|app| app.team = Some(Team { id: new_uuid(), name: name.to_owned(), members: Vec::new() }));
        self
    }

    /// Takes someone into the app's team, if it has one. No webhook tells of that.
    pub fn member(&self, email: &str, role: &str) -> &Self {
        self.with(|app| {
            if let Some(team) = &mut app.team {
                team.members.push((User::new(email), role.to_owned()));
            }
        });
        self
    }

    /// Gives it a host name.
    pub fn domain(&self, hostname: &str) -> &Self {
        self.with(|app| app.domains.push((new_uuid(), hostname.to_owned())));
        self
    }

    /// Calls it otherwise.
    pub fn rename(&self, name: &str) -> &Self {
        let before = self.with(|app| std::mem::replace(&mut app.name, name.to_owned()));
        let mut world = self.platform.world();
        let data = world.app_object(&self.id);
        world.emit_to_app(&self.id, Entity::App, Action::Update, &data, &json!({ "name": before }));
        self
    }

    fn with<T>(&self, change: impl FnOnce(&mut AppRecord) -> T) -> T {
        change(self.platform.world().apps.get_mut(&self.id).expect("an app is never forgotten"))
    }

    fn tell(&self, data: impl FnOnce(&PlatformState) -> Value, entity: Entity, action: Action) {
        let mut world = self.platform.world();
        let data = data(&world);
        world.emit_to_app(&self.id, entity, action, &data, &json!({}));
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("App").field(&self.name()).finish()
    }
}
