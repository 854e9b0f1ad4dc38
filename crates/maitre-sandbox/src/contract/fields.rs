//! Fields of an install that calls contain.

use maitre_testkit::{
    InstallFields as _, Reply,
    platform::{Install, Platform},
};
use serde_json::{Value, json};

/// Returns the id in the path of later calls: the provider id.
pub(super) fn path_id(install: &Install) -> String {
    install.provider_id().unwrap_or_else(|| install.uuid().to_owned())
}

/// Returns the options of a provision.
pub(super) fn options(install: &Install) -> Value {
    let fields = install.provision_fields().into_iter();
    fields.filter(|(name, _)| *name == "options").map(|(_, options)| options).next().unwrap_or_else(|| json!({}))
}

/// Returns the hexadecimal digits of the id of the customer's app, which identify the customer.
pub(super) fn customer_digits(platform: &Platform, install: &Install) -> String {
    platform.app(&install.app()).id().chars().filter(char::is_ascii_hexdigit).collect()
}

pub(super) fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(reply.body()).unwrap_or_default()
}
