use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset};

use super::timestamp;

/// Billing period, from its start until before its end.
///
/// ```
/// use maitre_vercel::Period;
/// use time::macros::datetime;
///
/// let march = Period::month_of(datetime!(2026-03-04 5:06:07 UTC));
/// assert_eq!(march, Period::new(datetime!(2026-03-01 0:00 UTC), datetime!(2026-04-01 0:00 UTC)));
/// assert_eq!(march.external_id(), "2026-03-01T00:00:00Z/2026-04-01T00:00:00Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Period {
    /// Start.
    #[serde(with = "timestamp")]
    pub start: OffsetDateTime,
    /// End, which is not part of the period.
    #[serde(with = "timestamp")]
    pub end: OffsetDateTime,
}

impl Period {
    /// Creates a period. Fractions of seconds are dropped.
    #[must_use]
    pub fn new(start: OffsetDateTime, end: OffsetDateTime) -> Self {
        let whole = |time: OffsetDateTime| time.to_offset(UtcOffset::UTC).truncate_to_second();
        Self { start: whole(start), end: whole(end) }
    }

    /// Returns the calendar month of this time in UTC.
    #[must_use]
    pub fn month_of(time: OffsetDateTime) -> Self {
        let start = time.to_offset(UtcOffset::UTC).truncate_to_day().replace_day(1).unwrap_or(time);
        let month = start.month();
        let end = start + time::Duration::days(i64::from(month.length(start.year())));
        Self { start, end }
    }

    /// Returns the id of the period's invoice, which is unique per installation: start and end.
    #[must_use]
    pub fn external_id(&self) -> String {
        format!("{}/{}", timestamp::text(self.start), timestamp::text(self.end))
    }

    /// Returns the period of an [external id](Self::external_id).
    ///
    /// ```
    /// use maitre_vercel::Period;
    ///
    /// let march = Period::from_external_id("2026-03-01T00:00:00Z/2026-04-01T00:00:00Z").unwrap();
    /// assert_eq!(Period::from_external_id(&march.external_id()), Some(march));
    /// assert_eq!(Period::from_external_id("2026-03"), None);
    /// ```
    #[must_use]
    pub fn from_external_id(id: &str) -> Option<Self> {
        let (start, end) = id.split_once('/')?;
        Some(Self::new(maitre_core::parse_timestamp(start)?, maitre_core::parse_timestamp(end)?))
    }
}
