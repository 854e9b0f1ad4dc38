//! The conformance suite on correct add-ons, as a library and as the command `maitre check`.

mod brokers;
mod command;
mod first_mistakes;
mod good_servers;
mod marketplaces;
mod python;
mod vercel;

use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::{env, path::PathBuf};

use serde_json::json;

use crate::support::{SALT, SLUG, build};

/// Longer than the documented example password, which fails the manifest's checks.
const PASSWORD: &str = "a-password-of-enough-length";

/// Returns the manifest of the add-on of the documented examples.
fn manifest() -> String {
    let urls = |origin: &str| json!({ "base_url": format!("{origin}/heroku/resources"), "sso_url": format!("{origin}/heroku/resources/sso") });
    json!({ "id": SLUG, "name": "Lantern", "api": {
        "version": "3", "password": PASSWORD, "sso_salt": SALT, "config_vars": ["LANTERN_URL"], "regions": ["us"],
        "production": urls("https://lantern.example"), "test": urls("http://localhost:8300") } })
    .to_string()
}

/// Path of the command, built once.
static MAITRE: LazyLock<PathBuf> = LazyLock::new(|| build("maitre-cli", ""));

/// Returns the command without the `MAITRE_*` variables of this machine.
pub(crate) fn maitre<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(&*MAITRE);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("MAITRE_")) {
        command.env_remove(name);
    }
    command
}
