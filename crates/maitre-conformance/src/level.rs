use std::fmt;
use std::str::FromStr;

/// Severity of a check or a finding.
///
/// ```
/// use maitre_conformance::Level;
///
/// assert!(Level::Must > Level::Should && Level::Should > Level::Info);
/// assert_eq!("should".parse(), Ok(Level::Should));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Informational.
    Info,
    /// Works, but will cause problems.
    Should,
    /// Required: the marketplace rejects a violation or cannot call the add-on.
    Must,
}

impl Level {
    /// All levels, the least severe first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Should, Self::Must];

    /// Returns the name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Should => "should",
            Self::Must => "must",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Error for an unknown level name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownLevel(String);

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown level {:?}: choose must, should or info", self.0)
    }
}

impl std::error::Error for UnknownLevel {}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(name: &str) -> Result<Self, UnknownLevel> {
        let found = Self::ALL.into_iter().find(|level| level.name() == name);
        found.ok_or_else(|| UnknownLevel(name.to_owned()))
    }
}
