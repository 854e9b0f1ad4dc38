//! What a ledger tells those who watch over it: a span for every call, and figures if the feature `metrics` is on.
//!
//! | name | kind | labels | what |
//! | --- | --- | --- | --- |
//! | `maitre_answers_total` | counter | `addon`, `kind`, `answer` | requests by how they were answered: `ran`, `joined`, `replayed`, `no_call`, `conflict`, `unknown`, `gone`, `unavailable` |
//! | `maitre_calls_total` | counter | `addon`, `kind`, `result` | listener calls by what came of them: `done`, `said_no`, `failed`, `late` |
//! | `maitre_call_seconds` | histogram | `addon`, `kind` | how long they took |
//! | `maitre_sign_ons_total` | counter | `addon`, `result` | `accepted`, `used_before`, `unknown` |
//! | `maitre_open_operations` | gauge | | operations that are not done |
//! | `maitre_parked_operations` | gauge | | operations that a person has to look at |
//! | `maitre_oldest_open_seconds` | gauge | | the age of the oldest one that is not done |
//!
//! The gauges are set by every [`Worker`](crate::Worker), once a minute.

use std::time::Duration;

use crate::engine::{Begun, Kind, Lease};
use crate::inspect::Figures;

/// What came of a listener's call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Result {
    Done,
    SaidNo,
    Failed,
    Late,
}

/// What came of a sign-on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SignOn {
    Accepted,
    UsedBefore,
    Unknown,
}

/// The span of one call of the listener, for every line that it writes.
pub(crate) fn span(lease: &Lease) -> tracing::Span {
    tracing::info_span!(
        "operation",
        id = lease.operation,
        kind = lease.kind.as_str(),
        addon = lease.addon,
        resource = lease.key,
        fence = lease.fence,
    )
}

#[cfg(feature = "metrics")]
pub(crate) fn answered(addon: &str, kind: Kind, begun: &Begun) {
    let answer = match begun {
        Begun::Run(_) => "ran",
        Begun::Wait { .. } => "joined",
        Begun::Replay(_) => "replayed",
        Begun::NoCall => "no_call",
        Begun::Conflict => "conflict",
        Begun::Unknown => "unknown",
        Begun::Gone => "gone",
        Begun::Unavailable => "unavailable",
    };
    let labels = [("addon", addon.to_owned()), ("kind", kind.as_str().to_owned()), ("answer", answer.to_owned())];
    metrics::counter!("maitre_answers_total", &labels).increment(1);
}

#[cfg(feature = "metrics")]
pub(crate) fn called(addon: &str, kind: Kind, result: Result, took: Duration) {
    let result = match result {
        Result::Done => "done",
        Result::SaidNo => "said_no",
        Result::Failed => "failed",
        Result::Late => "late",
    };
    let labels = [("addon", addon.to_owned()), ("kind", kind.as_str().to_owned())];
    metrics::histogram!("maitre_call_seconds", &labels).record(took);
    let [addon, kind] = labels;
    metrics::counter!("maitre_calls_total", &[addon, kind, ("result", result.to_owned())]).increment(1);
}

#[cfg(feature = "metrics")]
pub(crate) fn signed_on(addon: &str, result: SignOn) {
    let result = match result {
        SignOn::Accepted => "accepted",
        SignOn::UsedBefore => "used_before",
        SignOn::Unknown => "unknown",
    };
    let labels = [("addon", addon.to_owned()), ("result", result.to_owned())];
    metrics::counter!("maitre_sign_ons_total", &labels).increment(1);
}

#[cfg(feature = "metrics")]
pub(crate) fn stands(figures: &Figures) {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let counts = [figures.open as f64, figures.parked as f64];
    metrics::gauge!("maitre_open_operations").set(counts[0]);
    metrics::gauge!("maitre_parked_operations").set(counts[1]);
    metrics::gauge!("maitre_oldest_open_seconds").set(figures.oldest_open.as_seconds_f64());
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn answered(_: &str, _: Kind, _: &Begun) {}
#[cfg(not(feature = "metrics"))]
pub(crate) fn called(_: &str, _: Kind, _: Result, _: Duration) {}
#[cfg(not(feature = "metrics"))]
pub(crate) fn signed_on(_: &str, _: SignOn) {}
#[cfg(not(feature = "metrics"))]
pub(crate) fn stands(_: &Figures) {}
