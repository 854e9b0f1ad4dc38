//! Config vars at Heroku.

use maitre_core::{ConfigVars, ResourceId};

use crate::{Error, Platform, api::ConfigVar};

impl Platform {
    /// Sets these config vars, all at once, unless they are set so already: every change restarts the customer's apps.
    pub(crate) async fn set_config(&self, resource: &ResourceId, config: &ConfigVars) -> Result<(), Error> {
        if config.iter().len() == 0 {
            return Ok(());
        }
        let there = self.call(resource, |api| async move { api.config(resource.as_str()).await }).await?;
        let is_so = |(name, value): (&str, &maitre_core::Secret)| {
            let there = there.iter().find(|var| var.name == name).and_then(|var| var.value.as_ref());
            there.is_some_and(|there| there.expose() == value.expose())
        };
        if config.iter().all(is_so) {
            return Ok(());
        }
        let vars: Vec<_> = config.iter().map(|(name, value)| ConfigVar::set(name, value.clone())).collect();
        let vars = &vars;
        self.call(resource, |api| async move { api.set_config(resource.as_str(), vars).await }).await.map(drop)
    }
}
