//! Where the add-on is looked for.

use maitre_core::manifest::is_loopback;
use maitre_core::{Manifest, mask_urls};

use crate::error::CannotRun;

/// The two doors of an add-on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// What the marketplace's paths are below: the base URL without `/resources`.
    pub(crate) root: String,
    /// The whole URL of single sign-on; none in the legacy form, and where the manifest names none.
    pub(crate) sso: Option<String>,
}

impl Address {
    /// The manifest's `api.test`, or `api.production` if that is allowed; or what was named, or served, instead.
    pub(crate) fn of(
        manifest: &Manifest,
        end: &str,
        url: Option<&str>,
        sso_url: Option<&str>,
        origin: Option<&str>,
        production: bool,
    ) -> Result<Self, CannotRun> {
        let (test, live) = (manifest.api.test.as_ref(), manifest.api.production.as_ref());
        let written = if production && url.is_none() && origin.is_none() { live.or(test) } else { test.or(live) };
        let base = match (url, origin, written) {
            (Some(url), _, _) => url.to_owned(),
            (None, Some(origin), Some(written)) => moved(&written.base_url, origin),
            (None, Some(origin), None) => origin.to_owned(),
            (None, None, Some(written)) if production || test.is_some() => written.base_url.clone(),
            (None, None, _) => {
                return Err(CannotRun::new(
                    "the manifest has no api.test: add its base_url and sso_url, or say where the add-on runs with --url",
                ));
            }
        };
        let base = complete(&base, end)?;
        let moved_to = url.or(origin).and(Some(origin_of(&base)));
        let sso = match (sso_url, written.and_then(|written| written.sso_url.as_deref()), moved_to) {
            (Some(sso_url), _, _) => Some(sso_url.to_owned()),
            (None, Some(sso), Some(origin)) => Some(moved(sso, origin)),
            (None, sso, _) => sso.map(ToOwned::to_owned),
        };
        let sso = sso.map(|sso| whole(&sso)).transpose()?;
        for url in std::iter::once(&base).chain(&sso) {
            allow(url, production)?;
        }
        let root = base.strip_suffix("/resources").unwrap_or(&base).to_owned();
        Ok(Self { root, sso })
    }

    /// Opperator's root, which no manifest names.
    pub(crate) fn of_opperator(url: Option<&str>, origin: Option<&str>, production: bool) -> Result<String, CannotRun> {
        let served = || origin.map(|origin| format!("{origin}/opperator"));
        let url = url.map(ToOwned::to_owned).or_else(served).ok_or_else(|| {
            CannotRun::new(
                "Opperator has no manifest: say where the add-on runs with --url http://localhost:5000/opperator",
            )
        })?;
        let url = whole(&url)?;
        allow(&url, production)?;
        Ok(url.strip_suffix("/instances").unwrap_or(&url).to_owned())
    }
}

/// The marketplace appends the usual end where it is missing.
fn complete(url: &str, end: &str) -> Result<String, CannotRun> {
    let url = whole(url)?;
    Ok(if url.ends_with("/resources") { url } else { format!("{url}{end}") })
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
        "{host} is not this machine: checks order and remove resources there, so say --production if you mean it"
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

    fn of(url: Option<&str>, sso: Option<&str>, origin: Option<&str>, production: bool) -> Result<[String; 2], String> {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        let address = Address::of(&manifest, "/heroku/resources", url, sso, origin, production);
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
    fn another_machine_is_called_by_consent_alone() {
        for url in ["https://lantern.example", "http://127.0.0.1.lantern.example", "http://localhost@lantern.example"] {
            let refused = of(Some(url), None, None, false).unwrap_err();
            assert!(refused.contains("say --production"), "{refused}");
        }
        let sso = of(None, Some("https://lantern.example/in"), None, false).unwrap_err();
        assert!(sso.contains("lantern.example is not this machine"), "{sso}");
    }

    #[test]
    fn what_is_no_url_is_told_without_its_password() {
        let refused = of(Some("ftp://u:p4ss@localhost"), None, None, false).unwrap_err();
        assert!(refused.contains("is no URL") && !refused.contains("p4ss"), "{refused}");
        let without = Manifest::parse(r#"{ "id": "a", "api": {} }"#).unwrap();
        let refused = Address::of(&without, "/heroku/resources", None, None, None, false).unwrap_err();
        assert!(refused.to_string().contains("has no api.test"));
    }
}
