use std::fmt;

use maitre_core::{ConfigVars, Secret};
use serde_json::{Map, Value, json};

/// Environment of a Vercel project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Environment {
    /// Development.
    Development,
    /// Previews.
    Preview,
    /// Production.
    Production,
}

impl Environment {
    fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Preview => "preview",
            Self::Production => "production",
        }
    }
}

/// Secrets of a resource, which become environment variables of connected projects.
///
/// ```
/// use maitre_vercel::{Environment, Secrets};
///
/// let secrets = Secrets::all([("LANTERN_URL", "https://u4:pw@eu1.lantern.example")])
///     .with_override("LANTERN_URL", Environment::Development, "http://localhost:8300");
/// assert!(!format!("{secrets:?}").contains("pw@"));
/// ```
///
/// `Debug` prints the names only.
#[derive(Clone)]
pub struct Secrets {
    values: Vec<(String, Secret)>,
    overrides: Vec<(String, Environment, Secret)>,
    partial: bool,
}

impl Secrets {
    fn new<N: Into<String>, V: Into<Secret>>(secrets: impl IntoIterator<Item = (N, V)>, partial: bool) -> Self {
        let values = secrets.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { values, overrides: Vec::new(), partial }
    }

    /// Creates secrets that replace all others.
    pub fn all<N: Into<String>, V: Into<Secret>>(secrets: impl IntoIterator<Item = (N, V)>) -> Self {
        Self::new(secrets, false)
    }

    /// Creates secrets that replace those of the same names, and keep the others.
    pub fn partial<N: Into<String>, V: Into<Secret>>(secrets: impl IntoIterator<Item = (N, V)>) -> Self {
        Self::new(secrets, true)
    }

    /// Sets another value of a secret in one environment.
    #[must_use]
    pub fn with_override(mut self, name: &str, environment: Environment, value: impl Into<Secret>) -> Self {
        self.overrides.push((name.to_owned(), environment, value.into()));
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        let secrets = self.values.iter().map(|(name, value)| {
            let overrides = self.overrides.iter().filter(|(of, ..)| of == name);
            let overrides: Map<_, _> = overrides
                .map(|(_, environment, value)| (environment.as_str().to_owned(), value.expose().into()))
                .collect();
            let mut secret = json!({ "name": name, "value": value.expose() });
            if !overrides.is_empty() {
                secret["environmentOverrides"] = overrides.into();
            }
            secret
        });
        let mut body = json!({ "secrets": secrets.collect::<Vec<_>>() });
        if self.partial {
            body["partial"] = true.into();
        }
        body
    }
}

impl From<&ConfigVars> for Secrets {
    /// Returns secrets that replace all others.
    fn from(config: &ConfigVars) -> Self {
        Self::all(config.iter().map(|(name, value)| (name, value.clone())))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.iter().map(|(name, _)| name)).finish()
    }
}
