//! Record of one installation and period.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::line::{Usage, UsageKind};
use crate::models::{Amount, BillingItem, InterimBilling, Period, UsageMetric};

/// State of a [`Statement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StatementState {
    /// Usage is metered.
    Open,
    /// The invoice may have been sent.
    Sending,
    /// The invoice has been received, or there was nothing to bill.
    Sent,
    /// The installation was gone before the invoice was sent.
    Lost,
    /// Vercel has another invoice with the same id: an operator has to compare.
    Disputed,
}

/// Usage of an installation in a period, and the state of the invoice.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Statement {
    /// Period.
    pub period: Period,
    /// State.
    pub state: StatementState,
    /// Vercel's id of the invoice, once it is known.
    pub invoice_id: Option<String>,
    /// Whether the refund, if there is one, was received.
    pub refunded: bool,
    pub(super) lines: Vec<Line>,
    pub(super) is_final: bool,
    pub(super) refund: Option<Refund>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Line {
    usage: Usage,
    /// Day of the latest change, and the quantity before that day.
    day: i32,
    before: f64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refund {
    pub(super) reason: String,
    pub(super) total: Amount,
}

impl Statement {
    pub(super) fn new(period: Period) -> Self {
        Self {
            period,
            state: StatementState::Open,
            invoice_id: None,
            refunded: false,
            lines: Vec::new(),
            is_final: false,
            refund: None,
        }
    }

    /// Returns the total.
    #[must_use]
    pub fn total(&self) -> Amount {
        self.items().map(|item| item.total).sum()
    }

    /// Returns the items of the invoice.
    pub fn items(&self) -> impl Iterator<Item = BillingItem> {
        self.lines.iter().map(|line| line.usage.item())
    }

    /// Sets the running total of a line. Returns whether anything changed.
    pub(super) fn set(&mut self, usage: Usage, now: OffsetDateTime) -> bool {
        let today = now.date().to_julian_day();
        match self.lines.iter_mut().find(|line| line.usage.is_same_line(&usage)) {
            Some(line) if line.usage == usage => return false,
            Some(line) => {
                if line.day != today {
                    (line.day, line.before) = (today, line.usage.quantity);
                }
                line.usage = usage;
            }
            None => self.lines.push(Line { usage, day: today, before: 0.0 }),
        }
        true
    }

    /// Returns the report of the usage so far.
    pub(super) fn interim(&self, now: OffsetDateTime) -> InterimBilling {
        let today = now.date().to_julian_day();
        let mut interim = InterimBilling::new(self.period, now);
        interim.items = self.items().collect();
        interim.usage = self.lines.iter().map(|line| line.metric(today)).collect();
        interim
    }
}

impl Line {
    fn metric(&self, today: i32) -> UsageMetric {
        let Usage { resource, name, kind, units, quantity, .. } = &self.usage;
        let mut metric = UsageMetric::new(name, (*kind).into(), units);
        metric.resource = Some(resource.clone());
        metric.period_value = *quantity;
        metric.day_value = match kind {
            UsageKind::Interval if self.day == today => quantity - self.before,
            UsageKind::Interval => 0.0,
            UsageKind::Total => *quantity,
        };
        metric
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_line_has_the_latest_running_total_and_the_value_of_the_day() {
        let march = Period::month_of(datetime!(2026-03-01 0:00 UTC));
        let usage = |quantity| Usage::new("ltn_1", "basic", "Requests", Amount::from_cents(2), quantity, "1,000");
        let mut statement = Statement::new(march);
        let (third, fourth) = (datetime!(2026-03-03 23:00 UTC), datetime!(2026-03-04 1:00 UTC));
        assert!(statement.set(usage(10.0), third));
        assert!(!statement.set(usage(10.0), third), "a repetition changes nothing");
        assert!(statement.set(usage(12.0), fourth) && statement.set(usage(13.0), fourth));
        assert!(statement.set(Usage::new("ltn_2", "basic", "Requests", Amount::from_cents(2), 1.0, "1,000"), fourth));
        assert_eq!(statement.total(), Amount::from_cents(28));
        let values = |now| statement.interim(now).usage.into_iter().map(|metric| metric.day_value).collect::<Vec<_>>();
        assert_eq!(values(fourth), [3.0, 1.0]);
        assert_eq!(values(datetime!(2026-03-05 1:00 UTC)), [0.0, 0.0]);
    }

    #[test]
    fn the_stored_form_is_stable() {
        let mut statement = Statement::new(Period::month_of(datetime!(2026-03-01 0:00 UTC)));
        let usage = Usage::new("ltn_1", "basic", "Requests", Amount::from_cents(2), 3.0, "1,000");
        statement.set(usage, datetime!(2026-03-03 23:00 UTC));
        let expected = serde_json::json!({
            "period": { "start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z" },
            "state": "open", "invoice_id": null, "refunded": false, "is_final": false, "refund": null,
            "lines": [{
                "day": 2_461_103, "before": 0.0,
                "usage": {
                    "resource": "ltn_1", "plan": "basic", "name": "Requests", "price": "0.02", "quantity": 3.0,
                    "units": "1,000", "kind": "interval",
                },
            }],
        });
        assert_eq!(serde_json::to_value(&statement).unwrap(), expected);
    }
}
