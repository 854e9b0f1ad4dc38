//! Conclusion of a run: what was tried, what was not, and where to begin.

use std::fmt::Write as _;

use super::{CheckResult, Report, threshold};
use crate::check::Check;
use crate::level::Level;
use crate::registry::{self, checks};
use crate::verdict::Outcome;

/// Conclusion of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Conclusion {
    /// The add-on is conformant, as far as it was tested.
    Conformant,
    /// A check failed.
    Nonconformant,
    /// Created resources could not be deleted, or it is not known whether they were.
    ResourcesLeft,
    /// No check was tried, or a selected check was skipped although the check that it builds on did not fail in this run.
    Untested,
    /// The run was stopped before its end.
    Interrupted,
}

impl Conclusion {
    /// Returns the name in JSON reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Conformant => "conformant",
            Self::Nonconformant => "nonconformant",
            Self::ResourcesLeft => "resources_left",
            Self::Untested => "untested",
            Self::Interrupted => "interrupted",
        }
    }
}

impl CheckResult {
    /// Returns the check because of which this one was skipped: what this check builds on does not work.
    #[must_use]
    pub fn cause(&self) -> Option<&'static Check> {
        let Outcome::Skipped(reason) = &self.outcome else { return None };
        let (_, rest) = reason.rsplit_once("(see ")?;
        let id = rest.split(')').next()?;
        registry::find(id)
    }

    /// Returns whether other checks may have caused the outcome: the add-on refused something, did not answer, or what the
    /// check builds on did not work. Nothing makes an add-on accept what it must refuse.
    pub(crate) fn is_doubtful(&self) -> bool {
        match self.outcome.failure() {
            Some(failure) => failure.exchange().and_then(|exchange| exchange.status).is_none_or(|status| status >= 400),
            None => self.cause().is_some(),
        }
    }

    fn is_tried(&self) -> bool {
        !matches!(self.outcome, Outcome::Skipped(_))
    }
}

impl Report {
    /// Returns the conclusion of the run. With `strict`, a failed check of level should makes the add-on nonconformant.
    #[must_use]
    pub fn conclusion(&self, strict: bool) -> Conclusion {
        if self.interrupted {
            Conclusion::Interrupted
        } else if self.failed(threshold(strict)).next().is_some() {
            Conclusion::Nonconformant
        } else if self.tried() == 0 || self.blocked().next().is_some() {
            Conclusion::Untested
        } else if self.left_behind.is_empty() {
            Conclusion::Conformant
        } else {
            Conclusion::ResourcesLeft
        }
    }

    /// Returns the number of checks that were tried, whether they passed or failed.
    #[must_use]
    pub fn tried(&self) -> usize {
        self.results.iter().filter(|result| result.is_tried()).count()
    }

    /// Returns the skipped checks whose cause did not fail in this run, usually because it was not selected.
    pub fn blocked(&self) -> impl Iterator<Item = &CheckResult> {
        self.results.iter().filter(|result| {
            let cause = result.cause().map(|cause| self.first_cause(cause));
            cause.is_some_and(|cause| self.result(cause).is_none_or(|result| result.outcome.failure().is_none()))
        })
    }

    /// Returns the failure to fix first, and the number of checks that were skipped because of it.
    #[must_use]
    pub fn begin_with(&self) -> Option<(&CheckResult, usize)> {
        let failed = self.failed(Level::Info).filter_map(|result| {
            let causes = self.results.iter().filter_map(CheckResult::cause);
            let count = causes.filter(|cause| self.first_cause(cause).id == result.check.id).count();
            (count > 0).then_some((result, count))
        });
        failed.reduce(|most, next| if next.1 > most.1 { next } else { most })
    }

    fn result(&self, check: &Check) -> Option<&CheckResult> {
        self.results.iter().find(|result| result.check.id == check.id)
    }

    /// Follows the causes of skipped checks to the first one.
    fn first_cause(&self, cause: &'static Check) -> &'static Check {
        let mut first = cause;
        for _ in 0..8 {
            match self.result(first).and_then(CheckResult::cause) {
                Some(earlier) => first = earlier,
                None => break,
            }
        }
        first
    }

    /// Returns the closing sentences of the report: the conclusion, how many checks were tried, and which were not.
    #[must_use]
    pub fn verdict(&self, strict: bool) -> String {
        let contract = self.marketplace.contract();
        let (tried, total) = (self.tried(), checks(self.marketplace).count());
        let mut text = match self.conclusion(strict) {
            Conclusion::Conformant => {
                format!(
                    "This add-on conforms to {contract}, as far as it was tested: {tried} of {total} checks were tried."
                )
            }
            Conclusion::Nonconformant => {
                format!("This add-on does not conform to {contract}. {tried} of {total} checks were tried.")
            }
            Conclusion::ResourcesLeft => format!(
                "{} created resources could not be deleted, or may still exist. {tried} of {total} checks were tried.",
                self.left_behind.len()
            ),
            Conclusion::Untested if tried == 0 => format!("Nothing was tested: {}.", self.untested()),
            Conclusion::Untested => format!(
                "This add-on was not tested completely: {}. {tried} of {total} checks were tried.",
                self.untested()
            ),
            Conclusion::Interrupted => {
                format!("The run was interrupted. {tried} of {total} checks were tried.")
            }
        };
        let not_tried = self.not_tried(total);
        if tried > 0 && !not_tried.is_empty() {
            let _ = write!(text, " Not tried: {not_tried}.");
        }
        text
    }

    fn untested(&self) -> String {
        let Some(blocked) = self.blocked().next() else {
            return match self.results.iter().map(|result| &result.outcome).next() {
                Some(Outcome::Skipped(reason)) => {
                    format!("every selected check was skipped, the first because {reason}")
                }
                _ => "no check was run".to_owned(),
            };
        };
        let (count, all) = (self.blocked().count(), self.results.len());
        let Some(cause) = blocked.cause().map(|cause| self.first_cause(cause)) else { return String::new() };
        let state = match self.result(cause) {
            None => "which was not selected: run it, too",
            Some(_) => "which did not fail itself: run the checks again",
        };
        format!("{count} of {all} selected checks were skipped because of {}, {state}", cause.id)
    }

    /// Lists the checks that were skipped, by group, and counts those that were not selected.
    fn not_tried(&self, total: usize) -> String {
        let mut groups: Vec<(&str, usize)> = Vec::new();
        for result in self.results.iter().filter(|result| !result.is_tried()) {
            match groups.iter_mut().find(|(group, _)| *group == result.check.group()) {
                Some((_, count)) => *count += 1,
                None => groups.push((result.check.group(), 1)),
            }
        }
        let mut parts: Vec<_> = groups.iter().map(|(group, count)| format!("{count} of {group}")).collect();
        let unselected = total.saturating_sub(self.results.len());
        if unselected > 0 && !self.interrupted {
            parts.push(format!("{unselected} that were not selected"));
        }
        parts.join(", ")
    }
}
