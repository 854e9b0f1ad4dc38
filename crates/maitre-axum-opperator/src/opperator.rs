//! Credentials and settings of an add-on at Opperator.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use maitre_axum::core::{CredentialsError, Marketplace, Password, Reload, ReloadError, SharedSecret};
use serde_json::{Map, Value};
use time::OffsetDateTime;

/// Shared secret of an add-on at Opperator, and the mapping of features to plans.
///
/// ```
/// use maitre_axum_opperator::Opperator;
///
/// let opperator = Opperator::new("lantern", "melon-9", |features| {
///     let seats = features.get("seats").and_then(|seats| seats.as_u64()).unwrap_or(1);
///     Some(if seats > 3 { "premium" } else { "basic" }.to_owned())
/// })?;
/// assert!(!format!("{opperator:?}").contains("melon"));
/// # Ok::<(), maitre_axum::core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct Opperator {
    slug: String,
    pub(crate) secret: SharedSecret,
    pub(crate) plan: Arc<PlanOf>,
}

type PlanOf = dyn Fn(&Map<String, Value>) -> Option<String> + Send + Sync;

impl Opperator {
    /// Creates it from the add-on's name in logs, the secret, and a function that maps the `features` of a request to a
    /// plan. `None` declines the request.
    ///
    /// # Errors
    /// Returns an error if the secret is empty, as a missing header would match it.
    pub fn new(
        slug: &str,
        shared_secret: &str,
        plan: impl Fn(&Map<String, Value>) -> Option<String> + Send + Sync + 'static,
    ) -> Result<Self, CredentialsError> {
        Ok(Self { slug: slug.to_owned(), secret: SharedSecret::new(shared_secret)?, plan: Arc::new(plan) })
    }

    /// Accepts another secret, during a rotation.
    #[must_use]
    pub fn with_secret(mut self, secret: Password) -> Self {
        self.secret = self.secret.with_secret(secret);
        self
    }
}

impl fmt::Debug for Opperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opperator").field("slug", &self.slug).field("secret", &self.secret).finish_non_exhaustive()
    }
}

impl Marketplace for Opperator {
    fn name(&self) -> Cow<'static, str> {
        "opperator".into()
    }

    fn slug(&self) -> &str {
        &self.slug
    }
}

/// The text has one secret per line; each may be `sha256:` and a hash.
impl Reload for Opperator {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        self.secret.reload(text, now, overlap)
    }
}
