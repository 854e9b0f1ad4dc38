//! The add-on on sale: its manifest and its endpoints.

use std::collections::BTreeMap;

use maitre_conformance::{
    Address, Marketplace,
    lint::{self, Finding},
};
use maitre_core::Manifest;
use maitre_testkit::{Heroku, platform::Settings};

use crate::{Plan, SetupError};

pub(crate) struct Addon {
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) config_vars: Vec<String>,
    pub(crate) prefix: String,
    pub(crate) regions: Vec<String>,
    pub(crate) requires: Vec<String>,
    pub(crate) plans: Vec<Plan>,
    /// Options of every provision.
    pub(crate) options: BTreeMap<String, String>,
    /// Findings of the manifest lint.
    pub(crate) findings: Vec<Finding>,
    /// Origin of the lifecycle calls, `http://host:port`.
    pub(crate) origin: String,
    /// URL of the lifecycle calls, including `/resources`.
    pub(crate) base_url: String,
    /// URL that sign-on forms are posted to. `None` for legacy sign-on by GET.
    pub(crate) sso_url: Option<String>,
    pub(crate) password: String,
    /// Client for lifecycle calls.
    pub(crate) heroku: Heroku,
    /// Client for single sign-on by POST, and the path.
    pub(crate) sso: Option<(Heroku, String)>,
}

impl Addon {
    /// Reads the manifest. `url` replaces the manifest's `api.test`; a `url` without a path gets the manifest's path.
    pub(crate) fn read(
        text: &str,
        url: Option<&str>,
        sso_url: Option<&str>,
        allow_remote: bool,
        plans: Vec<Plan>,
    ) -> Result<Self, SetupError> {
        let manifest = Manifest::parse(text)?;
        let findings = lint::text(text);
        let url = url.map(|url| with_manifest_path(&manifest, url));
        let address = Address::resolve(Marketplace::Heroku, Some(&manifest), url.as_deref(), sso_url, allow_remote)?;
        let is_invalid = |url: &str| url.chars().any(|letter| letter.is_control() || letter.is_whitespace());
        if is_invalid(&address.root) || address.sso.as_deref().is_some_and(is_invalid) {
            return Err(SetupError::new("the add-on's URL contains spaces or control characters: remove them"));
        }
        let password = manifest.password()?.expose().to_owned();
        let salt = manifest.api.sso_salt.as_ref().map(|salt| salt.expose().to_owned()).unwrap_or_default();
        let heroku = |root: &str| Heroku::new(root, &manifest.id, &password, &salt);
        let sso_url = address.sso.filter(|_| !salt.is_empty());
        let sso = sso_url.as_deref().map(|url| {
            let (origin, path) = split(url);
            (heroku(origin), path.to_owned())
        });
        Ok(Self {
            name: manifest.name.clone().unwrap_or_else(|| manifest.id.clone()),
            config_vars: manifest.api.config_vars.clone(),
            prefix: manifest.config_vars_prefix(),
            regions: manifest.api.regions.clone(),
            requires: manifest.api.requires.clone(),
            plans: if plans.is_empty() { vec![Plan::test()] } else { plans },
            options: BTreeMap::new(),
            findings,
            origin: split(&address.root).0.to_owned(),
            base_url: format!("{}/resources", address.root),
            heroku: heroku(&address.root),
            sso_url,
            sso,
            slug: manifest.id.clone(),
            password: password.clone(),
        })
    }

    pub(crate) fn has(&self, requirement: &str) -> bool {
        self.requires.iter().any(|known| known == requirement)
    }

    pub(crate) fn sells(&self, plan: &str) -> bool {
        self.plans.iter().any(|known| known.name() == plan)
    }

    /// Applies the manifest to the settings of the platform.
    pub(crate) fn configure(&self, settings: &mut Settings) {
        settings.config_vars = Some(self.config_vars.clone());
        settings.config_vars_prefix = Some(self.prefix.clone());
        settings.log_input = self.has("log_input");
        settings.syslog_drain = self.has("syslog_drain");
        settings.grant_backfill = true;
    }
}

fn with_manifest_path(manifest: &Manifest, url: &str) -> String {
    let (origin, path) = split(url);
    let endpoint = manifest.api.test.as_ref().or(manifest.api.production.as_ref());
    match endpoint {
        Some(endpoint) if path.trim_matches('/').is_empty() => format!("{origin}{}", split(&endpoint.base_url).1),
        _ => url.to_owned(),
    }
}

/// Splits a URL into its origin and the rest.
pub(crate) fn split(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |index| index + 3);
    url.split_at(url[host..].find(['/', '?', '#']).map_or(url.len(), |end| host + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"{ "id": "lantern", "api": { "password": "p", "sso_salt": "s", "test": {
        "base_url": "http://localhost:8300/market/heroku/resources", "sso_url": "http://localhost:8300/in" } } }"#;

    fn read(url: Option<&str>, allow_remote: bool) -> Result<(String, Option<String>), String> {
        let addon = Addon::read(MANIFEST, url, None, allow_remote, Vec::new()).map_err(|error| error.to_string())?;
        Ok((addon.base_url, addon.sso_url))
    }

    #[test]
    fn an_origin_gets_the_paths_of_the_manifest() {
        let at = |base: &str, sso: &str| Ok((base.to_owned(), Some(sso.to_owned())));
        assert_eq!(read(None, false), at("http://localhost:8300/market/heroku/resources", "http://localhost:8300/in"));
        let moved = "http://127.0.0.1:7/market/heroku/resources";
        assert_eq!(read(Some("http://127.0.0.1:7"), false), at(moved, "http://127.0.0.1:7/in"));
        assert_eq!(read(Some("http://127.0.0.1:7/"), false), at(moved, "http://127.0.0.1:7/in"));
        let explicit = read(Some("http://127.0.0.1:7/other/resources"), false);
        assert_eq!(explicit, at("http://127.0.0.1:7/other/resources", "http://127.0.0.1:7/in"));
    }

    #[test]
    fn another_machine_is_only_called_with_allow_remote() {
        assert!(read(Some("https://lantern.example"), false).unwrap_err().contains("not this machine"));
        assert!(read(Some("https://lantern.example"), true).is_ok());
    }
}
