//! Address of the add-on under test.

use maitre_core::manifest::is_loopback;
use maitre_core::{Manifest, mask_urls};

use crate::error::SetupError;
use crate::marketplace::Marketplace;
use crate::url;

/// Base URL and single sign-on URL of an add-on.
///
/// ```
/// use maitre_conformance::{Address, Marketplace};
/// use maitre_core::Manifest;
///
/// let manifest = Manifest::parse(r#"{ "id": "lantern", "api": { "test": {
///     "base_url": "http://localhost:8300/heroku/resources", "sso_url": "http://localhost:8300/heroku/sso" } } }"#)?;
/// let address = Address::resolve(Marketplace::Heroku, Some(&manifest), Some("http://127.0.0.1:8400"), None, false)?;
/// assert_eq!(address.root, "http://127.0.0.1:8400/heroku");
/// assert_eq!(address.sso.as_deref(), Some("http://127.0.0.1:8400/heroku/sso"));
///
/// let remote = Address::resolve(Marketplace::Heroku, Some(&manifest), Some("https://lantern.example"), None, false);
/// assert!(remote.is_err(), "requires allow_remote");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Address {
    /// URL above the marketplace's paths: the base URL without `/resources` (Opperator: without `/instances`; Open Service
    /// Broker: without `/v2`; Vercel: without `/v1`).
    pub root: String,
    /// Complete URL of single sign-on. `None` in the manifest's legacy form and if the such URL is missing.
    pub sso: Option<String>,
}

impl Address {
    /// Resolves the add-on's address: the given URLs, otherwise the manifest's `api.test`, or its `api.production` if
    /// `allow_remote` is set. A base URL without its usual end (`/heroku/resources`) is completed, as the marketplace
    /// does.
    ///
    /// # Errors
    /// Returns an error if the URL is missing, if the URL is invalid, or if the URL is on another machine and
    /// `allow_remote` is not set.
    pub fn resolve(
        marketplace: Marketplace,
        manifest: Option<&Manifest>,
        url: Option<&str>,
        sso_url: Option<&str>,
        allow_remote: bool,
    ) -> Result<Self, SetupError> {
        AddressOptions { url, sso_url, origin: None, allow_remote }.resolve(marketplace, manifest)
    }
}

/// Sources of an address besides the manifest.
#[derive(Clone, Copy)]
pub(crate) struct AddressOptions<'a> {
    pub(crate) url: Option<&'a str>,
    pub(crate) sso_url: Option<&'a str>,
    /// Origin of a service of this process, which is served at the manifest's paths.
    pub(crate) origin: Option<&'a str>,
    pub(crate) allow_remote: bool,
}

impl AddressOptions<'_> {
    pub(crate) fn resolve(self, marketplace: Marketplace, manifest: Option<&Manifest>) -> Result<Address, SetupError> {
        let from_manifest_only = self.url.is_none() && self.origin.is_none();
        let endpoints = manifest.and_then(|manifest| {
            let (test, production) = (manifest.api.test.as_ref(), manifest.api.production.as_ref());
            if self.allow_remote && from_manifest_only { production.or(test) } else { test.or(production) }
        });
        let manifest_base = endpoints.map(|endpoints| endpoints.base_url.as_str());
        let base = match (self.url, self.origin) {
            (Some(url), _) => url.to_owned(),
            (None, Some(origin)) => manifest_base.map_or_else(|| origin.to_owned(), |base| rebase(base, origin)),
            (None, None) => manifest_base.ok_or_else(|| no_address(marketplace))?.to_owned(),
        };
        let base = complete(&base, marketplace)?;
        let new_origin = (!from_manifest_only).then(|| origin_of(&base));
        let sso = match (self.sso_url, endpoints.and_then(|endpoints| endpoints.sso_url.as_deref()), new_origin) {
            (Some(sso_url), _, _) => Some(sso_url.to_owned()),
            (None, Some(sso), Some(origin)) => Some(rebase(sso, origin)),
            (None, sso, _) => sso.map(ToOwned::to_owned),
        };
        let sso = sso.map(|sso| normalize(&sso)).transpose()?;
        for url in std::iter::once(&base).chain(&sso) {
            check_allowed(url, self.allow_remote)?;
        }
        let root = base.strip_suffix(collection(marketplace)).unwrap_or(&base).to_owned();
        Ok(Address { root, sso })
    }
}

/// Checks another URL of the add-on.
pub(crate) fn check_url(url: &str, allow_remote: bool) -> Result<String, SetupError> {
    let url = normalize(url)?;
    check_allowed(&url, allow_remote).map(|()| url)
}

