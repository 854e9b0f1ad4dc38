//! What can be ordered.

use maitre::Failure;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    Basic,
    Premium,
}

impl Plan {
    pub(crate) fn named(name: &str) -> Result<Self, Failure> {
        match name {
            "basic" => Ok(Self::Basic),
            "premium" => Ok(Self::Premium),
            other => Err(Failure::refused(format!("Tally has no plan named {other}: choose basic or premium."))),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Premium => "premium",
        }
    }

    /// How many counters a customer can have.
    pub(crate) fn room(self) -> i64 {
        match self {
            Self::Basic => 10,
            Self::Premium => 1000,
        }
    }
}
