//! Earlier comparisons with a marketplace, stored in the ledger.

use maitre_core::{AddonId, PlatformStore, ResourceId};
use time::Duration;

use crate::{error::Error, reconciliation::Reconciliation};

/// Name of the stored value.
const NAME: &str = "reconciliations";

/// Comparisons within this time of the last stored one are not stored, so that a frequent job stores a few a day.
const STORE_INTERVAL: Duration = Duration::hours(1);

/// Comparison with a marketplace, and what of it an earlier one has found as well.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reconciled {
    /// The comparison.
    pub current: Reconciliation,
    /// Differences that the last comparison which is at least 24 h old has found, too. `None` if there is none: repeat
    /// [`reconcile`](crate::Reconcile::reconcile) after a day.
    pub persisting: Option<Reconciliation>,
}

/// Stores a comparison, and compares it with those that were stored before.
pub(crate) async fn record<E>(
    store: &dyn PlatformStore,
    addon: &AddonId,
    current: Reconciliation,
) -> Result<Reconciled, Error<E>> {
    // a value of the add-on itself, not of a resource
    let no_resource = ResourceId::from("");
    let stored = store.read(addon, &no_resource, NAME).await.map_err(|failure| Error::store(&failure))?;
    let version = stored.as_ref().map_or(0, |stored| stored.version);
    let earlier: Vec<Reconciliation> = match &stored {
        None => Vec::new(),
        Some(stored) => serde_json::from_slice(&stored.value)
            .map_err(|error| Error::Store(format!("cannot parse the stored {NAME}: {error}")))?,
    };
    let persisting = earlier.iter().rev().find_map(|earlier| current.persisting_since(earlier).ok());
    if let Some(kept) = kept(earlier, &current) {
        let value = serde_json::to_vec(&kept).unwrap_or_default();
        let written = store.write(addon, &no_resource, NAME, &value, version).await;
        // otherwise another process has stored one at the same time
        written.map_err(|failure| Error::store(&failure))?;
    }
    Ok(Reconciled { current, persisting })
}

/// Returns the comparisons to store: the last one that is at least 24 h old, those after it, and the current one. `None` if
/// nothing is to be stored.
fn kept(mut earlier: Vec<Reconciliation>, current: &Reconciliation) -> Option<Vec<Reconciliation>> {
    if earlier.last().is_some_and(|last| current.compared_at - last.compared_at < STORE_INTERVAL) {
        return None;
    }
    let oldest = earlier.iter().rposition(|earlier| current.persisting_since(earlier).is_ok());
    earlier.drain(..oldest.unwrap_or_default());
    earlier.push(current.clone());
    Some(earlier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::OffsetDateTime;
    use time::macros::datetime;

    fn at(compared_at: OffsetDateTime) -> Reconciliation {
        let json = r#"{"compared_at":"2026-03-04T05:06:07Z","missing_in_ledger":[],"missing_at_marketplace":[],"plan_mismatch":[]}"#;
        Reconciliation { compared_at, ..serde_json::from_str(json).unwrap() }
    }

    #[test]
    fn one_comparison_of_a_day_ago_and_all_later_ones_are_kept() {
        let start = datetime!(2026-03-04 5:06:07 UTC);
        let mut stored = Vec::new();
        for minutes in (0..3 * 24 * 60).step_by(10) {
            let now = start + Duration::minutes(minutes);
            stored = kept(stored.clone(), &at(now)).unwrap_or(stored);
            assert!(stored.len() <= 26, "{}", stored.len());
        }
        let hours: Vec<_> = stored.iter().map(|stored| (stored.compared_at - start).whole_hours()).collect();
        assert_eq!((hours[0], hours.len()), (47, 25));
    }
}
