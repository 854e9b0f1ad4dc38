//! Metrics (feature `metrics`).

use maitre_core::AddonId;

/// Counts a webhook that was signed with an old secret.
pub(crate) fn old_secret_use(addon: &AddonId) {
    tracing::debug!(%addon, "a webhook was signed with an old secret");
    #[cfg(feature = "metrics")]
    metrics::counter!("maitre_old_secret_uses_total", "addon" => addon.to_string(), "secret" => "webhook").increment(1);
}
