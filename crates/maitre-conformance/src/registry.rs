//! Registry of all checks: the one place that knows which marketplaces have any.

use crate::check::{Case, Check};
use crate::marketplace::Marketplace;
use crate::{basic, heroku, osb, quicknode, vercel};

/// Returns the checks of a marketplace, in the order in which they are listed. A marketplace without checks has none.
///
/// ```
/// use maitre_conformance::{Marketplace, checks};
///
/// assert!(checks(Marketplace::Heroku).count() >= 70);
/// assert!(checks(Marketplace::OpenServiceBroker).all(|check| check.id.starts_with("osb.")));
/// assert_eq!(checks(Marketplace::Opperator).count(), 0);
/// ```
pub fn checks(marketplace: Marketplace) -> impl Iterator<Item = &'static Check> {
    let checks = match marketplace {
        Marketplace::Heroku => list(heroku::GROUPS),
        Marketplace::OpenServiceBroker => list(osb::GROUPS),
        Marketplace::DigitalOcean => basic::DIGITALOCEAN.iter().map(|case| &case.check).collect(),
        Marketplace::CleverCloud => basic::CLEVERCLOUD.iter().map(|case| &case.check).collect(),
        Marketplace::Scalingo => basic::SCALINGO.iter().map(|case| &case.check).collect(),
        Marketplace::QuickNode => list(quicknode::GROUPS),
        Marketplace::Vercel => list(vercel::GROUPS),
        Marketplace::CloudControl | Marketplace::Opperator => Vec::new(),
    };
    checks.into_iter()
}

fn list<T>(groups: &'static [&'static [Case<T>]]) -> Vec<&'static Check> {
    groups.iter().flat_map(|group| group.iter()).map(|case| &case.check).collect()
}

/// Finds a check of any marketplace by its id.
pub(crate) fn find(id: &str) -> Option<&'static Check> {
    let marketplace = id.split('.').next()?.parse().ok()?;
    checks(marketplace).find(|check| check.id == id)
}
