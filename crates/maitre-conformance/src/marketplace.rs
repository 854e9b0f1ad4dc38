use std::fmt;
use std::str::FromStr;

use crate::check::Check;
use crate::run::Subject;
use crate::{cloudcontrol, heroku, opperator};

/// Whose contract an add-on is held to.
///
/// ```
/// use maitre_conformance::Marketplace;
///
/// assert!(Marketplace::Heroku.checks().count() >= 70);
/// assert_eq!("cloudcontrol".parse(), Ok(Marketplace::CloudControl));
/// assert_eq!(Marketplace::Opperator.to_string(), "opperator");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Marketplace {
    /// Heroku, Partner API version 3.
    Heroku,
    /// cloudControl, closed in 2016.
    CloudControl,
    /// Opperator, which never opened.
    Opperator,
}

impl Marketplace {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Heroku, Self::CloudControl, Self::Opperator];

    /// The name in ids and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Heroku => "heroku",
            Self::CloudControl => "cloudcontrol",
            Self::Opperator => "opperator",
        }
    }

    /// Which contract it is, and when its sources were last read.
    #[must_use]
    pub fn contract(self) -> &'static str {
        match self {
            Self::Heroku => "Heroku partner API 3, as documented in November 2026",
            Self::CloudControl => "cloudControl add-on provider program, as archived in 2016",
            Self::Opperator => "Opperator, as implemented by maitre_d 0.4.0 in 2014",
        }
    }

    /// Its checks, in the order in which they are tried.
    pub fn checks(self) -> impl Iterator<Item = &'static Check> {
        let checks: Vec<&'static Check> = match self {
            Self::Heroku => checks_of::<heroku::Subject>(),
            Self::CloudControl => checks_of::<cloudcontrol::Subject>(),
            Self::Opperator => checks_of::<opperator::Subject>(),
        };
        checks.into_iter()
    }
}

fn checks_of<S: Subject>() -> Vec<&'static Check> {
    S::GROUPS.iter().flat_map(|group| group.iter()).map(|case| &case.check).collect()
}

impl fmt::Display for Marketplace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No marketplace has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownMarketplace(String);

impl fmt::Display for UnknownMarketplace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no marketplace named {:?}: choose heroku, cloudcontrol or opperator", self.0)
    }
}

impl std::error::Error for UnknownMarketplace {}

impl FromStr for Marketplace {
    type Err = UnknownMarketplace;

    fn from_str(name: &str) -> Result<Self, UnknownMarketplace> {
        let found = Self::ALL.into_iter().find(|marketplace| marketplace.name() == name);
        found.ok_or_else(|| UnknownMarketplace(name.to_owned()))
    }
}
