use std::{error, fmt, iter::Sum, ops::Add, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Amount of money in US dollars, with cents.
///
/// ```
/// use maitre_vercel::Amount;
///
/// let amount: Amount = "9.50".parse()?;
/// assert_eq!((amount.cents(), (amount + Amount::from_cents(5)).to_string()), (950, "9.55".to_owned()));
/// # Ok::<(), maitre_vercel::ParseAmountError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u64);

impl Amount {
    /// Returns an amount of this many cents.
    #[must_use]
    pub fn from_cents(cents: u64) -> Self {
        Self(cents)
    }

    /// Returns the cents.
    #[must_use]
    pub fn cents(self) -> u64 {
        self.0
    }

    /// Returns the price of this quantity, rounded to cents. A quantity that is negative or not a number costs nothing.
    ///
    /// ```
    /// use maitre_vercel::Amount;
    ///
    /// assert_eq!(Amount::from_cents(450).times(2.5), Amount::from_cents(1_125));
    /// assert_eq!(Amount::from_cents(450).times(-1.0), Amount::from_cents(0));
    /// ```
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "prices are far below 2^52 cents, and a cast from a float saturates"
    )]
    pub fn times(self, quantity: f64) -> Self {
        Self((self.0 as f64 * quantity).round() as u64)
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// Error of a text that is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseAmountError;

impl fmt::Display for ParseAmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount is a decimal number with at most two places")
    }
}

impl error::Error for ParseAmountError {}

impl FromStr for Amount {
    type Err = ParseAmountError;

    fn from_str(text: &str) -> Result<Self, ParseAmountError> {
        let (whole, places) = text.split_once('.').unwrap_or((text, "00"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(places) || places.len() > 2 {
            return Err(ParseAmountError);
        }
        format!("{whole}{places:0<2}").parse().map(Self).map_err(|_| ParseAmountError)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_two_places() {
        for (text, expected) in
            [("9.00", Some("9.00")), ("0.05", Some("0.05")), ("29", Some("29.00")), ("7.5", Some("7.50"))]
        {
            assert_eq!(text.parse::<Amount>().ok().map(|amount| amount.to_string()).as_deref(), expected);
        }
        for text in ["", "-1.00", "1.000", "$1.00", "1,00", ".50", "1.", "99999999999999999999.00"] {
            assert_eq!(text.parse::<Amount>(), Err(ParseAmountError), "{text}");
        }
    }
}
