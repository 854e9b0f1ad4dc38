//! The conformance suite on correct add-ons, as a library and as the command `maitre check`.

mod command;
mod good_servers;

use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::{env, path::PathBuf};

use serde_json::{Value, json};

use crate::support::{SALT, SLUG};

/// Longer than the documented example password, which fails the manifest's checks.
const PASSWORD: &str = "a-password-of-enough-length";

/// Returns the manifest of the add-on of the documented examples.
fn manifest() -> String {
    let urls = |origin: &str| json!({ "base_url": format!("{origin}/heroku/resources"), "sso_url": format!("{origin}/heroku/resources/sso") });
    json!({ "id": SLUG, "name": "Lantern", "api": {
        "version": "3", "password": PASSWORD, "sso_salt": SALT, "config_vars": ["LANTERN_URL"], "regions": ["us"],
        "production": urls("https://lantern.example"), "test": urls("http://localhost:5000") } })
    .to_string()
}

/// Path of the command, built once: Cargo does not build binaries of other packages for tests.
static MAITRE: LazyLock<PathBuf> = LazyLock::new(|| {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--package", "maitre-cli", "--locked", "--message-format", "json"])
        .stderr(Stdio::null())
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "the command does not build");
    let messages = String::from_utf8(built.stdout).unwrap();
    let artifact = |line: &str| serde_json::from_str::<Value>(line).ok()?["executable"].as_str().map(PathBuf::from);
    messages.lines().find_map(artifact).expect("the command is a binary")
});

/// Returns the command without the `MAITRE_*` variables of this machine.
fn maitre<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(&*MAITRE);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("MAITRE_")) {
        command.env_remove(name);
    }
    command
}
