//! State of the sample add-on.

use std::collections::HashSet;

#[derive(Default)]
pub(super) struct Store {
    pub(super) resources: Vec<Resource>,
    /// Names of deprovisioned resources: keys and ids.
    pub(super) removed: HashSet<String>,
    /// Names that are reserved by faults.
    pub(super) busy: HashSet<String>,
    pub(super) used_tokens: HashSet<String>,
    pub(super) created: usize,
}

#[derive(Clone)]
pub(super) struct Resource {
    pub(super) key: String,
    pub(super) id: String,
    pub(super) app: String,
    pub(super) plan: String,
    pub(super) secret: usize,
    pub(super) is_changed: bool,
    pub(super) is_suspended: bool,
}

impl Store {
    pub(super) fn find(&mut self, name: &str) -> Option<&mut Resource> {
        self.resources.iter_mut().find(|resource| resource.id == name || resource.key == name)
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Resource> {
        let position = self.resources.iter().position(|it| it.id == name || it.key == name)?;
        let resource = self.resources.remove(position);
        self.removed.extend([resource.key.clone(), resource.id.clone()]);
        Some(resource)
    }
}
