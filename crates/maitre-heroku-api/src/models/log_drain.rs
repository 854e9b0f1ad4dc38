use maitre_core::Secret;
use serde::Deserialize;

use super::ObjectRef;
use crate::lenient;

/// A log drain: a destination of an app's log.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct LogDrain {
    /// Id.
    pub id: String,
    /// Token that identifies the app in the received log lines.
    #[serde(default, deserialize_with = "lenient::optional_secret")]
    pub token: Option<Secret>,
    /// URL that log lines are sent to. It may contain a password.
    #[serde(deserialize_with = "lenient::secret")]
    pub url: Secret,
    /// Add-on that owns the drain; `None` if the app owns it.
    pub addon: Option<ObjectRef>,
    /// App.
    pub app: Option<ObjectRef>,
}
