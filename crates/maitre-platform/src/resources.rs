//! Resources and add-ons in the ledger.

use maitre_core::{AddonId, Failure, Job, PlatformStore, ResourceId, Result};

use crate::error::Error;

/// Number of resources that one read of the ledger returns.
const PAGE_SIZE: u32 = 100;

/// Checks that work of the ledger is for the add-on of this platform.
///
/// # Errors
/// Returns a refusal if it is for another one.
pub fn check_addon(own: &AddonId, addon: &AddonId) -> Result<()> {
    if addon == own {
        return Ok(());
    }
    Err(Failure::refused(format!("this platform belongs to {own}, not to {addon}: build one for each add-on")))
}

/// Returns the failure for a job of another version of a marketplace's crate.
#[must_use]
pub fn unknown_job(addon: &AddonId, job: &Job) -> Failure {
    Failure::refused(format!(
        "unknown job kind `{}` for {}, or a job without a resource",
        job.kind,
        addon.marketplace()
    ))
}

/// Returns the vendor's id of a resource, if it differs from the key. The store lists resources by their keys, so the page
/// begins before the key.
///
/// # Errors
/// Returns an error if the ledger cannot be read.
pub async fn provider_id<E>(
    store: &dyn PlatformStore,
    addon: &AddonId,
    resource: &ResourceId,
) -> std::result::Result<Option<String>, Error<E>> {
    let key = resource.as_str();
    let mut after = key.char_indices().last().map_or("", |(last, _)| &key[..last]).to_owned();
    loop {
        let page = store.resources(addon, Some(&after), PAGE_SIZE).await.map_err(|failure| Error::store(&failure))?;
        if let Some(found) = page.iter().find(|found| found.resource == *resource) {
            return Ok(found.provider_id.clone());
        }
        match page.last() {
            Some(last) if last.resource.as_str() < key => last.resource.as_str().clone_into(&mut after),
            _ => return Ok(None),
        }
    }
}
