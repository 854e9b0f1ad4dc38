//! Redirects after sign-on: an accepted redirect never leaves the site, as the URL standard of browsers resolves it.

use std::sync::LazyLock;

use maitre_core::doctest::{Bazaar, Widgets};
use maitre_core::{Addon, Credentials, SignedOn};
use url::Url;

const ORIGINS: [&str; 2] = ["https://app.lantern.example", "http://localhost:3000"];

static SITE: LazyLock<Url> =
    LazyLock::new(|| Url::parse("https://api.lantern.example/heroku/sso").expect("the sign-on page"));

static ADDON: LazyLock<Addon<Bazaar>> = LazyLock::new(addon);

fn addon() -> Addon<Bazaar> {
    Addon::new(Bazaar(Credentials::new("lantern", "s3cr3t-example", "salt").expect("credentials")), Widgets)
}

/// Checks a location with fixed origins. If there is a second line, the first one is an origin that the vendor configured.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some((origin, location)) = text.split_once('\n') else {
        let fixed = ADDON.clone();
        let fixed = ORIGINS.iter().fold(fixed, |addon, origin| addon.with_redirect_origin(origin).expect("an origin"));
        return check_location(&fixed, &ORIGINS, text);
    };
    if let Ok(configured) = ADDON.clone().with_redirect_origin(origin) {
        check_location(&configured, &[origin], location);
        check_location(&configured, &[origin], &format!("{origin}{location}"));
    }
}

fn check_location(addon: &Addon<Bazaar>, origins: &[&str], location: &str) {
    let reply = SignedOn::redirect(location);
    if reply.is_local() {
        assert!(addon.allows_redirect(&reply));
    }
    if !addon.allows_redirect(&reply) {
        // the sign-on must not fail for a redirect that is obviously correct
        let plain = |path: &str| path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./?=&%".contains(&byte));
        assert!(!location.starts_with('/') || location.starts_with("//") || !plain(location));
        return;
    }
    assert!(!location.contains(['\r', '\n', '\0']), "a location is one header line");
    let Ok(target) = SITE.join(location) else { return }; // browsers do not follow it
    if reply.is_local() {
        assert_eq!(place(&target), place(&SITE), "{location:?} leaves the site");
        return;
    }
    let allowed = origins.iter().filter_map(|origin| Url::parse(origin).ok());
    assert!(allowed.into_iter().any(|origin| place(&origin) == place(&target)), "{location:?} leaves the origins");
    assert!(target.username().is_empty() && target.password().is_none(), "{location:?} has credentials");
}

/// Returns what identifies an origin. `Url::origin` is opaque for schemes of mobile apps.
fn place(url: &Url) -> (&str, Option<&str>, Option<u16>) {
    (url.scheme(), url.host_str(), url.port_or_known_default())
}
