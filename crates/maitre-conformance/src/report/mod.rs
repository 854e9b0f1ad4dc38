//! What a run found, and the forms in which it can be read.

mod json;
mod junit;
mod text;

use std::time::Duration;

use maitre_core::manifest::Level;
use serde_json::Value;

use crate::check::Check;
use crate::marketplace::Marketplace;
use crate::verdict::Outcome;

/// What a run found.
///
/// `Display` prints what failed with the exchanges behind it, and one line of figures. Secrets are masked.
///
/// ```
/// use maitre_conformance::{Level, Outcome, Suite};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), maitre_conformance::CannotRun> {
/// let manifest = r#"{ "id": "lantern", "api": { "password": "short", "sso_salt": "nor-would-they-guess-that",
///     "version": "3", "config_vars": ["LANTERN_URL"], "regions": ["us"],
///     "production": { "base_url": "https://lantern.example/heroku/resources", "sso_url": "https://lantern.example/sso" },
///     "test": { "base_url": "http://localhost/heroku/resources", "sso_url": "http://localhost/sso" } } }"#;
/// let suite = Suite::heroku(manifest)?.only(["manifest"]).service(axum::Router::new());
/// let report = suite.run().await?;
///
/// assert!(report.is_conformant(false) && !report.is_conformant(true));
/// let finding = report.failed(Level::Should).next().unwrap();
/// assert_eq!(finding.check.id, "heroku.manifest.secret-strength");
/// let Outcome::Failed(failure) = &finding.outcome else { panic!() };
/// assert_eq!(failure.why, "api.password: It is shorter than 16 characters: draw 32 random ones.");
/// assert_eq!(report.to_json()["figures"]["failed"]["should"], 1);
/// assert!(report.to_junit(true).contains("failures=\"1\""));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// Whose contract was tried.
    pub marketplace: Marketplace,
    /// Where the add-on is.
    pub target: String,
    /// What came of each check, in their order.
    pub findings: Vec<Finding>,
    /// Resources that were made and could not be removed again.
    pub left_behind: Vec<String>,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// How long it took.
    pub took: Duration,
}

/// What came of one check.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// The check.
    pub check: &'static Check,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// How many checks came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// Passed, of every level.
    pub passed: usize,
    /// Failed, where the marketplace demands it.
    pub must: usize,
    /// Failed, where somebody will miss it.
    pub should: usize,
    /// Failed, where it is good to know.
    pub info: usize,
    /// Not tried.
    pub skipped: usize,
}

impl Report {
    pub(crate) fn new(marketplace: Marketplace, target: String) -> Self {
        let (findings, left_behind) = (Vec::new(), Vec::new());
        Self { marketplace, target, findings, left_behind, interrupted: false, took: Duration::ZERO }
    }

    /// What failed, of this level and above.
    pub fn failed(&self, at_least: Level) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |finding| finding.check.level >= at_least && finding.outcome.failure().is_some())
    }

    /// Whether the add-on keeps the contract: the run came to its end, and nothing failed that must be so. With
    /// `strict`, nothing that should be so either.
    #[must_use]
    pub fn is_conformant(&self, strict: bool) -> bool {
        let level = if strict { Level::Should } else { Level::Must };
        !self.interrupted && self.left_behind.is_empty() && self.failed(level).next().is_none()
    }

    /// How many checks came to what.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let mut figures = Figures::default();
        for finding in &self.findings {
            let place = match (&finding.outcome, finding.check.level) {
                (Outcome::Passed, _) => &mut figures.passed,
                (Outcome::Skipped(_), _) => &mut figures.skipped,
                (Outcome::Failed(_), Level::Must) => &mut figures.must,
                (Outcome::Failed(_), Level::Should) => &mut figures.should,
                (Outcome::Failed(_), _) => &mut figures.info,
            };
            *place += 1;
        }
        figures
    }

    /// The report for machines. Its keys stay; new ones may come.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json::write(self)
    }

    /// The report as JUnit XML, as continuous integration reads it: what must be so and is not is a failure, what should
    /// be so is one with `strict`, and printed beside a passed test otherwise.
    #[must_use]
    pub fn to_junit(&self, strict: bool) -> String {
        junit::write(self, strict)
    }
}
