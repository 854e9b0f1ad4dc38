//! Values of the first version of Heroku's protocol, which kensa still sends.

use serde_json::Value;

/// The `Accept` header.
pub(super) const ACCEPT: &str = "application/json";

/// Returns the id of an app, in kensa's format.
pub(super) fn app_id() -> Value {
    "app4821@kensa.heroku.com".into()
}
