//! The user's web browser.

use std::env;
use std::io;
use std::process::{Command, Stdio};

/// Opens a URL with the command in the environment variable `BROWSER`, or with the default of the system.
pub(crate) fn open(url: &str) -> io::Result<()> {
    let mut command = match env::var_os("BROWSER").filter(|browser| !browser.is_empty()) {
        Some(browser) => Command::new(browser),
        None if cfg!(target_os = "macos") => Command::new("open"),
        None if cfg!(windows) => Command::new("explorer"),
        None => Command::new("xdg-open"),
    };
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(drop)
}
