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
pub(crate) struct RateLimiter(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    remaining: Option<u32>,
    not_before: Option<Instant>,
}

impl RateLimiter {
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

    /// Waits until there may be a request left; if that takes longer than `max_wait`, tells how long instead.
    pub(crate) async fn wait(&self, max_wait: Duration) -> Result<(), Duration> {
        let not_before = self.known().not_before;
        let Some(not_before) = not_before else { return Ok(()) };
        let wait = not_before.saturating_duration_since(Instant::now());
        if wait > max_wait {
            return Err(wait);
        }
        tokio::time::sleep_until(not_before).await;
        Ok(())
    }

    pub(crate) fn remaining_requests(&self) -> Option<u32> {
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

    async fn waited(rate_limiter: &RateLimiter) -> Duration {
        let before = Instant::now();
        rate_limiter.wait(PATIENCE).await.unwrap();
        before.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_while_there_is_something_left() {
        let rate_limiter = RateLimiter::default();
        assert_eq!((waited(&rate_limiter).await, rate_limiter.remaining_requests()), (Duration::ZERO, None));
        rate_limiter.heard(200, &left("17"), None);
        assert_eq!((waited(&rate_limiter).await, rate_limiter.remaining_requests()), (Duration::ZERO, Some(17)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_pool_is_waited_for() {
        let rate_limiter = RateLimiter::default();
        rate_limiter.heard(200, &left("0"), None);
        assert!(waited(&rate_limiter).await >= REFILL);
        assert_eq!(waited(&rate_limiter).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_holds_back_all_calls_for_as_long_as_it_says() {
        let rate_limiter = RateLimiter::default();
        rate_limiter.heard(429, &left("0"), Some(Duration::from_secs(7)));
        rate_limiter.heard(200, &left("0"), None);
        assert!(waited(&rate_limiter).await >= Duration::from_secs(7));
        rate_limiter.heard(429, &HeaderMap::new(), None);
        assert!(waited(&rate_limiter).await >= REFILL);
    }

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_too_long_is_told_so() {
        let rate_limiter = RateLimiter::default();
        rate_limiter.heard(429, &left("0"), Some(Duration::from_mins(1)));
        assert!(rate_limiter.wait(PATIENCE).await.unwrap_err() > PATIENCE);
    }
}
