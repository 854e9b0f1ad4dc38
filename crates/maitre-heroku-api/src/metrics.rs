//! Metrics (feature `metrics`); the crate's README lists them.

use std::time::Duration;

use reqwest::Method;

/// Counts an attempt of a call and its duration. The status is `none` without a response.
#[cfg(feature = "metrics")]
pub(crate) fn call(method: &Method, status: Option<u16>, took: Duration) {
    let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    let method = method.as_str().to_owned();
    ::metrics::histogram!("maitre_marketplace_call_duration_seconds", "marketplace" => "heroku").record(took);
    ::metrics::counter!("maitre_marketplace_calls_total", "marketplace" => "heroku", "method" => method, "status" => status)
        .increment(1);
}

/// Counts a token that was obtained with an old client secret.
pub(crate) fn old_client_secret_use() {
    tracing::warn!("Heroku accepts only an old client secret: the current one is not in use yet");
    #[cfg(feature = "metrics")]
    ::metrics::counter!("maitre_old_secret_uses_total", "marketplace" => "heroku", "secret" => "client").increment(1);
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn call(_: &Method, _: Option<u16>, _: Duration) {}
