use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Facts that contracts keep about an install, an account or a team, by its key. They survive a restart with a state file.
///
/// A clone is the same facts.
#[derive(Clone, Default)]
pub(crate) struct Facts(Arc<Mutex<BTreeMap<String, BTreeMap<String, String>>>>);

impl Facts {
    pub(crate) fn get(&self, key: &str, name: &str) -> Option<String> {
        self.lock().get(key)?.get(name).cloned()
    }

    pub(crate) fn has(&self, key: &str, name: &str) -> bool {
        self.get(key, name).is_some()
    }

    pub(crate) fn set(&self, key: &str, name: &str, value: impl Into<String>) {
        self.lock().entry(key.to_owned()).or_default().insert(name.to_owned(), value.into());
    }

    pub(crate) fn remove(&self, key: &str, name: &str) {
        if let Some(facts) = self.lock().get_mut(key) {
            facts.remove(name);
        }
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(&*self.lock()).unwrap_or_default()
    }

    pub(crate) fn restore(&self, text: &str) -> Result<(), serde_json::Error> {
        *self.lock() = serde_json::from_str(text)?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
