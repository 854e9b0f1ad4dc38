//! Time window of tokens.

use std::time::Duration;

use time::OffsetDateTime;

use super::error::TokenError;

/// Time window of tokens. Defaults to 300 s back and 60 s ahead, both inclusive.
///
/// ```
/// use maitre_core::sso::{TokenError, Window};
/// use time::OffsetDateTime;
///
/// let now = OffsetDateTime::from_unix_timestamp(1_772_000_300)?;
/// assert_eq!(Window::default().check("1772000000", now), Ok(()));
/// assert_eq!(Window::default().check("1771999999", now), Err(TokenError::TooOld));
/// # Ok::<(), time::error::ComponentRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    max_age: Duration,
    max_ahead: Duration,
}

impl Default for Window {
    fn default() -> Self {
        Self { max_age: Duration::from_mins(5), max_ahead: Duration::from_mins(1) }
    }
}

impl Window {
    /// Sets the maximum age, in whole seconds.
    #[must_use]
    pub fn with_max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }

    /// Sets the tolerance for a clock that is ahead, in whole seconds.
    #[must_use]
    pub fn with_max_ahead(self, max_ahead: Duration) -> Self {
        Self { max_ahead, ..self }
    }

    /// Returns the longest time in which a token is accepted.
    pub(super) fn width(self) -> Duration {
        self.max_age.saturating_add(self.max_ahead)
    }

    /// Checks that a timestamp is inside the window.
    ///
    /// # Errors
    /// Returns [`TokenError::Timestamp`], [`TokenError::TooOld`] or [`TokenError::TooFarAhead`].
    pub fn check(self, timestamp: &str, now: OffsetDateTime) -> Result<(), TokenError> {
        if timestamp.is_empty() || !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(TokenError::Timestamp);
        }
        self.check_unix(timestamp.parse().map_err(|_| TokenError::Timestamp)?, now)
    }

    /// Checks that a time of issue, in seconds since 1970, is inside the window: for marketplaces whose timestamp is not in
    /// whole seconds.
    ///
    /// # Errors
    /// Returns [`TokenError::TooOld`] or [`TokenError::TooFarAhead`].
    pub fn check_unix(self, issued_at: i64, now: OffsetDateTime) -> Result<(), TokenError> {
        let age = now.unix_timestamp().saturating_sub(issued_at);
        if age > seconds(self.max_age) {
            Err(TokenError::TooOld)
        } else if age < -seconds(self.max_ahead) {
            Err(TokenError::TooFarAhead)
        } else {
            Ok(())
        }
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
