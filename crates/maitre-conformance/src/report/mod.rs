//! Report of a run, and its output formats.

mod conclusion;
mod json;
mod junit;
mod text;

pub use self::conclusion::Conclusion;
pub(crate) use self::junit::error as junit_error;

use std::time::Duration;

use serde_json::Value;

use crate::check::Check;
use crate::level::Level;
use crate::marketplace::Marketplace;
use crate::verdict::Outcome;

/// Report of a run.
///
/// `Display` prints the failures with their exchanges, and a summary line. Secrets are masked.
///
/// ```
/// use maitre_conformance::{Level, Outcome, Suite};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), maitre_conformance::SetupError> {
/// let manifest = r#"{ "id": "lantern", "api": { "password": "short", "sso_salt": "unguessable-example-salt",
///     "version": "3", "config_vars": ["LANTERN_URL"], "regions": ["us"],
///     "production": { "base_url": "https://lantern.example/heroku/resources", "sso_url": "https://lantern.example/sso" },
///     "test": { "base_url": "http://localhost/heroku/resources", "sso_url": "http://localhost/sso" } } }"#;
/// let suite = Suite::builder(manifest).only(["manifest"]).service(axum::Router::new()).build()?;
/// let report = suite.run().await?;
///
/// assert!(report.is_conformant(false) && !report.is_conformant(true));
/// let result = report.failed(Level::Should).next().unwrap();
/// assert_eq!(result.check.id, "heroku.manifest.secret-strength");
/// let Outcome::Failed(failure) = &result.outcome else { panic!() };
/// assert_eq!(failure.message, "api.password: Shorter than 16 characters: use 32 random characters.");
/// assert_eq!(report.to_json()["summary"]["failed"]["should"], 1);
/// assert!(report.to_junit(true).contains("failures=\"1\""));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// Marketplace whose contract was checked.
    pub marketplace: Marketplace,
    /// URL of the add-on.
    pub url: String,
    /// Result of each check, in order.
    pub results: Vec<CheckResult>,
    /// Resources that were created and could not be deleted, or of which this is not known.
    pub left_behind: Vec<String>,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// Duration of the run.
    pub duration: Duration,
}

/// Result of one check.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CheckResult {
    /// The check.
    pub check: &'static Check,
    /// Outcome of the check.
    pub outcome: Outcome,
    /// Duration of the check.
    pub duration: Duration,
}

/// Number of checks by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Passed checks of all levels.
    pub passed: usize,
    /// Failed checks of level must.
    pub failed_must: usize,
    /// Failed checks of level should.
    pub failed_should: usize,
    /// Failed checks of level info.
    pub failed_info: usize,
    /// Skipped checks.
    pub skipped: usize,
}

impl Report {
    pub(crate) fn new(marketplace: Marketplace, url: String) -> Self {
        let (results, left_behind) = (Vec::new(), Vec::new());
        Self { marketplace, url, results, left_behind, interrupted: false, duration: Duration::ZERO }
    }

    /// Returns the failed checks of at least this level.
    pub fn failed(&self, at_least: Level) -> impl Iterator<Item = &CheckResult> {
        self.results.iter().filter(move |result| result.check.level >= at_least && result.outcome.failure().is_some())
    }

    /// Returns whether the add-on is conformant: the run completed, something was tested, no resource was left behind, and
    /// no check of level must failed. With `strict`, no check of level should failed either.
    #[must_use]
    pub fn is_conformant(&self, strict: bool) -> bool {
        self.conclusion(strict) == Conclusion::Conformant
    }

    /// Returns the number of checks by outcome.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for result in &self.results {
            let count = match (&result.outcome, result.check.level) {
                (Outcome::Passed, _) => &mut summary.passed,
                (Outcome::Skipped(_), _) => &mut summary.skipped,
                (Outcome::Failed(_), Level::Must) => &mut summary.failed_must,
                (Outcome::Failed(_), Level::Should) => &mut summary.failed_should,
                (Outcome::Failed(_), Level::Info) => &mut summary.failed_info,
            };
            *count += 1;
        }
        summary
    }

    /// Returns the report as JSON. Keys are stable; new ones may be added.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json::write(self)
    }

    /// Returns the report as JUnit XML for continuous integration. A failed check of level must is a failure; a failed
    /// check of level should is a failure with `strict`, and otherwise a passed test with output.
    #[must_use]
    pub fn to_junit(&self, strict: bool) -> String {
        junit::write(self, strict)
    }
}

/// Returns the lowest level whose failures make an add-on nonconformant.
fn threshold(strict: bool) -> Level {
    if strict { Level::Should } else { Level::Must }
}