fn no_address(marketplace: Marketplace) -> SetupError {
    SetupError::new(match marketplace {
        Marketplace::Opperator => {
            "Opperator has no manifest: pass the add-on's address with --url http://localhost:8300/opperator"
        }
        Marketplace::OpenServiceBroker => {
            "a service broker has no manifest: pass its address with --url http://localhost:8300/osb"
        }
        Marketplace::QuickNode => {
            "QuickNode has no manifest: pass the add-on's address with --url http://localhost:8300/quicknode"
        }
        Marketplace::Vercel => {
            "an integration at Vercel has no manifest: pass its base URL with --url http://localhost:8300/vercel"
        }
        Marketplace::DigitalOcean => {
            "the registration at DigitalOcean has no manifest: pass the add-on's address with --url http://localhost:8300"
        }
        Marketplace::Scalingo => {
            "the manifest has no test: add its base_url and sso_url, or pass the add-on's address with --url"
        }
        _ => "the manifest has no api.test: add its base_url and sso_url, or pass the add-on's address with --url",
    })
}

fn collection(marketplace: Marketplace) -> &'static str {
    match marketplace {
        Marketplace::Heroku
        | Marketplace::CloudControl
        | Marketplace::DigitalOcean
        | Marketplace::CleverCloud
        | Marketplace::Scalingo => "/resources",
        Marketplace::Opperator => "/instances",
        Marketplace::OpenServiceBroker => "/v2",
        Marketplace::QuickNode => "/provision",
        Marketplace::Vercel => "/v1",
    }
}

/// Appends the marketplace's usual path if it is missing.
fn complete(url: &str, marketplace: Marketplace) -> Result<String, SetupError> {
    let (mut url, collection) = (normalize(url)?, collection(marketplace));
    if let (Marketplace::OpenServiceBroker, Some(end)) = (marketplace, url.rfind("/v2/catalog")) {
        url.truncate(end);
    }
    let suffix = match marketplace {
        _ if url.ends_with(collection) => "",
        Marketplace::Heroku => "/heroku/resources",
        Marketplace::CloudControl => "/cloudcontrol/resources",
        Marketplace::DigitalOcean | Marketplace::CleverCloud | Marketplace::Scalingo
            if url.ends_with(&format!("/{marketplace}")) =>
        {
            "/resources"
        }
        Marketplace::DigitalOcean => "/digitalocean/resources",
        Marketplace::CleverCloud => "/clevercloud/resources",
        Marketplace::Scalingo => "/scalingo/resources",
        Marketplace::Opperator if origin_of(&url) == url => "/opperator/instances",
        Marketplace::QuickNode if origin_of(&url) == url => "/quicknode/provision",
        Marketplace::Vercel if origin_of(&url) == url => "/vercel/v1",
        Marketplace::Opperator | Marketplace::OpenServiceBroker | Marketplace::QuickNode | Marketplace::Vercel => {
            collection
        }
    };
    Ok(url + suffix)
}

/// Removes slashes at the end; rejects anything but an `http` or `https` URL.
fn normalize(url: &str) -> Result<String, SetupError> {
    let url = url.trim_end_matches('/');
    if let Some(("http" | "https", authority)) = origin_of(url).split_once("://")
        && !authority.is_empty()
    {
        return Ok(url.to_owned());
    }
    let masked = mask_urls(url);
    Err(SetupError::new(format!("{masked:?} is not a URL: it must have http:// or https://, a host and a path")))
}

fn check_allowed(url: &str, allow_remote: bool) -> Result<(), SetupError> {
    let authority = origin_of(url).split_once("://").map_or("", |(_, authority)| authority);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if allow_remote || is_loopback(host) {
        return Ok(());
    }
    Err(SetupError::new(format!(
        "{host} is not this machine: checks create and delete resources there; pass --allow-remote to confirm"
    )))
}

/// Returns `scheme://host:port` of a URL.
fn origin_of(url: &str) -> &str {
    url::split_origin(url).0
}

