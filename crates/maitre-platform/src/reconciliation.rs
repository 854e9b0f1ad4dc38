use std::{collections::BTreeMap, error, fmt};

use maitre_core::ResourceSummary;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::listed::Listed;

/// Minimum time between two reconciliations before their common differences may be acted on.
const MIN_INTERVAL: Duration = Duration::hours(24);

/// Differences between the ledger and the marketplace's list at one point in time.
///
/// Store it as JSON and compare it with the next one, a day later: see [`persisting_since`](Self::persisting_since).
///
/// ```
/// use maitre_platform::Reconciliation;
///
/// let json = r#"{"compared_at":"2026-03-04T05:06:07Z","missing_in_ledger":[],"missing_at_marketplace":[{"key":"7b0c","plan":"basic"}],"plan_mismatch":[]}"#;
/// let reconciliation: Reconciliation = serde_json::from_str(json)?;
/// assert_eq!(serde_json::to_string(&reconciliation)?, json);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reconciliation {
    /// Time of the comparison.
    #[serde(with = "time::serde::rfc3339")]
    pub compared_at: OffsetDateTime,
    /// Resources that the marketplace bills and the ledger does not contain: their provision was lost, or they were removed from
    /// the ledger only.
    pub missing_in_ledger: Vec<Difference>,
    /// Resources in the ledger that the marketplace does not bill: their deprovision never arrived.
    pub missing_at_marketplace: Vec<Difference>,
    /// Resources whose plan at the marketplace differs from the [`plan`](Difference::plan) in the ledger.
    pub plan_mismatch: Vec<Difference>,
}

/// A resource that exists on one side only, or has different plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Difference {
    /// Key of the resource.
    pub key: String,
    /// Plan of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Vendor's id of the resource at the marketplace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// Plan at the marketplace, if it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketplace_plan: Option<String>,
}

impl Difference {
    fn new(key: &str, plan: Option<&String>) -> Self {
        Self { key: key.to_owned(), plan: plan.cloned(), provider_id: None, marketplace_plan: None }
    }
}

/// Error for two reconciliations that are less than 24 h apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooRecent;

impl fmt::Display for TooRecent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("reconciliations must be at least 24 h apart: in-flight operations look like differences")
    }
}

impl error::Error for TooRecent {}

impl Reconciliation {
    /// Returns the differences that an earlier reconciliation found as well.
    ///
    /// ```
    /// use maitre_platform::Reconciliation;
    ///
    /// let at = |compared_at: &str, keys: &str| {
    ///     let json = format!(r#"{{"compared_at":"{compared_at}","missing_in_ledger":[],"missing_at_marketplace":[{keys}],"plan_mismatch":[]}}"#);
    ///     serde_json::from_str::<Reconciliation>(&json)
    /// };
    /// let yesterday = at("2026-03-04T05:06:07Z", r#"{"key":"a"},{"key":"b"}"#)?;
    /// let today = at("2026-03-05T05:06:07Z", r#"{"key":"b"},{"key":"c"}"#)?;
    ///
    /// let persisting = today.persisting_since(&yesterday)?;
    /// assert_eq!(persisting.missing_at_marketplace.len(), 1);
    /// assert_eq!(persisting.missing_at_marketplace[0].key, "b");
    /// assert!(today.persisting_since(&today).is_err(), "the two must be 24 h apart");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`TooRecent`] if there are less than 24 h between the two.
    pub fn persisting_since(&self, earlier: &Self) -> Result<Self, TooRecent> {
        if self.compared_at - earlier.compared_at < MIN_INTERVAL {
            return Err(TooRecent);
        }
        let in_both = |now: &[Difference], then: &[Difference]| -> Vec<Difference> {
            now.iter().filter(|now| then.iter().any(|then| then.key == now.key)).cloned().collect()
        };
        Ok(Self {
            compared_at: self.compared_at,
            missing_in_ledger: in_both(&self.missing_in_ledger, &earlier.missing_in_ledger),
            missing_at_marketplace: in_both(&self.missing_at_marketplace, &earlier.missing_at_marketplace),
            plan_mismatch: in_both(&self.plan_mismatch, &earlier.plan_mismatch),
        })
    }

    /// Whether both sides agree.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.missing_in_ledger.is_empty() && self.missing_at_marketplace.is_empty() && self.plan_mismatch.is_empty()
    }

    /// Compares the resources of the ledger with those at the marketplace, both by key.
    pub(crate) fn new(
        compared_at: OffsetDateTime,
        ledger: &BTreeMap<String, ResourceSummary>,
        marketplace: &BTreeMap<String, Listed>,
    ) -> Self {
        let is_in_ledger = |key: &String| ledger.get(key).is_some_and(|summary| !summary.removed);
        let missing_in_ledger = marketplace.iter().filter(|(key, _)| !is_in_ledger(key));
        let provisioned = || ledger.iter().filter(|(_, summary)| summary.lives);
        let missing_at_marketplace = provisioned().filter(|(key, _)| !marketplace.contains_key(*key));
        let plan_mismatch = provisioned().filter_map(|(key, summary)| {
            let marketplace_plan = marketplace.get(key)?.plan.clone()?;
            let is_same = summary.plan.as_ref() == Some(&marketplace_plan);
            let mut difference = Difference::new(key, summary.plan.as_ref());
            difference.marketplace_plan = Some(marketplace_plan);
            (!is_same).then_some(difference)
        });
        Self {
            compared_at,
            missing_in_ledger: missing_in_ledger
                .map(|(key, listed)| Difference {
                    provider_id: listed.provider_id.clone(),
                    ..Difference::new(key, listed.plan.as_ref())
                })
                .collect(),
            missing_at_marketplace: missing_at_marketplace
                .map(|(key, summary)| Difference::new(key, summary.plan.as_ref()))
                .collect(),
            plan_mismatch: plan_mismatch.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn reconciliation(compared_at: OffsetDateTime, missing_at_marketplace: &[&str]) -> Reconciliation {
        let missing_at_marketplace = missing_at_marketplace.iter().map(|key| Difference::new(key, None)).collect();
        Reconciliation { compared_at, missing_in_ledger: Vec::new(), missing_at_marketplace, plan_mismatch: Vec::new() }
    }

    #[test]
    fn differences_found_24_hours_apart_persist() {
        let first = reconciliation(datetime!(2026-03-04 05:06:07 UTC), &["a", "b"]);
        let second = reconciliation(datetime!(2026-03-05 05:06:07 UTC), &["b", "c"]);
        assert_eq!(second.persisting_since(&first).unwrap().missing_at_marketplace, second.missing_at_marketplace[..1]);
    }

    #[test]
    fn one_second_less_than_24_hours_is_too_recent() {
        let first = reconciliation(datetime!(2026-03-04 05:06:07 UTC), &["a"]);
        let second = reconciliation(datetime!(2026-03-05 05:06:06 UTC), &["a"]);
        assert_eq!(second.persisting_since(&first).unwrap_err(), TooRecent);
        assert_eq!(first.persisting_since(&second).unwrap_err(), TooRecent);
    }
}
