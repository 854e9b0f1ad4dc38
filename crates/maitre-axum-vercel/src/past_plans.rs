//! Plans that an installation had before its resources moved to others.

use std::collections::BTreeSet;

use maitre_axum::Call;
use maitre_axum::core::{AccountId, Addon, Backend, Failure, FetchAccount, PlatformStore, ResourceId, Result};

use crate::Vercel;

/// Attempts to write a value that other processes change at the same time.
const ATTEMPTS: usize = 100;

fn plans_name(account: &str) -> String {
    format!("plans before transfers {account}")
}

/// Records the plans that an installation has had before its resources move: its uninstallation has to wait for final
/// invoices if one of them costs something.
pub(crate) async fn remember_plans(
    addon: &Addon<Vercel>,
    store: &dyn PlatformStore,
    account: &AccountId,
) -> Result<()> {
    let current = addon.fetch_account(FetchAccount::new(addon.id().clone(), account.clone())).await?.plans;
    let (empty, name) = (ResourceId::from(""), plans_name(account.as_str()));
    for _ in 0..ATTEMPTS {
        let stored = store.read(addon.id(), &empty, &name).await?;
        let version = stored.as_ref().map_or(0, |stored| stored.version);
        let known: BTreeSet<String> =
            stored.map_or_else(|| Ok(BTreeSet::new()), |stored| serde_json::from_slice(&stored.value))?;
        if current.is_subset(&known) {
            return Ok(());
        }
        let all: BTreeSet<_> = known.union(&current).collect();
        if store.write(addon.id(), &empty, &name, &serde_json::to_vec(&all)?, version).await? {
            return Ok(());
        }
    }
    Err(Failure::unavailable("the plans of the installation are changed too often"))
}

/// Returns the plans that an installation had before its resources moved to others.
pub(crate) async fn past_plans(call: &Call<Vercel>, account: &AccountId) -> Result<Vec<String>> {
    let Some(store) = call.addon().marketplace().optional.transfers.clone() else { return Ok(Vec::new()) };
    let stored = store.read(call.addon().id(), &ResourceId::from(""), &plans_name(account.as_str())).await?;
    Ok(stored.map_or_else(|| Ok(Vec::new()), |stored| serde_json::from_slice(&stored.value))?)
}
