//! Plans.

use maitre::Failure;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Sold while the add-on is not public: Heroku asks new add-ons for a plan of this name.
    Test,
    Basic,
    Premium,
}

impl Plan {
    pub(crate) fn parse(name: &str) -> Result<Self, Failure> {
        match name {
            "test" => Ok(Self::Test),
            "basic" => Ok(Self::Basic),
            "premium" => Ok(Self::Premium),
            other => Err(Failure::refused(format!("Tally has no plan named {other}: choose test, basic or premium."))),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Basic => "basic",
            Self::Premium => "premium",
        }
    }

    /// Returns the number of counters that the plan includes.
    pub(crate) fn max_counters(self) -> i64 {
        match self {
            Self::Test | Self::Basic => 10,
            Self::Premium => 1000,
        }
    }
}
