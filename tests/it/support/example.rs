//! Builds of binaries and temporary folders for them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use serde_json::Value;

/// Builds a binary, as Cargo does not build binaries of other packages for tests. Returns a copy for each set of
/// features, as Cargo writes them to the same path.
pub(crate) fn build(package: &str, features: &str) -> PathBuf {
    build_in(Path::new(env!("CARGO_MANIFEST_DIR")), package, features)
}

/// Builds a binary of the workspace at `root`, which is this one or an older version of it.
pub(crate) fn build_in(root: &Path, package: &str, features: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().expect("no panic in another build");
    let version = if root.starts_with(env!("CARGO_TARGET_TMPDIR")) { "-older" } else { "" };
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target folder");
    let built = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["build", "--package", package, "--features", features, "--locked", "--message-format", "json"])
        .args(["--target-dir", &target.display().to_string()])
        .stderr(Stdio::null())
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "the package does not build");
    let messages = String::from_utf8(built.stdout).expect("JSON");
    let artifact = |line: &str| serde_json::from_str::<Value>(line).ok()?["executable"].as_str().map(PathBuf::from);
    let binary = messages.lines().find_map(artifact).expect("the package has a binary");
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{package}-{features}{version}"));
    let _ = std::fs::remove_file(&copy); // an older copy may still be running
    std::fs::copy(binary, &copy).expect("a copy");
    copy
}

/// Temporary folder, deleted on drop.
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
