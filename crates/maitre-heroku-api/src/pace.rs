//! Obeying the rate limit of one token.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::header::HeaderMap;
use tokio::time::Instant;

/// Heroku's pool refills by about 75 requests a minute, so after this time there is one again.
const REFILL: Duration = Duration::from_secs(1);

/// What is known of the pool of requests that a token takes from.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    remaining: Option<u32>,
    not_before: Option<Instant>,
}

impl Pace {
    /// Takes note of an answer: who was told that nothing is left, or to come back later, does not ask before.
    pub(crate) fn heard(&self, status: u16, headers: &HeaderMap, retry_after: Option<Duration>) {
        let mut known = self.known();
        let told = headers.get("ratelimit-remaining").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        if told.is_some() {
            known.remaining = told;
        }
        let wait = match (status, retry_after) {
            (429, after) => after.unwrap_or(REFILL),
            (_, _) if told == Some(0) => REFILL,
            _ => return,
        };
        let then = Instant::now() + wait;
        known.not_before = Some(known.not_before.map_or(then, |before| before.max(then)));
    }

    /// Waits until there may be a request left; if that takes longer than `patience`, tells how long instead.
    pub(crate) async fn wait(&self, patience: Duration) -> Result<(), Duration> {
        let not_before = self.known().not_before;
        let Some(not_before) = not_before else { return Ok(()) };
        let wait = not_before.saturating_duration_since(Instant::now());
        if wait > patience {
            return Err(wait);
        }
        tokio::time::sleep_until(not_before).await;
        Ok(())
    }

    pub(crate) fn remaining(&self) -> Option<u32> {
        self.known().remaining
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn left(number: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("ratelimit-remaining", number.parse().unwrap());
        headers
    }

    async fn waited(pace: &Pace) -> Duration {
        let before = Instant::now();
        pace.wait(PATIENCE).await.unwrap();
        before.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_while_there_is_something_left() {
        let pace = Pace::default();
        assert_eq!((waited(&pace).await, pace.remaining()), (Duration::ZERO, None));
        pace.heard(200, &left("17"), None);
        assert_eq!((waited(&pace).await, pace.remaining()), (Duration::ZERO, Some(17)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_pool_is_waited_for() {
        let pace = Pace::default();
        pace.heard(200, &left("0"), None);
        assert!(waited(&pace).await >= REFILL);
        assert_eq!(waited(&pace).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_holds_back_all_calls_for_as_long_as_it_says() {
        let pace = Pace::default();
        pace.heard(429, &left("0"), Some(Duration::from_secs(7)));
        pace.heard(200, &left("0"), None);
        assert!(waited(&pace).await >= Duration::from_secs(7));
        pace.heard(429, &HeaderMap::new(), None);
        assert!(waited(&pace).await >= REFILL);
    }

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_too_long_is_told_so() {
        let pace = Pace::default();
        pace.heard(429, &left("0"), Some(Duration::from_mins(1)));
        assert!(pace.wait(PATIENCE).await.unwrap_err() > PATIENCE);
    }
}
