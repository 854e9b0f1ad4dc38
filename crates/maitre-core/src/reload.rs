//! Replacing secrets while they are in use.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use time::OffsetDateTime;

/// Secrets that can be replaced while requests are served: an [`Addon`](crate::Addon), its credentials, or the keys of a
/// ledger. All clones have the new ones.
pub trait Reload: Send + Sync + 'static {
    /// Replaces the secrets by those of a text, the content of their file. Those that are no longer in it stay active, as
    /// old ones, until their end, or for `overlap` if they have none, so that both sides need not change at the same time.
    /// After an error nothing has changed.
    ///
    /// # Errors
    /// Returns an error if the text is invalid. It contains no secret.
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError>;
}

/// Returns when a secret that was replaced at `now` ends; see [`Reload`].
///
/// ```
/// use std::time::Duration;
/// use maitre_core::overlap_end;
/// use time::macros::datetime;
///
/// let now = datetime!(2026-03-01 0:00 UTC);
/// assert_eq!(overlap_end(now, Duration::from_secs(60)), datetime!(2026-03-01 0:01 UTC));
/// assert!(overlap_end(now, Duration::MAX).year() == 9999, "the last time that can be represented");
/// ```
#[must_use]
pub fn overlap_end(now: OffsetDateTime, overlap: Duration) -> OffsetDateTime {
    now.saturating_add(time::Duration::try_from(overlap).unwrap_or(time::Duration::MAX))
}

/// Error of reading new secrets. It never contains a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReloadError(String);

impl ReloadError {
    /// Creates an error from another one, which must not contain a secret.
    #[must_use]
    pub fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }

    /// Creates an error from the position of an error in JSON. Its message could quote a secret.
    ///
    /// ```
    /// use maitre_core::ReloadError;
    ///
    /// let error = serde_json::from_str::<Vec<String>>("[4711]").unwrap_err();
    /// let error = ReloadError::json(&error).to_string();
    /// assert_eq!(error, "cannot reload: a value is missing or has a wrong type, at line 1 column 5");
    /// ```
    #[must_use]
    pub fn json(error: &serde_json::Error) -> Self {
        let problem = if error.is_data() { "a value is missing or has a wrong type" } else { "it is not JSON" };
        Self(format!("{problem}, at line {} column {}", error.line(), error.column()))
    }
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot reload: {}", self.0)
    }
}

impl std::error::Error for ReloadError {}

/// Value that can be replaced, also while others use it. Clones share it.
///
/// ```
/// use maitre_core::Replaceable;
///
/// let value = Replaceable::new("old");
/// let used = value.get();
/// value.clone().replace("new");
/// assert_eq!((*used, *value.get()), ("old", "new"));
/// ```
pub struct Replaceable<T>(Arc<RwLock<Arc<T>>>);

impl<T> Replaceable<T> {
    /// Creates it with its first value.
    pub fn new(value: T) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(value))))
    }

    /// Returns the current value.
    #[must_use]
    pub fn get(&self) -> Arc<T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the value.
    pub fn replace(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}

impl<T> Clone for Replaceable<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Replaceable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replaceable").finish_non_exhaustive()
    }
}