/// Returns the same path at another origin.
fn rebase(url: &str, origin: &str) -> String {
    format!("{}{}", origin.trim_end_matches('/'), url::split_origin(url).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"{ "id": "lantern", "api": {
        "production": { "base_url": "https://api.lantern.example/heroku/resources", "sso_url": "https://lantern.example/in" },
        "test": { "base_url": "http://localhost:8300/heroku/resources", "sso_url": "http://localhost:8300/in" } } }"#;

    fn resolve(
        url: Option<&str>,
        sso_url: Option<&str>,
        origin: Option<&str>,
        allow_remote: bool,
    ) -> Result<[String; 2], String> {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        let options = AddressOptions { url, sso_url, origin, allow_remote };
        let address = options.resolve(Marketplace::Heroku, Some(&manifest));
        address.map(|it| [it.root, it.sso.unwrap_or_default()]).map_err(|error| error.to_string())
    }

    #[test]
    fn the_manifests_test_addresses_are_the_default() {
        let local = |url| resolve(Some(url), None, None, false);
        let rows = [
            (resolve(None, None, None, false), "http://localhost:8300/heroku", "http://localhost:8300/in"),
            (resolve(None, None, None, true), "https://api.lantern.example/heroku", "https://lantern.example/in"),
            (
                resolve(None, None, Some("http://127.0.0.1:7"), false),
                "http://127.0.0.1:7/heroku",
                "http://127.0.0.1:7/in",
            ),
            (local("http://127.0.0.1:7"), "http://127.0.0.1:7/heroku", "http://127.0.0.1:7/in"),
            (local("http://[::1]:7/a/resources/"), "http://[::1]:7/a", "http://[::1]:7/in"),
            (
                resolve(Some("http://localhost:7"), Some("http://localhost:8/x"), None, false),
                "http://localhost:7/heroku",
                "http://localhost:8/x",
            ),
            (
                resolve(Some("https://stage.example/"), None, None, true),
                "https://stage.example/heroku",
                "https://stage.example/in",
            ),
        ];
        for (address, root, sso) in rows {
            assert_eq!(address, Ok([root.to_owned(), sso.to_owned()]));
        }
    }

    #[test]
    fn production_addresses_are_not_called_without_consent() {
        let manifest =
            r#"{ "id": "a", "api": { "production": { "base_url": "https://a.example/heroku/resources" } } }"#;
        let manifest = Manifest::parse(manifest).unwrap();
        let resolve = |allow_remote| Address::resolve(Marketplace::Heroku, Some(&manifest), None, None, allow_remote);
        assert!(resolve(false).unwrap_err().to_string().contains("a.example is not this machine"));
        assert_eq!(resolve(true).unwrap().root, "https://a.example/heroku");
    }

    #[test]
    fn the_other_marketplaces_have_other_paths() {
        let cloudcontrol = Address::resolve(Marketplace::CloudControl, None, Some("http://localhost:7"), None, false);
        assert_eq!(cloudcontrol.unwrap().root, "http://localhost:7/cloudcontrol");
        for url in ["http://localhost:7", "http://localhost:7/scalingo/", "http://localhost:7/scalingo/resources"] {
            let scalingo = Address::resolve(Marketplace::Scalingo, None, Some(url), None, false).unwrap();
            assert_eq!(scalingo.root, "http://localhost:7/scalingo");
        }
        for url in ["http://localhost:7", "http://localhost:7/opperator", "http://localhost:7/opperator/instances/"] {
            let opperator = Address::resolve(Marketplace::Opperator, None, Some(url), None, false).unwrap();
            assert_eq!(opperator.root, "http://localhost:7/opperator");
        }
        for url in ["http://localhost:7/osb", "http://localhost:7/osb/v2/", "http://localhost:7/osb/v2/catalog"] {
            let broker = Address::resolve(Marketplace::OpenServiceBroker, None, Some(url), None, false).unwrap();
            assert_eq!(broker.root, "http://localhost:7/osb");
        }
        for url in ["http://localhost:7", "http://localhost:7/vercel/", "http://localhost:7/vercel/v1"] {
            let vercel = Address::resolve(Marketplace::Vercel, None, Some(url), None, false).unwrap();
            assert_eq!(vercel.root, "http://localhost:7/vercel");
        }
        for marketplace in [Marketplace::Opperator, Marketplace::OpenServiceBroker, Marketplace::Vercel] {
            let error = Address::resolve(marketplace, None, None, None, false).unwrap_err();
            assert!(error.to_string().contains("--url"), "{error}");
        }
    }

    #[test]
    fn another_machine_is_only_called_with_consent() {
        for url in ["https://lantern.example", "http://127.0.0.1.lantern.example", "http://localhost@lantern.example"] {
            let error = resolve(Some(url), None, None, false).unwrap_err();
            assert!(error.contains("pass --allow-remote"), "{error}");
        }
        let sso = resolve(None, Some("https://lantern.example/in"), None, false).unwrap_err();
        assert!(sso.contains("lantern.example is not this machine"), "{sso}");
    }

    #[test]
    fn the_error_for_an_invalid_url_hides_its_password() {
        let error = resolve(Some("ftp://u:p4ss@localhost"), None, None, false).unwrap_err();
        assert!(error.contains("is not a URL") && !error.contains("p4ss"), "{error}");
        let without = Manifest::parse(r#"{ "id": "a", "api": {} }"#).unwrap();
        let error = Address::resolve(Marketplace::Heroku, Some(&without), None, None, false).unwrap_err();
        assert!(error.to_string().contains("has no api.test"));
    }
}
