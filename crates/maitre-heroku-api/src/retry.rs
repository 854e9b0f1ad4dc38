//! How often, and how long after each other.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    /// Tries in all.
    pub(crate) attempts: usize,
    /// The pause after the first, without its random part.
    pub(crate) first: Duration,
    /// No pause grows beyond this, without its random part.
    pub(crate) longest: Duration,
    /// Rather than wait longer than this on Heroku's word, give up.
    pub(crate) max_wait: Duration,
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
    /// The pauses between the tries: doubling, and each up to twice as long by chance.
    pub(crate) fn backoff(&self) -> impl Iterator<Item = Duration> + use<> {
        ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_factor(2.0)
            .with_max_times(self.attempts.saturating_sub(1))
            .with_jitter()
            .build()
    }
}

/// Nobody means more than that.
const FAR_AWAY: Duration = Duration::from_hours(24);

/// What `Retry-After` asks for: seconds, or a date (RFC 9110, section 10.2.3). Nonsense asks for nothing.
pub(crate) fn retry_after(headers: &HeaderMap, now: OffsetDateTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds).min(FAR_AWAY));
    }
    let wait = OffsetDateTime::parse(text, &Rfc2822).ok()? - now;
    Some(Duration::try_from(wait).unwrap_or_default().min(FAR_AWAY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn pauses_double_and_are_spread() {
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
    fn retry_after_is_seconds_or_a_date() {
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
