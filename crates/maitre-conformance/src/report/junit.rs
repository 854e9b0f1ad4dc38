//! Report as JUnit XML.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::{CheckResult, Conclusion, Report, threshold};
use crate::level::Level;
use crate::verdict::Outcome;

pub(super) fn write(report: &Report, strict: bool) -> String {
    let name = format!("maitre check {}", report.marketplace);
    let mut suite = TestSuite::new(&name);
    suite.set_time(report.duration);
    suite.add_test_cases(report.results.iter().map(|result| test_case(result, threshold(strict))));
    let conclusion = report.conclusion(strict);
    if matches!(conclusion, Conclusion::Interrupted | Conclusion::Untested) {
        suite.add_test_case(error_case(conclusion.name(), &report.verdict(strict)));
    }
    if !report.left_behind.is_empty() {
        suite.set_system_err(format!("left behind: {}", report.left_behind.join(", ")));
    }
    let mut junit = quick_junit::Report::new(name);
    junit.set_time(report.duration);
    text(junit, suite)
}

/// Returns the report of a run that could not start.
pub(crate) fn error(name: &str, message: &str) -> String {
    let mut suite = TestSuite::new("maitre check");
    suite.add_test_case(error_case(name, message));
    text(quick_junit::Report::new("maitre check"), suite)
}

fn error_case(name: &str, message: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(message);
    let mut case = TestCase::new(name, status);
    case.set_classname("maitre");
    case
}

fn text(mut junit: quick_junit::Report, suite: TestSuite) -> String {
    junit.add_test_suite(suite);
    junit.to_string().unwrap_or_default() // writing to memory does not fail
}

fn test_case(result: &CheckResult, threshold: Level) -> TestCase {
    let check = result.check;
    let status = match &result.outcome {
        Outcome::Skipped(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason);
            status
        }
        Outcome::Failed(failure) if check.level >= threshold => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(check.level.name()).set_message(&failure.message).set_description(result.to_string());
            status
        }
        Outcome::Passed | Outcome::Failed(_) => TestCaseStatus::success(),
    };
    let name = check.id.rsplit('.').next().unwrap_or(check.id);
    let mut case = TestCase::new(name, status);
    case.set_classname(check.group()).set_time(result.duration);
    if result.outcome.failure().is_some() && check.level < threshold {
        case.set_system_out(result.to_string());
    }
    case
}
