//! Resources as a marketplace lists them.

use std::collections::BTreeMap;

use maitre_core::ResourceSummary;

/// Resource in a marketplace's list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// Key of the resource, if the list contains it.
    pub key: Option<String>,
    /// The `id` that the vendor returned.
    pub provider_id: Option<String>,
    /// Plan, by the name that a provision has.
    pub plan: Option<String>,
}

impl Listed {
    /// Creates an entry of a list that identifies resources by their keys.
    #[must_use]
    pub fn by_key(key: String, provider_id: Option<String>, plan: Option<String>) -> Self {
        Self { key: Some(key), provider_id, plan }
    }

    /// Creates an entry of a list that identifies resources by the vendor's ids.
    #[must_use]
    pub fn by_provider_id(provider_id: String, plan: Option<String>) -> Self {
        Self { key: None, provider_id: Some(provider_id), plan }
    }
}

/// Returns the entries of a list by their keys. One without a key has the key of the resource whose vendor's id it has, or
/// that id if the ledger does not contain it.
pub(crate) fn keyed(list: Vec<Listed>, ledger: &BTreeMap<String, ResourceSummary>) -> BTreeMap<String, Listed> {
    let key_of: BTreeMap<&str, &String> =
        ledger.iter().filter_map(|(key, summary)| Some((summary.provider_id.as_deref()?, key))).collect();
    let keyed = list.into_iter().filter_map(|listed| {
        let by_id = || {
            let id = listed.provider_id.as_ref()?;
            Some(key_of.get(id.as_str()).copied().unwrap_or(id).clone())
        };
        let key = listed.key.clone().or_else(by_id)?;
        Some((key, listed))
    });
    keyed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_found_by_the_vendors_id() {
        let mut summary = ResourceSummary::new("ad-1");
        summary.provider_id = Some("widget-1".to_owned());
        let ledger = BTreeMap::from([("ad-1".to_owned(), summary)]);
        let list = ["widget-1", "widget-2"].map(|id| Listed::by_provider_id(id.to_owned(), None)).to_vec();
        let keys: Vec<_> = keyed(list, &ledger).into_keys().collect();
        assert_eq!(keys, ["ad-1", "widget-2"]);
    }
}
