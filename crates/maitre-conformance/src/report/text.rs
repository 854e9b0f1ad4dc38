//! Report as plain text, without colors.

use std::fmt;

use super::{CheckResult, Report, Summary};
use crate::level::Level;
use crate::verdict::{Exchange, Failure, Outcome};

/// Maximum line width of wrapped text, in characters.
const WIDTH: usize = 100;

/// Maximum number of earlier exchanges listed before the one that shows the fault.
const MAX_EARLIER: usize = 6;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for result in self.failed(Level::Info) {
            writeln!(f, "{result}")?;
        }
        for resource in &self.left_behind {
            writeln!(f, "left behind: {resource}")?;
        }
        writeln!(f, "{} at {}: {}", self.marketplace, self.url, self.summary())?;
        if let Some((result, count)) = self.begin_with() {
            writeln!(f, "Begin with {}: {count} checks were skipped because of it.", result.check.id)?;
        }
        writeln!(f, "{}", self.verdict(false))
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed_must: must, failed_should: should, failed_info: info, skipped } = self;
        write!(f, "{passed} passed, {} failed ({must} must, {should} should), ", must + should)?;
        write!(f, "{info} notes, {skipped} skipped")
    }
}

impl fmt::Display for CheckResult {
    /// Prints the outcome; for a failure or a note also the rule, the observed behavior, the advice and the exchanges.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let check = self.check;
        match &self.outcome {
            Outcome::Passed => write!(f, "passed   {}", check.id),
            Outcome::Skipped(reason) => write!(f, "skipped  {}: {reason}", check.id),
            Outcome::Failed(failure) => {
                let label = if check.level == Level::Info { "note  " } else { "FAILED" };
                writeln!(f, "{label}   {} ({})", check.id, check.level)?;
                wrapped(f, "rule", check.requirement)?;
                wrapped(f, "source", &check.citation.to_string())?;
                write!(f, "{failure}")
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        wrapped(f, "actual", &self.message)?;
        wrapped(f, "fix", &self.advice)?;
        let evidence = self.evidence.unwrap_or(self.exchanges.len());
        let earlier = &self.exchanges[..evidence.min(self.exchanges.len())];
        let omitted = earlier.len().saturating_sub(MAX_EARLIER);
        if omitted > 0 {
            writeln!(f, "  before {omitted} more")?;
        }
        for exchange in &earlier[omitted..] {
            writeln!(f, "  before {}", ExchangeSummary(exchange))?;
        }
        if let Some(exchange) = self.exchange() {
            writeln!(f)?;
            for line in exchange.text.lines() {
                writeln!(f, "{}", format!("    {line}").trim_end())?;
            }
        }
        Ok(())
    }
}

/// Prints a labeled text, wrapped at [`WIDTH`].
fn wrapped(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    let mut remaining = WIDTH;
    write!(f, "  {label:<6}")?;
    for word in text.split_whitespace() {
        let length = word.chars().count() + 1;
        if length > remaining && remaining < WIDTH {
            write!(f, "\n        ")?;
            remaining = WIDTH;
        }
        write!(f, " {word}")?;
        remaining = remaining.saturating_sub(length);
    }
    writeln!(f)
}

struct ExchangeSummary<'e>(&'e Exchange);

impl fmt::Display for ExchangeSummary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.status {
            Some(status) => write!(f, "{} → {status}", self.0.request_line),
            None => write!(f, "{} → no response", self.0.request_line),
        }
    }
}
