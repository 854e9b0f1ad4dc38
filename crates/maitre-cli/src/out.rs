//! Standard output, whose reader may have gone: `maitre checks | head` is no crash.

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
