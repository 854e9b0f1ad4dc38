//! Loads and saves the state of the marketplace.

use std::sync::atomic::Ordering;

use maitre_testkit::platform::State;

use crate::{
    Sandbox, SetupError,
    retry::{Lifecycle, Retry},
};

/// Key prefix of retries, which are saved beside the platform's own keys.
const RETRY_PREFIX: &str = "retry/";

const APPS_KEY: &str = "customer-apps";

const MANIFESTS_KEY: &str = "manifests";

const FACTS_KEY: &str = "facts";

/// Key prefix of the installs that a reset removed from the page.
const FORGOTTEN_PREFIX: &str = "forgotten/";

impl Sandbox {
    /// Restores the saved state, and schedules the lifecycle calls that the last process did not complete.
    pub(crate) fn load_state(&self) -> Result<(), SetupError> {
        let invalid = |error| {
            SetupError::with_source("the state file was not written by a sandbox of this add-on: choose another", error)
        };
        let mut state = self.journal().store().load_state();
        let retries: Vec<_> = state.extract_if(.., |key, _| key.starts_with(RETRY_PREFIX)).collect();
        let forgotten = state.extract_if(.., |key, _| key.starts_with(FORGOTTEN_PREFIX));
        let uuids = forgotten.filter_map(|(key, _)| key.strip_prefix(FORGOTTEN_PREFIX).map(str::to_owned));
        self.forgotten().extend(uuids);
        if let Some(apps) = state.remove(APPS_KEY) {
            self.apps().restore(&apps).map_err(invalid)?;
        }
        if let Some(manifests) = state.remove(MANIFESTS_KEY) {
            self.inner().manifests.restore(&manifests).map_err(invalid)?;
        }
        if let Some(facts) = state.remove(FACTS_KEY) {
            self.facts().restore(&facts).map_err(invalid)?;
        }
        if !state.is_empty() {
            self.platform().restore(&state).map_err(invalid)?;
        }
        for (_, text) in retries {
            self.schedule_retry(serde_json::from_str(&text).map_err(invalid)?);
        }
        for install in self.platform().installs() {
            self.contract().update_api(&install);
            self.states().insert(install.uuid().to_owned(), install.state());
            let call = match install.state() {
                State::Provisioning if install.provision_status() != Some(202) => Lifecycle::Provision,
                State::Deprovisioning => Lifecycle::Deprovision,
                _ => continue,
            };
            if self.inner().retries.find(install.uuid()).is_none() {
                self.schedule_retry(Retry::immediate(&install, call, self.platform().clock().now()));
            }
        }
        Ok(())
    }

    /// Saves the state if it has changed and there is a state file.
    pub(crate) fn save_state(&self) {
        let (store, dirty) = (self.journal().store(), &self.inner().dirty);
        if !store.is_file() || !dirty.swap(false, Ordering::Relaxed) {
            return;
        }
        let mut state = self.platform().snapshot();
        for retry in self.inner().retries.all() {
            let text = serde_json::to_string(&retry).unwrap_or_default();
            state.insert(format!("{RETRY_PREFIX}{}", retry.uuid), text);
        }
        state.extend(self.forgotten().iter().map(|uuid| (format!("{FORGOTTEN_PREFIX}{uuid}"), String::new())));
        state.insert(APPS_KEY.to_owned(), self.apps().to_json());
        state.insert(FACTS_KEY.to_owned(), self.facts().to_json());
        state.insert(MANIFESTS_KEY.to_owned(), self.inner().manifests.to_json());
        if store.save_state(&state).is_err() {
            dirty.store(true, Ordering::Relaxed); // retried at the next save
        }
    }
}
