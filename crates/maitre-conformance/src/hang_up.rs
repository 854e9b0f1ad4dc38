//! Delays after which a caller hangs up.

use std::time::Duration;

/// Returns delays after which to hang up on a request that takes `duration`: in the middle of it, immediately, and some
/// that are in the middle if the measured duration was an outlier.
pub(crate) fn delays(duration: Duration) -> [Duration; 6] {
    let [short, long] = [20, 150].map(Duration::from_millis);
    [duration / 2, Duration::ZERO, short, duration / 4, duration * 3 / 4, long.min(duration * 2)]
}

/// Describes a hang-up in the recorded exchange.
pub(crate) fn description(delay: Duration) -> String {
    format!("hung up {:.1} ms later", delay.as_secs_f64() * 1_000.0)
}
