//! Paths in JSON, and problems at a path.

use std::fmt;

/// A problem, and its path below the schema or the parameters; empty for the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SchemaProblem {
    pub(crate) path: String,
    pub(crate) detail: String,
}

/// Path to the value that is being checked. It is formatted only for a problem.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    pub(super) fn problem(self, detail: impl Into<String>) -> SchemaProblem {
        SchemaProblem { path: self.to_string(), detail: detail.into() }
    }
}

/// The longest name of a field in a path, in characters: it may come from a caller.
const MAX_NAME: usize = 64;

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
            Self::Field(parent, name) => {
                write!(f, "{parent}")?;
                if !matches!(parent, Self::Root) {
                    f.write_str(".")?;
                }
                name.chars().take(MAX_NAME).try_for_each(|c| {
                    if c.is_control() { write!(f, "{}", c.escape_default()) } else { write!(f, "{c}") }
                })
            }
        }
    }
}
