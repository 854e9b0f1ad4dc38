//! Metrics (feature `metrics`); the crate's README lists them.

use std::time::Duration;

#[cfg(feature = "metrics")]
pub(crate) fn request(addon: &str, kind: &'static str, outcome: &'static str) {
    ::metrics::counter!("maitre_requests_total", "addon" => addon.to_owned(), "kind" => kind, "outcome" => outcome)
        .increment(1);
}

#[cfg(feature = "metrics")]
pub(crate) fn listener_call(addon: &str, kind: &'static str, result: &'static str, took: Duration) {
    let addon = addon.to_owned();
    ::metrics::histogram!("maitre_listener_call_duration_seconds", "addon" => addon.clone(), "kind" => kind)
        .record(took);
    ::metrics::counter!("maitre_listener_calls_total", "addon" => addon, "kind" => kind, "result" => result)
        .increment(1);
}

#[cfg(feature = "metrics")]
pub(crate) fn sign_on(addon: &str, result: &'static str) {
    ::metrics::counter!("maitre_sign_ons_total", "addon" => addon.to_owned(), "result" => result).increment(1);
}

/// Counts an operation or a job that is close to its deadline.
#[cfg(feature = "metrics")]
pub(crate) fn deadline_alarm(addon: &str, kind: &str) {
    let (addon, kind) = (addon.to_owned(), kind.to_owned());
    ::metrics::counter!("maitre_deadline_alarms_total", "addon" => addon, "kind" => kind).increment(1);
}

/// Counts a value that was decrypted with another key than the first; `id` begins the key's SHA-256.
#[cfg(feature = "metrics")]
pub(crate) fn old_key_use(id: &[u8]) {
    ::metrics::counter!("maitre_old_secret_uses_total", "secret" => "ledger key", "key" => hex::encode(id))
        .increment(1);
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn old_key_use(_: &[u8]) {}
#[cfg(not(feature = "metrics"))]
pub(crate) fn request(_: &str, _: &'static str, _: &'static str) {}
#[cfg(not(feature = "metrics"))]
pub(crate) fn listener_call(_: &str, _: &'static str, _: &'static str, _: Duration) {}
#[cfg(not(feature = "metrics"))]
pub(crate) fn sign_on(_: &str, _: &'static str) {}
#[cfg(not(feature = "metrics"))]
pub(crate) fn deadline_alarm(_: &str, _: &str) {}
