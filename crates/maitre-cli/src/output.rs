//! Output that ignores a closed pipe and a full disk, so that `maitre check --list | head` does not panic.

use comfy_table::{ContentArrangement, Table, presets};

/// Formats a table without borders.
pub(crate) fn borderless(table: &mut Table) -> String {
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    table.trim_fmt()
}

/// Quotes a text for a POSIX shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `println!` that ignores write errors.
macro_rules! println_ignoring_pipe {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

/// `print!` that ignores write errors.
macro_rules! print_ignoring_pipe {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stdout(), $($text)*);
    }};
}

/// Writes a line to standard error, which may be full or closed: `eprintln!` would panic.
macro_rules! eprintln_ignoring_errors {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

pub(crate) use {eprintln_ignoring_errors, print_ignoring_pipe, println_ignoring_pipe};
