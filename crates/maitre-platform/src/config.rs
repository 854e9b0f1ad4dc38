//! Config vars in JSON.

use std::fmt;

use maitre_core::{ConfigVars, Secret};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Config vars of a resource as a marketplace returns them: an object, or null.
///
/// ```
/// use maitre_core::ConfigVars;
/// use maitre_platform::CurrentConfig;
///
/// let current: CurrentConfig = serde_json::from_str(r#"{"LYCHEE_URL": "https://k:v@lychee.example/1"}"#)?;
/// let mut config = ConfigVars::default();
/// config.set("LYCHEE_URL", "https://k:v@lychee.example/1");
/// assert!(current.contains(&config));
/// config.set("LYCHEE_URL", "https://k:new@lychee.example/1");
/// assert!(!current.contains(&config));
/// assert_eq!(format!("{current:?}"), r#"{"LYCHEE_URL"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct CurrentConfig(Map<String, Value>);

impl CurrentConfig {
    /// Returns the value of a config var.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Secret> {
        Some(self.0.get(name)?.as_str()?.into())
    }

    /// Whether all of these config vars have these values already. Every change may restart the customer's app.
    #[must_use]
    pub fn contains(&self, config: &ConfigVars) -> bool {
        config.iter().all(|(name, value)| self.0.get(name).and_then(Value::as_str) == Some(value.expose()))
    }

    /// Returns all config vars, with these in place of the current ones of the same names.
    #[must_use]
    pub fn merged_with(&self, config: &ConfigVars) -> Value {
        let mut merged = self.0.clone();
        merged.extend(entries(config));
        Value::Object(merged)
    }
}

impl<'de> Deserialize<'de> for CurrentConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Option::deserialize(deserializer)?.unwrap_or_default()))
    }
}

impl fmt::Debug for CurrentConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Returns config vars as a JSON object.
#[must_use]
pub fn config_json(config: &ConfigVars) -> Value {
    Value::Object(entries(config).collect())
}

fn entries(config: &ConfigVars) -> impl Iterator<Item = (String, Value)> + '_ {
    config.iter().map(|(name, value)| (name.to_owned(), value.expose().into()))
}
