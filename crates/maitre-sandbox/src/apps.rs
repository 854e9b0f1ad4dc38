//! Customers' apps: their own config vars, their releases, and whether they were destroyed.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Maximum number of releases kept of each app.
const MAX_RELEASES: usize = 500;

/// State of apps in addition to that of the platform, by name. An app without an entry has no config vars of
/// its own and no releases.
#[derive(Debug, Default)]
pub(crate) struct Apps(Mutex<BTreeMap<String, App>>);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct App {
    is_destroyed: bool,
    config: BTreeMap<String, String>,
    releases: Vec<Release>,
}

/// Change of an app's config vars or attachments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Release {
    pub(crate) version: u64,
    pub(crate) description: String,
    pub(crate) created_at: OffsetDateTime,
}

impl Apps {
    pub(crate) fn is_destroyed(&self, app: &str) -> bool {
        self.apps().get(app).is_some_and(|app| app.is_destroyed)
    }

    /// Returns the config vars that the customer set.
    pub(crate) fn config(&self, app: &str) -> BTreeMap<String, String> {
        self.apps().get(app).map(|app| app.config.clone()).unwrap_or_default()
    }

    /// Sets config vars, and removes those without a value.
    pub(crate) fn change_config(&self, app: &str, changes: impl IntoIterator<Item = (String, Option<String>)>) {
        let mut apps = self.apps();
        let config = &mut apps.entry(app.to_owned()).or_default().config;
        for (name, value) in changes {
            match value {
                Some(value) => drop(config.insert(name, value)),
                None => drop(config.remove(&name)),
            }
        }
    }

    /// Returns the releases of an app, oldest first.
    pub(crate) fn releases(&self, app: &str) -> Vec<Release> {
        self.apps().get(app).map(|app| app.releases.clone()).unwrap_or_default()
    }

    /// Adds a release.
    pub(crate) fn release(&self, app: &str, description: impl Into<String>, created_at: OffsetDateTime) {
        let mut apps = self.apps();
        let releases = &mut apps.entry(app.to_owned()).or_default().releases;
        let version = releases.last().map_or(1, |last| last.version) + 1;
        releases.push(Release { version, description: description.into(), created_at });
        if releases.len() > MAX_RELEASES {
            releases.remove(0);
        }
    }

    /// Marks an app as existing again.
    pub(crate) fn revive(&self, app: &str) {
        if let Some(app) = self.apps().get_mut(app) {
            app.is_destroyed = false;
        }
    }

    /// Removes the config vars and the releases of an app.
    pub(crate) fn destroy(&self, app: &str) {
        self.apps().insert(app.to_owned(), App { is_destroyed: true, ..App::default() });
    }

    /// Returns the state as JSON.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(&*self.apps()).unwrap_or_default()
    }

    /// Restores the state from JSON.
    pub(crate) fn restore(&self, json: &str) -> serde_json::Result<()> {
        *self.apps() = serde_json::from_str(json)?;
        Ok(())
    }

    fn apps(&self) -> MutexGuard<'_, BTreeMap<String, App>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
