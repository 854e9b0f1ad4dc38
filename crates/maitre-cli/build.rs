//! Passes the commit of the source to `maitre --version`. The variable `MAITRE_COMMIT` of the build comes first.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=MAITRE_COMMIT");
    let commit = env::var("MAITRE_COMMIT").ok().or_else(packed_commit).or_else(checked_out_commit);
    println!("cargo::rustc-env=MAITRE_COMMIT={}", commit.as_deref().map_or("unknown", short));
}

/// Returns the commit that `cargo package` has written into the package.
fn packed_commit() -> Option<String> {
    let file = ".cargo_vcs_info.json";
    let text = fs::read_to_string(file).ok()?;
    println!("cargo::rerun-if-changed={file}");
    let hash = text.split_once("\"sha1\"")?.1.split('"').nth(1)?;
    Some(hash.to_owned())
}

/// Returns the commit of the repository that contains this package.
fn checked_out_commit() -> Option<String> {
    for name in ["HEAD", "logs/HEAD"] {
        let file = git(&["rev-parse", "--git-path", name])?;
        if Path::new(&file).exists() {
            println!("cargo::rerun-if-changed={file}");
        }
    }
    git(&["rev-parse", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned())
}

fn short(commit: &str) -> &str {
    commit.get(..9).unwrap_or(commit)
}
