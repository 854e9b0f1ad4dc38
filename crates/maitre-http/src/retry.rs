//! Retry policy.

use std::{fmt, time::Duration};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use crate::call_error::CallError;

/// Retry policy.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Maximum number of attempts.
    pub attempts: usize,
    /// Pause after the first attempt, without jitter.
    pub first: Duration,
    /// Longest pause, without jitter.
    pub longest: Duration,
    /// Longest wait that the marketplace may request. A call that would have to wait longer fails.
    pub max_wait: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 4,
            first: Duration::from_millis(200),
            longest: Duration::from_secs(5),
            max_wait: Duration::from_secs(30),
        }
    }
}

impl Retry {
    /// Runs attempts until one succeeds, fails for good, or no time is left until the deadline.
    ///
    /// # Errors
    /// Returns the error of the last attempt.
    pub async fn run<T, E, F>(
        &self,
        idempotent: bool,
        time_left: impl Fn() -> Option<Duration>,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, E>
    where
        E: fmt::Display + AsRef<CallError>,
        F: Future<Output = Result<T, E>>,
    {
        let mut backoff = self.backoff();
        loop {
            let error = match attempt().await {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            let pause = self.next_pause(idempotent, error.as_ref(), &mut backoff);
            let pause = pause.filter(|pause| time_left().is_none_or(|left| *pause < left));
            let Some(pause) = pause else { return Err(error) };
            tracing::debug!(%error, ?pause, "retrying a request to the marketplace");
            tokio::time::sleep(pause).await;
        }
    }

    /// Returns the pause before the next attempt, or `None` if there is none.
    fn next_pause(
        &self,
        idempotent: bool,
        error: &CallError,
        backoff: &mut impl Iterator<Item = Duration>,
    ) -> Option<Duration> {
        if !error.may_repeat(idempotent) {
            return None;
        }
        let pause = backoff.next()?;
        // `Retry-After` plus jitter, so that clients do not retry at the same time.
        match error.retry_after() {
            Some(after) if after > self.max_wait => None,
            Some(after) => Some(after + pause),
            None => Some(pause),
        }
    }

    /// Returns the pauses between the attempts: doubling, each plus a jitter of up to 100 %.
    fn backoff(&self) -> impl Iterator<Item = Duration> + use<> {
        ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_factor(2.0)
            .with_max_times(self.attempts.saturating_sub(1))
            .with_jitter()
            .build()
    }
}

/// Longest time that is read from `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// Parses `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3). An invalid value is ignored.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: OffsetDateTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
    }
    let wait = OffsetDateTime::parse(text, &Rfc2822).ok()? - now;
    Some(Duration::try_from(wait).unwrap_or_default().min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn pauses_double_and_have_jitter() {
        let retry = Retry { attempts: 5, longest: Duration::from_millis(500), ..Retry::default() };
        for _ in 0..100 {
            let pauses: Vec<_> = retry.backoff().map(|pause| pause.as_millis()).collect();
            assert_eq!(pauses.len(), 4);
            for (pause, least) in pauses.iter().zip([200, 400, 500, 500]) {
                assert!((least..=2 * least).contains(pause), "{pauses:?}");
            }
        }
        assert_eq!(Retry { attempts: 1, ..retry }.backoff().count(), 0);
        assert_eq!(Retry { attempts: 0, ..retry }.backoff().count(), 0);
    }

    #[test]
    fn retry_after_is_parsed_from_seconds_or_a_date() {
        let now = datetime!(2026-03-04 5:06:07 UTC);
        for (text, expected) in [
            ("2", Some(2)),
            (" 0 ", Some(0)),
            ("Wed, 04 Mar 2026 05:06:17 GMT", Some(10)),
            ("Wed, 04 Mar 2026 05:06:00 GMT", Some(0)),
            ("soon", None),
            ("18446744073709551615", Some(86_400)),
            ("Wed, 04 Mar 2099 05:06:17 GMT", Some(86_400)),
            ("-1", None),
            ("1.5", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now).map(|wait| wait.as_secs()), expected, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
