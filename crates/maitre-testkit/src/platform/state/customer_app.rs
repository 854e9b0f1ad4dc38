//! Customers' apps and the people who work on them.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::generate::new_uuid;

#[derive(Serialize, Deserialize)]
pub(crate) struct CustomerApp {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) owner: User,
    pub(crate) team: Option<Team>,
    pub(crate) collaborators: Vec<(User, String)>,
    pub(crate) domains: Vec<(String, String)>,
    pub(crate) drains: Vec<Drain>,
    pub(crate) created_at: OffsetDateTime,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) email: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) members: Vec<(User, String)>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Drain {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) url: String,
    /// The add-on that owns the drain; `None` for a drain of the app itself.
    pub(crate) addon: Option<String>,
    pub(crate) created_at: OffsetDateTime,
}

impl User {
    pub(crate) fn new(email: &str) -> Self {
        Self { id: new_uuid(), email: email.to_owned() }
    }
}

impl CustomerApp {
    pub(crate) fn new(name: &str, now: OffsetDateTime) -> Self {
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
