//! Lists of installs.

use std::cmp::Reverse;

use super::{
    super::state::{addon::Addon, install_state::State},
    install::Install,
    platform::Platform,
};

/// Page of a list of installs.
#[derive(Debug)]
#[non_exhaustive]
pub struct InstallPage {
    /// Installs, newest first.
    pub installs: Vec<Install>,
    /// Number of the page, from 0.
    pub number: usize,
    /// Number of pages, at least 1.
    pub pages: usize,
}

impl Platform {
    /// Returns all installs, including ended ones.
    #[must_use]
    pub fn installs(&self) -> Vec<Install> {
        let uuids: Vec<_> = self.state().addons.keys().cloned().collect();
        uuids.into_iter().map(|uuid| Install::new(self.clone(), uuid)).collect()
    }

    /// Returns the install with this uuid, or the live one with this name.
    ///
    /// ```
    /// use maitre_testkit::platform::Platform;
    ///
    /// let platform = Platform::new("tally", "password", "client secret");
    /// let install = platform.install_builder("basic").name("tally-shop").create();
    /// assert_eq!(platform.find("tally-shop").map(|found| found.uuid().to_owned()), Some(install.uuid().to_owned()));
    /// ```
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Install> {
        let state = self.state();
        let has_name = |addon: &&Addon| addon.name == id && addon.removal.is_none();
        let found = state.addons.get(id).or_else(|| state.addons.values().find(has_name));
        found.map(|addon| Install::new(self.clone(), addon.uuid.clone()))
    }

    /// Returns a page of the installs that a filter selects by uuid and state, newest first. Returns the last page if there
    /// are fewer.
    ///
    /// ```
    /// use maitre_testkit::platform::Platform;
    ///
    /// let platform = Platform::new("tally", "password", "client secret");
    /// let uuids = [(); 3].map(|()| platform.install("basic").uuid().to_owned());
    /// let page = platform.install_page(1, 2, |uuid, _| uuid != uuids[0]);
    /// assert_eq!((page.installs.len(), page.number, page.pages), (2, 0, 1));
    /// ```
    pub fn install_page(
        &self,
        number: usize,
        size: usize,
        mut selects: impl FnMut(&str, State) -> bool,
    ) -> InstallPage {
        let state = self.state();
        let selected = state.addons.values().filter(|addon| selects(&addon.uuid, addon.state));
        let mut selected: Vec<_> =
            selected.map(|addon| Reverse((addon.created_at.unix_timestamp_nanos(), &*addon.uuid))).collect();
        let pages = selected.len().div_ceil(size).max(1);
        let number = number.min(pages - 1);
        let (begin, end) = (number * size, selected.len().min((number + 1) * size));
        if end < selected.len() {
            selected.select_nth_unstable(end);
        }
        selected[..end].sort_unstable();
        let shown = selected[begin..end].iter();
        let installs = shown.map(|Reverse((_, uuid))| Install::new(self.clone(), (*uuid).to_owned())).collect();
        InstallPage { installs, number, pages }
    }
}
