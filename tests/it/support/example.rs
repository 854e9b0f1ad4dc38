//! Examples as processes of their own, each in a folder of its own.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Builds an example's program: Cargo builds no binaries of other packages for tests.
pub(crate) fn build(package: &str) -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--package", package, "--locked", "--message-format", "json"])
        .stderr(Stdio::null())
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "the example does not build");
    let messages = String::from_utf8(built.stdout).expect("JSON");
    let artifact = |line: &str| serde_json::from_str::<Value>(line).ok()?["executable"].as_str().map(PathBuf::from);
    messages.lines().find_map(artifact).expect("the example is a binary")
}

/// A folder of its own that goes away with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("maitre-example-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).expect("a folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
