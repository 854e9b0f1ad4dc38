//! Registry of all checks.

use crate::check::Check;
use crate::heroku;
use crate::marketplace::Marketplace;

/// Returns the checks of a marketplace, in the order in which they run. Only Heroku has any.
///
/// ```
/// use maitre_conformance::{Marketplace, checks};
///
/// assert!(checks(Marketplace::Heroku).count() >= 70);
/// assert_eq!(checks(Marketplace::Opperator).count(), 0);
/// ```
pub fn checks(marketplace: Marketplace) -> impl Iterator<Item = &'static Check> {
    let groups = match marketplace {
        Marketplace::Heroku => heroku::GROUPS,
        Marketplace::CloudControl | Marketplace::Opperator => &[],
    };
    groups.iter().flat_map(|group| group.iter()).map(|case| &case.check)
}
