use std::{fmt, str::FromStr};

/// A plan that the marketplace sells: its slug, and what it costs in US cents a month.
///
/// The manifest names no plans, so they are said beside it:
///
/// ```
/// use maitre_sandbox::Plan;
///
/// let plan: Plan = "premium=900".parse()?;
/// assert_eq!((plan.name(), plan.cents()), ("premium", 900));
/// assert_eq!("basic".parse::<Plan>()?.cents(), 0);
/// assert!("Très cher".parse::<Plan>().is_err());
/// # Ok::<(), maitre_sandbox::NoPlan>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    name: String,
    cents: u32,
}

impl Plan {
    /// The plan that Heroku asks every add-on to begin with, which is free.
    pub(crate) fn test() -> Self {
        Self { name: "test".to_owned(), cents: 0 }
    }

    /// The bare slug, as a provision names it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it costs a month, in US cents.
    #[must_use]
    pub fn cents(&self) -> u32 {
        self.cents
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cents {
            0 => write!(f, "{} (free)", self.name),
            cents => write!(f, "{} (${}.{:02} a month)", self.name, cents / 100, cents % 100),
        }
    }
}

/// A text that is no [`Plan`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPlan(String);

impl fmt::Display for NoPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no plan: write its slug in lower-case letters, digits and hyphens, and its price in cents a month if \
             it has one, as in premium=900",
            self.0
        )
    }
}

impl std::error::Error for NoPlan {}

impl FromStr for Plan {
    type Err = NoPlan;

    fn from_str(text: &str) -> Result<Self, NoPlan> {
        let (name, cents) = match text.split_once('=') {
            Some((name, cents)) => (name, cents.parse().map_err(|_| NoPlan(text.to_owned()))?),
            None => (text, 0),
        };
        let is_slug = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > 60 || !name.bytes().all(is_slug) {
            return Err(NoPlan(text.to_owned()));
        }
        Ok(Self { name: name.to_owned(), cents })
    }
}
