//! Capabilities of the terminal.

use std::env;
use std::ffi::OsStr;
use std::io::IsTerminal as _;

/// Returns whether standard output is a terminal that understands escape sequences, which color and move the cursor.
pub(crate) fn understands_escapes() -> bool {
    std::io::stdout().is_terminal() && !is_dumb(env::var_os("TERM").as_deref())
}

fn is_dumb(term: Option<&OsStr>) -> bool {
    term.is_some_and(|term| term == "dumb")
}

#[cfg(test)]
mod tests {
    use super::is_dumb;

    #[test]
    fn a_dumb_terminal_has_plain_output() {
        assert!(is_dumb(Some("dumb".as_ref())));
        assert!(!is_dumb(Some("xterm-256color".as_ref())) && !is_dumb(None));
    }
}
