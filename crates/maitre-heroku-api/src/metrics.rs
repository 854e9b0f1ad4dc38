//! Metrics (feature `metrics`); the crate's README lists them.

/// Counts a token that was obtained with an old client secret.
pub(crate) fn old_client_secret_use() {
    tracing::warn!("Heroku accepts only an old client secret: the current one is not in use yet");
    #[cfg(feature = "metrics")]
    ::metrics::counter!("maitre_old_secret_uses_total", "marketplace" => "heroku", "secret" => "client").increment(1);
}
