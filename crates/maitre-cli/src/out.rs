//! Standard output, whose reader may have gone: `maitre checks | head` is no crash.

use comfy_table::{ContentArrangement, Table, presets};

/// A table without lines.
pub(crate) fn columns(table: &mut Table) -> String {
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    table.trim_fmt()
}

/// `println!` that does not mind.
macro_rules! line {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

/// `print!` that does not mind.
macro_rules! put {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stdout(), $($text)*);
    }};
}

pub(crate) use {line, put};
