use std::{fmt, str::FromStr};

use crate::ParseError;

/// Rate of random faults: the fraction of all calls, in both directions, that meet one.
///
/// ```
/// use maitre_sandbox::Chaos;
///
/// assert_eq!("10%".parse::<Chaos>()?.rate(), 0.1);
/// assert!("110%".parse::<Chaos>().is_err());
/// # Ok::<(), maitre_sandbox::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chaos {
    rate: f64,
}

impl Chaos {
    /// Returns the rate, from 0 to 1.
    #[must_use]
    pub fn rate(self) -> f64 {
        self.rate
    }
}

impl fmt::Display for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.rate * 100.0)
    }
}

impl FromStr for Chaos {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let percent = text.trim_end_matches('%').trim().parse::<f64>();
        match percent {
            Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self { rate: percent / 100.0 }),
            _ => Err(ParseError::new(format!("{text:?} is not a percentage from 0% to 100%, such as 10%"))),
        }
    }
}
