//! Where the add-on is looked for.

use maitre_core::manifest::is_loopback;
use maitre_core::{Manifest, mask_urls};

use crate::error::CannotRun;
use crate::marketplace::Marketplace;

/// The two doors of an add-on.
///
/// ```
/// use maitre_conformance::{Address, Marketplace};
/// use maitre_core::Manifest;
///
/// let manifest = Manifest::parse(r#"{ "id": "lantern", "api": { "test": {
///     "base_url": "http://localhost:5000/heroku/resources", "sso_url": "http://localhost:5000/heroku/sso" } } }"#)?;
/// let address = Address::find(Marketplace::Heroku, Some(&manifest), Some("http://127.0.0.1:7000"), None, false)?;
/// assert_eq!(address.root, "http://127.0.0.1:7000/heroku");
/// assert_eq!(address.sso.as_deref(), Some("http://127.0.0.1:7000/heroku/sso"));
///
/// let abroad = Address::find(Marketplace::Heroku, Some(&manifest), Some("https://lantern.example"), None, false);
/// assert!(abroad.is_err(), "it takes a word of consent");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Address {
    /// What the marketplace's paths are below: the base URL without `/resources`, or `/instances` of Opperator.
    pub root: String,
    /// The whole URL of single sign-on; none in the legacy form, and where nobody names one.
    pub sso: Option<String>,
}

impl Address {
    /// The addresses that are named; else the manifest's `api.test`, or its `api.production` where another machine may be
    /// called. Without its usual end (`/heroku/resources`) a base URL is completed, as the marketplace does.
    ///
    /// # Errors
    /// [`CannotRun`] when nobody names one, when it is no URL, and when it is not on this machine and `production` is
    /// not set.
    pub fn find(
        marketplace: Marketplace,
        manifest: Option<&Manifest>,
        url: Option<&str>,
        sso_url: Option<&str>,
        production: bool,
    ) -> Result<Self, CannotRun> {
        Named { url, sso_url, origin: None, production }.find(marketplace, manifest)
    }
}

/// What is said about where the add-on is.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) url: Option<&'a str>,
    pub(crate) sso_url: Option<&'a str>,
    /// Where a service of this process is served, with the manifest's paths.
    pub(crate) origin: Option<&'a str>,
    pub(crate) production: bool,
}

impl Named<'_> {
    pub(crate) fn find(self, marketplace: Marketplace, manifest: Option<&Manifest>) -> Result<Address, CannotRun> {
        let endpoints = |live: bool| {
            let api = &manifest?.api;
            let (test, production) = (api.test.as_ref(), api.production.as_ref());
            if live { production.or(test) } else { test.or(production) }
        };
        let unnamed = self.url.is_none() && self.origin.is_none();
        let written = endpoints(self.production && unnamed);
        let written_base = written.map(|written| written.base_url.as_str());
        let base = match (self.url, self.origin) {
            (Some(url), _) => url.to_owned(),
            (None, Some(origin)) => written_base.map_or_else(|| origin.to_owned(), |base| moved(base, origin)),
            (None, None) => written_base.ok_or_else(|| nowhere(marketplace))?.to_owned(),
        };
        let base = complete(&base, marketplace)?;
        let moved_to = (!unnamed).then(|| origin_of(&base));
        let sso = match (self.sso_url, written.and_then(|written| written.sso_url.as_deref()), moved_to) {
            (Some(sso_url), _, _) => Some(sso_url.to_owned()),
            (None, Some(sso), Some(origin)) => Some(moved(sso, origin)),
            (None, sso, _) => sso.map(ToOwned::to_owned),
        };
        let sso = sso.map(|sso| whole(&sso)).transpose()?;
        for url in std::iter::once(&base).chain(&sso) {
            allow(url, self.production)?;
        }
        let root = base.strip_suffix(collection(marketplace)).unwrap_or(&base).to_owned();
        Ok(Address { root, sso })
    }
}

fn nowhere(marketplace: Marketplace) -> CannotRun {
    CannotRun::new(match marketplace {
        Marketplace::Opperator => {
            "Opperator has no manifest: say where the add-on runs with --url http://localhost:5000/opperator"
        }
        _ => "the manifest has no api.test: add its base_url and sso_url, or say where the add-on runs with --url",
    })
}

fn collection(marketplace: Marketplace) -> &'static str {
    if marketplace == Marketplace::Opperator { "/instances" } else { "/resources" }
}

/// The marketplace appends the usual end where it is missing.
fn complete(url: &str, marketplace: Marketplace) -> Result<String, CannotRun> {
    let (url, collection) = (whole(url)?, collection(marketplace));
    let end = match marketplace {
        _ if url.ends_with(collection) => "",
        Marketplace::Heroku => "/heroku/resources",
        Marketplace::CloudControl => "/cloudcontrol/resources",
        Marketplace::Opperator if origin_of(&url) == url => "/opperator/instances",
        Marketplace::Opperator => collection,
    };
    Ok(url + end)
}

fn whole(url: &str) -> Result<String, CannotRun> {
    let url = url.trim_end_matches('/');
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    if matches!(scheme, Some("http" | "https")) && !authority(url).is_empty() {
        Ok(url.to_owned())
    } else {
        let shown = mask_urls(url);
        Err(CannotRun::new(format!("{shown:?} is no URL: write http:// or https://, a host and a path")))
    }
}

