//! Rate limit of one token.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Time after which an empty request pool has a request again. Heroku refills it with about 75 requests per minute.
const REFILL: Duration = Duration::from_secs(1);

/// State of the request pool of a token, as far as the responses tell.
///
/// ```
/// use std::time::Duration;
///
/// let limiter = maitre_http::RateLimiter::default();
/// limiter.update(200, Some(17), None);
/// assert_eq!(limiter.remaining_requests(), Some(17));
/// ```
#[derive(Debug, Default)]
pub struct RateLimiter(Mutex<PoolState>);

#[derive(Debug, Default)]
struct PoolState {
    remaining: Option<u32>,
    not_before: Option<Instant>,
}

impl RateLimiter {
    /// Updates the state from a response and its number of remaining requests. After a 429 or with an empty pool, the next
    /// requests have to wait.
    pub fn update(&self, status: u16, remaining: Option<u32>, retry_after: Option<Duration>) {
        let mut state = self.state();
        if remaining.is_some() {
            state.remaining = remaining;
        }
        let wait = match (status, retry_after) {
            (429, after) => after.unwrap_or(REFILL),
            (_, _) if remaining == Some(0) => REFILL,
            _ => return,
        };
        let not_before = Instant::now() + wait;
        state.not_before = Some(state.not_before.map_or(not_before, |earlier| earlier.max(not_before)));
    }

    /// Waits until a request may be sent. Returns the waiting time as an error if it is longer than `max_wait`.
    ///
    /// # Errors
    /// Returns the waiting time.
    pub async fn wait(&self, max_wait: Duration) -> Result<(), Duration> {
        let not_before = self.state().not_before;
        let Some(not_before) = not_before else { return Ok(()) };
        let wait = not_before.saturating_duration_since(Instant::now());
        if wait > max_wait {
            return Err(wait);
        }
        tokio::time::sleep_until(not_before).await;
        Ok(())
    }

    /// Returns the number of remaining requests according to the latest response.
    #[must_use]
    pub fn remaining_requests(&self) -> Option<u32> {
        self.state().remaining
    }

    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_WAIT: Duration = Duration::from_secs(30);

    async fn waited(limiter: &RateLimiter) -> Duration {
        let before = Instant::now();
        limiter.wait(MAX_WAIT).await.unwrap();
        before.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn requests_do_not_wait_while_the_pool_is_not_empty() {
        let limiter = RateLimiter::default();
        assert_eq!((waited(&limiter).await, limiter.remaining_requests()), (Duration::ZERO, None));
        limiter.update(200, Some(17), None);
        assert_eq!((waited(&limiter).await, limiter.remaining_requests()), (Duration::ZERO, Some(17)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_pool_delays_the_next_request() {
        let limiter = RateLimiter::default();
        limiter.update(200, Some(0), None);
        assert!(waited(&limiter).await >= REFILL);
        assert_eq!(waited(&limiter).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_delays_all_requests_by_retry_after() {
        let limiter = RateLimiter::default();
        limiter.update(429, Some(0), Some(Duration::from_secs(7)));
        limiter.update(200, Some(0), None);
        assert!(waited(&limiter).await >= Duration::from_secs(7));
        limiter.update(429, None, None);
        assert!(waited(&limiter).await >= REFILL);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_longer_than_the_maximum_is_an_error() {
        let limiter = RateLimiter::default();
        limiter.update(429, Some(0), Some(Duration::from_mins(1)));
        assert!(limiter.wait(MAX_WAIT).await.unwrap_err() > MAX_WAIT);
    }
}
