//! Retries of lifecycle calls.

use time::Duration;

/// Returns how long Heroku waits before the next attempt: one second, doubled after each attempt, at most one hour.
pub(crate) fn backoff(attempts: u32) -> Duration {
    Duration::seconds(1_i64 << attempts.saturating_sub(1).min(12)).min(Duration::HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_doubles_up_to_an_hour() {
        let seconds = [1, 2, 3, 12, 13, 99].map(|attempts| backoff(attempts).whole_seconds());
        assert_eq!(seconds, [1, 2, 4, 2_048, 3_600, 3_600]);
    }
}
