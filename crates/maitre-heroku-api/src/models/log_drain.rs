use maitre_core::Secret;
use serde::Deserialize;

use super::ObjectRef;
use crate::lenient;

/// Where an app's log goes.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct LogDrain {
    /// Its id.
    pub id: String,
    /// By what the app is known in the log lines that arrive.
    #[serde(default, deserialize_with = "lenient::optional_secret")]
    pub token: Option<Secret>,
    /// Where lines are sent to, with a password if it has one.
    #[serde(deserialize_with = "lenient::secret")]
    pub url: Secret,
    /// The add-on that it belongs to, where it is not the app's own.
    pub addon: Option<ObjectRef>,
    /// The app.
    pub app: Option<ObjectRef>,
}
