//! Metrics (feature `metrics`); the crate's README lists them.

use std::time::Duration;

use maitre_core::{AddonId, SecretUse};

/// Counts an answered request and records its duration.
#[cfg(feature = "metrics")]
pub(crate) fn request(addon: &AddonId, operation: &'static str, status: u16, took: Duration) {
    let (marketplace, addon) = (addon.marketplace().to_owned(), addon.to_string());
    ::metrics::histogram!(
        "maitre_http_request_duration_seconds",
        "marketplace" => marketplace.clone(), "addon" => addon.clone(), "operation" => operation
    )
    .record(took);
    ::metrics::counter!(
        "maitre_http_requests_total",
        "marketplace" => marketplace, "addon" => addon, "operation" => operation, "status" => status.to_string()
    )
    .increment(1);
}

/// Counts a caller with wrong credentials, or a refused sign-on token.
#[cfg(feature = "metrics")]
pub(crate) fn authentication_failure(addon: &AddonId, kind: &'static str) {
    ::metrics::counter!("maitre_authentication_failures_total", "addon" => addon.to_string(), "kind" => kind)
        .increment(1);
}

/// Counts a call that its caller did not wait for.
#[cfg(feature = "metrics")]
pub(crate) fn budget_exceeded(addon: &AddonId) {
    ::metrics::counter!("maitre_answer_budget_exceeded_total", "addon" => addon.to_string()).increment(1);
}

/// Records the age of a valid sign-on token; it is negative if the marketplace's clock is ahead.
#[cfg(feature = "metrics")]
pub(crate) fn sign_on_age(addon: &AddonId, seconds: i64) {
    #[expect(clippy::cast_precision_loss, reason = "within the window")]
    let seconds = seconds as f64;
    ::metrics::histogram!("maitre_sign_on_token_age_seconds", "addon" => addon.to_string()).record(seconds);
}

/// Records which secret a caller has used: an old one is counted in `maitre_old_secret_uses_total` and logged. A contract
/// calls it if it does not use [`BasicMarketplace`](crate::BasicMarketplace).
///
/// ```
/// use maitre_axum::record_secret_use;
/// use maitre_axum::core::{AddonId, SecretUse};
///
/// record_secret_use(&AddonId::new("bazaar", "lantern"), "password", SecretUse::Old);
/// ```
pub fn record_secret_use(addon: &AddonId, secret: &'static str, used: SecretUse) {
    if used != SecretUse::Old {
        return;
    }
    tracing::debug!(%addon, secret, "a caller used an old secret");
    #[cfg(feature = "metrics")]
    ::metrics::counter!("maitre_old_secret_uses_total", "addon" => addon.to_string(), "secret" => secret).increment(1);
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn request(_: &AddonId, _: &'static str, _: u16, _: Duration) {}
#[cfg(not(feature = "metrics"))]
pub(crate) fn authentication_failure(_: &AddonId, _: &'static str) {}
#[cfg(not(feature = "metrics"))]
pub(crate) fn budget_exceeded(_: &AddonId) {}
#[cfg(not(feature = "metrics"))]
pub(crate) fn sign_on_age(_: &AddonId, _: i64) {}