fn allow(url: &str, production: bool) -> Result<(), CannotRun> {
    let host = authority(url);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if production || is_loopback(host) {
        return Ok(());
    }
    Err(CannotRun::new(format!(
        "{host} is not this machine: checks order and remove resources there, so say --allow-remote if you mean it"
    )))
}

/// `http://host:port` of a URL.
fn origin_of(url: &str) -> &str {
    let start = url.find("://").map_or(0, |place| place + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |place| start + place);
    &url[..end]
}

fn authority(url: &str) -> &str {
    origin_of(url).split_once("://").map_or("", |(_, authority)| authority)
}

/// The same path at another host.
fn moved(url: &str, origin: &str) -> String {
    format!("{}{}", origin.trim_end_matches('/'), &url[origin_of(url).len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"{ "id": "lantern", "api": {
        "production": { "base_url": "https://api.lantern.example/heroku/resources", "sso_url": "https://lantern.example/in" },
        "test": { "base_url": "http://localhost:5000/heroku/resources", "sso_url": "http://localhost:5000/in" } } }"#;

    fn of(
        url: Option<&str>,
        sso_url: Option<&str>,
        origin: Option<&str>,
        production: bool,
    ) -> Result<[String; 2], String> {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        let address = Named { url, sso_url, origin, production }.find(Marketplace::Heroku, Some(&manifest));
        address.map(|it| [it.root, it.sso.unwrap_or_default()]).map_err(|error| error.to_string())
    }

    #[test]
    fn the_manifests_test_addresses_are_checked_unless_told_otherwise() {
        let rows = [
            (of(None, None, None, false), "http://localhost:5000/heroku", "http://localhost:5000/in"),
            (of(None, None, None, true), "https://api.lantern.example/heroku", "https://lantern.example/in"),
            (of(None, None, Some("http://127.0.0.1:7"), false), "http://127.0.0.1:7/heroku", "http://127.0.0.1:7/in"),
            (of(Some("http://127.0.0.1:7"), None, None, false), "http://127.0.0.1:7/heroku", "http://127.0.0.1:7/in"),
            (of(Some("http://[::1]:7/a/resources/"), None, None, false), "http://[::1]:7/a", "http://[::1]:7/in"),
            (
                of(Some("http://localhost:7"), Some("http://localhost:8/x"), None, false),
                "http://localhost:7/heroku",
                "http://localhost:8/x",
            ),
            (
                of(Some("https://stage.example/"), None, None, true),
                "https://stage.example/heroku",
                "https://stage.example/in",
            ),
        ];
        for (found, root, sso) in rows {
            assert_eq!(found, Ok([root.to_owned(), sso.to_owned()]));
        }
    }

    #[test]
    fn only_production_is_no_address_to_be_called_unasked() {
        let manifest =
            r#"{ "id": "a", "api": { "production": { "base_url": "https://a.example/heroku/resources" } } }"#;
        let manifest = Manifest::parse(manifest).unwrap();
        let find = |production| Address::find(Marketplace::Heroku, Some(&manifest), None, None, production);
        assert!(find(false).unwrap_err().to_string().contains("a.example is not this machine"));
        assert_eq!(find(true).unwrap().root, "https://a.example/heroku");
    }

    #[test]
    fn the_other_marketplaces_have_other_paths() {
        let cloudcontrol = Address::find(Marketplace::CloudControl, None, Some("http://localhost:7"), None, false);
        assert_eq!(cloudcontrol.unwrap().root, "http://localhost:7/cloudcontrol");
        for url in ["http://localhost:7", "http://localhost:7/opperator", "http://localhost:7/opperator/instances/"] {
            let opperator = Address::find(Marketplace::Opperator, None, Some(url), None, false).unwrap();
            assert_eq!(opperator.root, "http://localhost:7/opperator");
        }
        let nowhere = Address::find(Marketplace::Opperator, None, None, None, false).unwrap_err();
        assert!(nowhere.to_string().contains("--url"), "{nowhere}");
    }

    #[test]
    fn another_machine_is_called_by_consent_alone() {
        for url in ["https://lantern.example", "http://127.0.0.1.lantern.example", "http://localhost@lantern.example"] {
            let refused = of(Some(url), None, None, false).unwrap_err();
            assert!(refused.contains("say --allow-remote"), "{refused}");
        }
        let sso = of(None, Some("https://lantern.example/in"), None, false).unwrap_err();
        assert!(sso.contains("lantern.example is not this machine"), "{sso}");
    }

    #[test]
    fn what_is_no_url_is_told_without_its_password() {
        let refused = of(Some("ftp://u:p4ss@localhost"), None, None, false).unwrap_err();
        assert!(refused.contains("is no URL") && !refused.contains("p4ss"), "{refused}");
        let without = Manifest::parse(r#"{ "id": "a", "api": {} }"#).unwrap();
        let refused = Address::find(Marketplace::Heroku, Some(&without), None, None, false).unwrap_err();
        assert!(refused.to_string().contains("has no api.test"));
    }
}
