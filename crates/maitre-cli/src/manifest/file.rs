//! Manifest files, which contain secrets.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::color::Palette;
use crate::output::{println_ignoring_pipe, quoted};

/// Creates a file that only its owner can read. Fails if the file exists.
pub(super) fn create(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let name = path.display();
    let mut file = options.open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            anyhow::anyhow!("{name} already exists, and its secrets may be in use: rename it, or use --output")
        }
        _ => anyhow::Error::new(error).context(format!("cannot write {name}")),
    })?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {name}"))
}

/// Prints a warning if git would commit the file.
pub(super) fn warn_if_committable(path: &Path, palette: Palette) {
    if !is_committable(path) {
        return;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    println_ignoring_pipe!(
        "{} git does not ignore {}. To ignore it, run in its directory:\n\n    echo {} >> .gitignore\n",
        palette.warning("Warning:"),
        path.display(),
        quoted(&format!("/{name}"))
    );
}

/// Whether the file is in a git work tree and not ignored. `false` if git is not installed.
fn is_committable(path: &Path) -> bool {
    let Some(name) = path.file_name() else { return false };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["check-ignore", "--quiet", "--"]).arg(name);
    let status = git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    // 0 ignored, 1 not ignored, 128 not in a work tree
    status.is_ok_and(|status| status.code() == Some(1))
}
