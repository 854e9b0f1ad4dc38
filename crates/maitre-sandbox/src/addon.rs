//! The add-on that is sold here: what its manifest says, and where it runs.

use maitre_conformance::{
    Address, Marketplace,
    lint::{self, Finding},
};
use maitre_core::{ExposeSecret as _, Manifest};
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
    /// What the manifest lint says.
    pub(crate) findings: Vec<Finding>,
    /// `http://host:port` of the lifecycle calls.
    pub(crate) origin: String,
    /// The base URL, with its `/resources`.
    pub(crate) base_url: String,
    /// Where sign-on forms are posted to; none in the legacy form, which signs on by GET.
    pub(crate) sso_url: Option<String>,
    pub(crate) password: String,
    /// Heroku, as it calls there.
    pub(crate) heroku: Heroku,
    /// Heroku at the door of single sign-on, and the path there.
    pub(crate) door: Option<(Heroku, String)>,
}

impl Addon {
    /// `url` is where it runs in place of the manifest's `api.test`; without a path, the manifest's is taken.
    pub(crate) fn read(
        text: &str,
        url: Option<&str>,
        sso_url: Option<&str>,
        elsewhere: bool,
        plans: Vec<Plan>,
    ) -> Result<Self, SetupError> {
        let manifest = Manifest::parse(text)?;
        let findings = serde_json::from_str(text).map(|json| lint::manifest(&json)).unwrap_or_default();
        let url = url.map(|url| with_path_of(&manifest, url));
        let address = Address::resolve(Marketplace::Heroku, Some(&manifest), url.as_deref(), sso_url, elsewhere)?;
        let is_odd = |url: &str| url.chars().any(|letter| letter.is_control() || letter.is_whitespace());
        if is_odd(&address.root) || address.sso.as_deref().is_some_and(is_odd) {
            return Err(SetupError::new("the add-on's address holds spaces or line ends: write it without"));
        }
        let password = manifest.password()?.expose_secret().to_owned();
        let salt = manifest.api.sso_salt.as_ref().map(|salt| salt.expose_secret().to_owned()).unwrap_or_default();
        let heroku = |root: &str| Heroku::new(root, &manifest.id, &password, &salt);
        let sso_url = address.sso.filter(|_| !salt.is_empty());
        let door = sso_url.as_deref().map(|url| {
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
            findings,
            origin: split(&address.root).0.to_owned(),
            base_url: format!("{}/resources", address.root),
            heroku: heroku(&address.root),
            sso_url,
            door,
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

    /// What the platform does because the manifest says so.
    pub(crate) fn settle(&self, settings: &mut Settings) {
        settings.config_vars = Some(self.config_vars.clone());
        settings.config_vars_prefix = Some(self.prefix.clone());
        settings.log_input = self.has("log_input");
        settings.syslog_drain = self.has("syslog_drain");
        settings.grant_backfill = true;
    }
}

fn with_path_of(manifest: &Manifest, url: &str) -> String {
    let (origin, path) = split(url);
    let written = manifest.api.test.as_ref().or(manifest.api.production.as_ref());
    match written {
        Some(written) if path.trim_matches('/').is_empty() => format!("{origin}{}", split(&written.base_url).1),
        _ => url.to_owned(),
    }
}

/// `http://host:port` of a URL, and what comes behind it.
pub(crate) fn split(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |place| place + 3);
    url.split_at(url[host..].find(['/', '?', '#']).map_or(url.len(), |end| host + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"{ "id": "lantern", "api": { "password": "p", "sso_salt": "s", "test": {
        "base_url": "http://localhost:5000/market/heroku/resources", "sso_url": "http://localhost:5000/in" } } }"#;

    fn read(url: Option<&str>, elsewhere: bool) -> Result<(String, Option<String>), String> {
        let addon = Addon::read(MANIFEST, url, None, elsewhere, Vec::new()).map_err(|error| error.to_string())?;
        Ok((addon.base_url, addon.sso_url))
    }

    #[test]
    fn an_origin_gets_the_manifests_paths() {
        let at = |base: &str, sso: &str| Ok((base.to_owned(), Some(sso.to_owned())));
        assert_eq!(read(None, false), at("http://localhost:5000/market/heroku/resources", "http://localhost:5000/in"));
        let elsewhere = "http://127.0.0.1:7/market/heroku/resources";
        assert_eq!(read(Some("http://127.0.0.1:7"), false), at(elsewhere, "http://127.0.0.1:7/in"));
        assert_eq!(read(Some("http://127.0.0.1:7/"), false), at(elsewhere, "http://127.0.0.1:7/in"));
        let named = read(Some("http://127.0.0.1:7/other/resources"), false);
        assert_eq!(named, at("http://127.0.0.1:7/other/resources", "http://127.0.0.1:7/in"));
    }

    #[test]
    fn another_machine_is_called_by_consent_alone() {
        assert!(read(Some("https://lantern.example"), false).unwrap_err().contains("not this machine"));
        assert!(read(Some("https://lantern.example"), true).is_ok());
    }
}
