//! Runs the checks one after the other and deletes the resources that they create.

use std::pin::pin;
use std::time::{Duration, Instant};

use crate::abbreviate::abbreviated;
use crate::check::{Capability, Case, Check};
use crate::error::SetupError;
use crate::marketplace::Marketplace;
use crate::report::{CheckResult, Report};
use crate::select::Selection;
use crate::verdict::{Failure, Outcome, Stop, Verdict};
use crate::wire::Wire;

/// Number of consecutive checks without a response from the add-on after which the remaining checks are skipped.
const MAX_UNREACHABLE: usize = 3;

/// Upper limit of the timeout of a request during cleanup.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(25);

/// The add-on under test, as one marketplace calls it.
pub(crate) trait CheckTarget: Sized + Send + Sync + 'static {
    const MARKETPLACE: Marketplace;

    fn wire(&self) -> &Wire;

    /// Returns the add-on's URL, for the report.
    fn url(&self) -> String;

    /// Returns the reason to skip a check that needs this capability, or `None` if the target has it.
    fn lacks(&self, capability: Capability) -> Option<String>;

    /// Returns whether the check sends no requests, and so does not need [`setup`](Self::setup).
    fn is_offline(check: &Check) -> bool;

    /// Returns the reason to skip a check because of what the first requests showed.
    fn blocked(&self, check: &Check) -> Option<String>;

    /// Sends the first requests, which determine the add-on's capabilities.
    fn setup(&self) -> impl Future<Output = Result<(), SetupError>> + Send;

    /// Releases the resource shared by checks, after a check failed or at the end of the run.
    fn teardown(&self) -> impl Future<Output = ()> + Send;
}

/// Callbacks of a run.
pub(crate) struct Observer {
    pub(crate) on_start: Box<dyn Fn(&'static Check) + Send + Sync>,
    pub(crate) on_result: Box<dyn Fn(&CheckResult) + Send + Sync>,
}

impl Default for Observer {
    fn default() -> Self {
        Self { on_start: Box::new(|_| {}), on_result: Box::new(|_| {}) }
    }
}

pub(crate) async fn run<T: CheckTarget>(
    target: &T,
    groups: &'static [&'static [Case<T>]],
    selection: &Selection,
    observer: &Observer,
    stop: impl Future<Output = ()>,
) -> Result<Report, SetupError> {
    let start = Instant::now();
    let mut stop = pin!(stop);
    let cases = || groups.iter().flat_map(|group| group.iter()).filter(|case| selection.includes(&case.check));
    let is_offline = cases().all(|case| T::is_offline(&case.check));
    let setup = tokio::select! {
        setup = async { if is_offline { Ok(()) } else { target.setup().await } } => Some(setup),
        () = &mut stop => None,
    };
    target.wire().take_exchanges();
    target.wire().take_unreachable();
    let mut report = Report::new(T::MARKETPLACE, target.url());
    match setup {
        Some(Ok(())) => {}
        Some(Err(error)) => {
            finish(target).await;
            return Err(error);
        }
        None => report.interrupted = true,
    }
    let mut unreachable = 0;
    for case in cases() {
        if report.interrupted {
            break;
        }
        (observer.on_start)(&case.check);
        let check_start = Instant::now();
        let outcome = tokio::select! {
            outcome = outcome(target, case, selection, unreachable >= MAX_UNREACHABLE) => outcome,
            () = &mut stop => {
                report.interrupted = true;
                break;
            }
        };
        unreachable = if target.wire().take_unreachable() {
            unreachable + 1
        } else if unreachable < MAX_UNREACHABLE {
            0
        } else {
            unreachable
        };
        let failed = outcome.failure().is_some();
        let result = CheckResult { check: &case.check, outcome, duration: check_start.elapsed() };
        if failed {
            target.teardown().await;
        }
        clean_up(target, &mut report.left_behind).await;
        (observer.on_result)(&result);
        report.results.push(result);
    }
    report.left_behind.extend(finish(target).await);
    report.left_behind.sort();
    report.left_behind.dedup();
    report.duration = start.elapsed();
    Ok(report)
}

async fn outcome<T: CheckTarget>(
    target: &T,
    case: &'static Case<T>,
    selection: &Selection,
    unreachable: bool,
) -> Outcome {
    let check = &case.check;
    if unreachable {
        return Outcome::Skipped("the add-on no longer responds".to_owned());
    }
    if let Some(reason) = target.blocked(check) {
        return Outcome::Skipped(reason);
    }
    if check.slow && !selection.includes_slow(check) {
        return Outcome::Skipped("the check waits for time to pass, and slow checks were not requested".to_owned());
    }
    if let Some(reason) = check.needs.iter().find_map(|capability| target.lacks(*capability)) {
        return Outcome::Skipped(reason);
    }
    let verdict: Verdict = (case.run)(target).await;
    let exchanges = target.wire().take_exchanges();
    match verdict {
        Ok(()) => Outcome::Passed,
        Err(Stop::Skipped(reason)) => Outcome::Skipped(reason),
        Err(Stop::Failed(fault)) => Outcome::Failed(Failure {
            message: abbreviated(&target.wire().masked(&fault.message)).into_owned(),
            advice: fault.advice,
            evidence: fault.exchange.filter(|index| *index < exchanges.len()),
            exchanges,
        }),
    }
}

async fn clean_up<T: CheckTarget>(target: &T, left_behind: &mut Vec<String>) {
    let wire = target.wire();
    let timeout = wire.timeout().min(CLEANUP_TIMEOUT);
    wire.wait_until_answered(timeout).await;
    left_behind.extend(wire.created().remove_all(timeout).await);
}

async fn finish<T: CheckTarget>(target: &T) -> Vec<String> {
    target.teardown().await;
    let mut left_behind = Vec::new();
    clean_up(target, &mut left_behind).await;
    left_behind
}
