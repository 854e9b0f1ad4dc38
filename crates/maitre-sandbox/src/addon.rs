//! The add-on on sale: its manifest and its endpoints.

use std::{collections::BTreeMap, time::Duration};

use maitre_conformance::{
    Address, Marketplace,
    lint::{self, Finding},
    split_origin,
};
use maitre_core::Manifest;
use maitre_testkit::platform::Settings;

use crate::{Plan, SetupError, contract::Credentials, listing::Listing};

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
    /// Findings of the manifest lint. `None` without a manifest that has rules.
    pub(crate) findings: Option<Vec<Finding>>,
    /// Origin of the lifecycle calls, `http://host:port`.
    pub(crate) origin: String,
    /// URL of the lifecycle calls, including `/resources`.
    pub(crate) base_url: String,
    /// URL of sign-ons. `None` for Heroku's legacy sign-on by GET.
    pub(crate) sso_url: Option<String>,
    pub(crate) credentials: Credentials,
}

/// Addresses of the add-on in place of the manifest's.
#[derive(Clone, Debug, Default)]
pub(crate) struct AddressOptions {
    pub(crate) url: Option<String>,
    pub(crate) sso_url: Option<String>,
    pub(crate) allow_remote: bool,
}

impl Addon {
    /// Reads the listing. `overrides.url` replaces the manifest's `api.test`; a URL without a path gets the manifest's path.
    pub(crate) fn read(
        listing: &Listing,
        overrides: &AddressOptions,
        client_secret: &str,
        plans: Vec<Plan>,
    ) -> Result<Self, SetupError> {
        let marketplace = listing.marketplace();
        let manifest = listing.manifest()?;
        let url = overrides.url.as_deref();
        let url = url.map(|url| manifest.as_ref().map_or(url.to_owned(), |manifest| with_manifest_path(manifest, url)));
        let sso_url = overrides.sso_url.as_deref();
        let address =
            Address::resolve(marketplace, manifest.as_ref(), url.as_deref(), sso_url, overrides.allow_remote)?;
        let is_invalid = |url: &str| url.chars().any(|letter| letter.is_control() || letter.is_whitespace());
        if is_invalid(&address.root) || address.sso.as_deref().is_some_and(is_invalid) {
            return Err(SetupError::new("the add-on's URL contains spaces or control characters: remove them"));
        }
        let credentials = listing.credentials(address, client_secret)?;
        let api = manifest.as_ref().map(|manifest| &manifest.api);
        let name = manifest.as_ref().and_then(|manifest| manifest.name.clone());
        let slug = listing.product().unwrap_or(&credentials.id).to_owned();
        let is_heroku = marketplace == Marketplace::Heroku;
        Ok(Self {
            name: name.or_else(|| listing.name()).unwrap_or_else(|| slug.clone()),
            config_vars: api.map(|api| api.config_vars.clone()).unwrap_or_default(),
            // only Heroku renames config vars by the attachment
            prefix: manifest.as_ref().filter(|_| is_heroku).map(Manifest::config_vars_prefix).unwrap_or_default(),
            regions: api.map(|api| api.regions.clone()).unwrap_or_default(),
            requires: api.map(|api| api.requires.clone()).unwrap_or_default(),
            plans: if plans.is_empty() { vec![Plan::test()] } else { plans },
            options: BTreeMap::new(),
            findings: listing.linted().map(|text| lint::text_for(marketplace, text)),
            origin: split_origin(&credentials.root).0.to_owned(),
            base_url: format!("{}{}", credentials.root, listing.collection()),
            sso_url: credentials.sso_url.clone(),
            slug,
            credentials,
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
        settings.config_vars_prefix = Some(self.prefix.clone()).filter(|prefix| !prefix.is_empty());
        settings.log_input = self.has("log_input");
        settings.syslog_drain = self.has("syslog_drain");
        settings.grant_backfill = true;
        if self.credentials.marketplace == Marketplace::OpenServiceBroker {
            // its contract decides when an operation has taken too long
            settings.async_window = Duration::from_hours(9 * 24);
        }
    }
}

fn with_manifest_path(manifest: &Manifest, url: &str) -> String {
    let (origin, path) = split_origin(url);
    let endpoint = manifest.api.test.as_ref().or(manifest.api.production.as_ref());
    match endpoint {
        Some(endpoint) if path.trim_matches('/').is_empty() => {
            format!("{origin}{}", split_origin(&endpoint.base_url).1)
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"{ "id": "lantern", "api": { "password": "p", "sso_salt": "s", "test": {
        "base_url": "http://localhost:8300/market/heroku/resources", "sso_url": "http://localhost:8300/in" } } }"#;

    fn read(url: Option<&str>, allow_remote: bool) -> Result<(String, Option<String>), String> {
        let listing = Listing::from_manifest(Marketplace::Heroku, MANIFEST).unwrap();
        let overrides = AddressOptions { url: url.map(str::to_owned), sso_url: None, allow_remote };
        let addon = Addon::read(&listing, &overrides, "", Vec::new()).map_err(|error| error.to_string())?;
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
