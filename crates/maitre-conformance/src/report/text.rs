//! For people, without colours.

use std::fmt;

use maitre_core::manifest::Level;

use super::{Figures, Finding, Report};
use crate::verdict::{Exchange, Failure, Outcome};

/// How many characters of a text stand in a line.
const WIDTH: usize = 100;

/// As many earlier exchanges are listed before the one that shows the fault.
const EARLIER: usize = 6;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in self.failed(Level::Info) {
            writeln!(f, "{finding}")?;
        }
        for left in &self.left_behind {
            writeln!(f, "left behind: {left}")?;
        }
        if self.interrupted {
            writeln!(f, "stopped before its end")?;
        }
        writeln!(f, "{} at {}: {}", self.marketplace, self.target, self.figures())
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, must, should, info, skipped } = self;
        write!(f, "{passed} passed, {} failed ({must} must, {should} should, {info} info), ", must + should + info)?;
        write!(f, "{skipped} skipped")
    }
}

impl fmt::Display for Finding {
    /// Of a failure: what is wrong, what to do, and the exchanges that show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let check = self.check;
        match &self.outcome {
            Outcome::Passed => write!(f, "passed   {}", check.id),
            Outcome::Skipped(reason) => write!(f, "skipped  {}: {reason}", check.id),
            Outcome::Failed(failure) => {
                writeln!(f, "FAILED   {} ({})", check.id, check.level)?;
                line(f, "rule", check.sentence)?;
                line(f, "from", &check.clause.to_string())?;
                write!(f, "{failure}")
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "seen", &self.why)?;
        line(f, "to do", &self.advice)?;
        let shown = self.shown_by.unwrap_or(self.exchanges.len());
        let earlier = &self.exchanges[..shown.min(self.exchanges.len())];
        let skipped = earlier.len().saturating_sub(EARLIER);
        if skipped > 0 {
            writeln!(f, "  before {skipped} more")?;
        }
        for exchange in &earlier[skipped..] {
            writeln!(f, "  before {}", Short(exchange))?;
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

/// A labelled text, in lines that fit.
fn line(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    let mut room = WIDTH;
    write!(f, "  {label:<6}")?;
    for word in text.split_whitespace() {
        let length = word.chars().count() + 1;
        if length > room && room < WIDTH {
            write!(f, "\n        ")?;
            room = WIDTH;
        }
        write!(f, " {word}")?;
        room = room.saturating_sub(length);
    }
    writeln!(f)
}

struct Short<'e>(&'e Exchange);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.status {
            Some(status) => write!(f, "{} → {status}", self.0.line),
            None => write!(f, "{} → no answer looked at", self.0.line),
        }
    }
}
