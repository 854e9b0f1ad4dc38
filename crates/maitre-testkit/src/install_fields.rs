//! The connection between a provision call and an install on a platform.

use serde_json::Value;

/// An install that a provision call can be made for, such as a `platform::Install`.
pub trait InstallFields {
    /// Returns Heroku's id of the install.
    fn uuid(&self) -> &str;

    /// Returns the fields of the provision request; null for a field that is left out.
    fn provision_fields(&self) -> Vec<(&'static str, Value)>;
}
