//! Rules of CONTRIBUTING.md that no linter knows: wording, references, import cycles, sizes.

mod imports;
mod listener;
mod references;
mod sizes;
mod wording;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns path and text of the files that git tracks.
fn tracked_files(extensions: &[&str]) -> Vec<(String, String)> {
    let output = Command::new("git").args(["ls-files"]).current_dir(root()).output().expect("git is installed");
    assert!(output.status.success(), "not a git checkout: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter(|path| Path::new(path).extension().is_some_and(|it| extensions.iter().any(|known| it == *known)))
        .filter_map(|path| Some((path.to_owned(), fs::read_to_string(root().join(path)).ok()?)))
        .collect()
}
