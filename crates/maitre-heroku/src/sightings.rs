//! Earlier comparisons with Heroku, stored in the ledger.

use maitre_core::ResourceId;
use time::Duration;

use crate::{error::Error, platform::Platform, reconciliation::Reconciliation};

/// Name of the stored value.
const NAME: &str = "reconciliations";

/// Comparisons within this time of the last stored one are not stored, so that a frequent job stores a few a day.
const STORE_INTERVAL: Duration = Duration::hours(1);

/// Comparison with Heroku, and what of it an earlier one has found as well.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reconciled {
    /// The comparison.
    pub current: Reconciliation,
    /// Differences that the last comparison which is at least 24 h old has found, too. `None` if there is none: repeat
    /// [`Platform::reconcile`] after a day.
    pub persisting: Option<Reconciliation>,
}

impl Platform {
    /// Compares the ledger with Heroku's list of installs, as [`compare`](Self::compare) does, stores the comparison in the
    /// ledger, and compares it with those that were stored before. It changes no resource.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("maitre-reconcile-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let database = format!("sqlite://{}", folder.join("maitre.db").display());
    /// # maitre_ledger::Ledger::migrate(&database).await?;
    /// # let ledger = maitre_ledger::Ledger::open(&database).await?;
    /// # let heroku = maitre_testkit::platform::Platform::new("lantern", "s3cr3t-example", "client secret");
    /// # let api = heroku.serve().await?;
    /// # let clock = heroku.clock().clone();
    /// # let client = maitre_heroku::Client::builder("client secret").base_url(api.url()).clock(move || clock.now()).build()?;
    /// # let store = ledger.store();
    /// # use maitre_core::{AddonId, Backend, Provision, doctest::Widgets};
    /// # let request = Provision::new(AddonId::new("heroku", "lantern"), "1bd1a5c1-7a0e-4c4d-9d7b-5f0c2f2b8a11", "basic");
    /// # ledger.wrap(Widgets).provision(request).await.unwrap();
    /// let platform = maitre_heroku::Platform::builder("lantern", client, store).password("s3cr3t-example").build();
    /// assert!(platform.reconcile().await?.persisting.is_none());
    /// # heroku.clock().advance(std::time::Duration::from_hours(24));
    /// // a day later, in any process
    /// let persisting = platform.reconcile().await?.persisting.unwrap();
    /// assert_eq!(persisting.missing_at_heroku.len(), 1); // the deprovision request was lost
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::MissingPassword`] if the platform has no password, and an error if Heroku's list or the ledger
    /// cannot be read or written.
    pub async fn reconcile(&self) -> Result<Reconciled, Error> {
        let current = self.compare().await?;
        // a value of the add-on itself, not of a resource
        let add_on = ResourceId::from("");
        let stored = self.0.store.read(&self.0.addon, &add_on, NAME).await.map_err(|failure| Error::store(&failure))?;
        let version = stored.as_ref().map_or(0, |stored| stored.version);
        let earlier: Vec<Reconciliation> = match &stored {
            None => Vec::new(),
            Some(stored) => serde_json::from_slice(&stored.value)
                .map_err(|error| Error::Store(format!("cannot parse the stored {NAME}: {error}")))?,
        };
        let persisting = earlier.iter().rev().find_map(|earlier| current.persisting_since(earlier).ok());
        if let Some(kept) = kept(earlier, &current) {
            let value = serde_json::to_vec(&kept).unwrap_or_default();
            let written = self.0.store.write(&self.0.addon, &add_on, NAME, &value, version).await;
            // otherwise another process has stored one at the same time
            written.map_err(|failure| Error::store(&failure))?;
        }
        Ok(Reconciled { current, persisting })
    }
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
        let json = r#"{"compared_at":"2026-03-04T05:06:07Z","missing_in_ledger":[],"missing_at_heroku":[],"plan_mismatch":[]}"#;
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
