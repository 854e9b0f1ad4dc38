//! Config vars at Heroku.

use maitre_core::{ConfigVars, ResourceId, Secret};

use crate::{api::ConfigVar, error::Error, platform::Platform};

impl Platform {
    /// Sets these config vars in one call. Sends nothing if all of them have these values already, because every change
    /// restarts the customer's apps.
    pub(crate) async fn set_config(&self, resource: &ResourceId, config: &ConfigVars) -> Result<(), Error> {
        if config.iter().len() == 0 {
            return Ok(());
        }
        let current = self.call(resource, |api| async move { api.config(resource.as_str()).await }).await?;
        let is_current = |(name, value): (&str, &Secret)| {
            let current = current.iter().find(|var| var.name == name).and_then(|var| var.value.as_ref());
            current.is_some_and(|current| current.expose() == value.expose())
        };
        if config.iter().all(is_current) {
            return Ok(());
        }
        let vars: Vec<_> = config.iter().map(|(name, value)| ConfigVar::set(name, value.clone())).collect();
        let vars = &vars;
        self.call(resource, |api| async move { api.set_config(resource.as_str(), vars).await }).await.map(drop)
    }
}
