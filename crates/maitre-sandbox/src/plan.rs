use std::{fmt, str::FromStr};

use crate::ParseError;

/// Plan on sale: its slug, and its monthly price in US cents.
///
/// The manifest does not list plans. Their syntax is `NAME` or `NAME=CENTS`:
///
/// ```
/// use maitre_sandbox::Plan;
///
/// let plan: Plan = "premium=900".parse()?;
/// assert_eq!((plan.name(), plan.cents()), ("premium", 900));
/// assert_eq!("basic".parse::<Plan>()?.cents(), 0);
/// assert!("Très cher".parse::<Plan>().is_err());
/// # Ok::<(), maitre_sandbox::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    name: String,
    cents: u32,
}

impl Plan {
    /// Returns the free plan that Heroku requires of every new add-on.
    pub(crate) fn test() -> Self {
        Self { name: "test".to_owned(), cents: 0 }
    }

    /// Returns the slug, as sent in a provision request.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the monthly price in US cents.
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

impl FromStr for Plan {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let invalid = || {
            ParseError::new(format!(
                "{text:?} is not a plan: write its slug in lower-case letters, digits and hyphens, and optionally its \
                 monthly price in cents, as in premium=900"
            ))
        };
        let (name, cents) = match text.split_once('=') {
            Some((name, cents)) => (name, cents.parse().map_err(|_| invalid())?),
            None => (text, 0),
        };
        let is_slug = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > 60 || !name.bytes().all(is_slug) {
            return Err(invalid());
        }
        Ok(Self { name: name.to_owned(), cents })
    }
}
