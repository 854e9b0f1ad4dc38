//! Trying one check after the other, and leaving nothing behind.

use std::pin::pin;
use std::time::{Duration, Instant};

use crate::check::{Capability, Case, Check};
use crate::error::CannotRun;
use crate::marketplace::Marketplace;
use crate::report::{Finding, Report};
use crate::select::Selection;
use crate::verdict::{Failure, Outcome, Stop, Verdict};
use crate::wire::Wire;

/// How many checks in a row may find the add-on unreachable or silent before the rest is given up.
const LOST: usize = 3;

/// The add-on under test, as one marketplace meets it.
pub(crate) trait Subject: Sized + Send + Sync + 'static {
    const MARKETPLACE: Marketplace;
    /// The checks, group by group, in their order.
    const GROUPS: &'static [&'static [Case<Self>]];

    fn wire(&self) -> &Wire;

    /// Where it is.
    fn target(&self) -> String;

    /// Why a check that needs this cannot be tried; nothing if it can.
    fn lacks(&self, capability: Capability) -> Option<String>;

    /// The first calls, from which the add-on's ways become known.
    fn meet(&self) -> impl Future<Output = Result<(), CannotRun>> + Send;

    /// Gives up what checks share, after one of them failed on it or at the end.
    fn part(&self) -> impl Future<Output = ()> + Send;
}

/// Called with each check before it is tried, and with each finding after.
pub(crate) trait Watcher {
    fn begins(&self, check: &'static Check);
    fn ends(&self, finding: &Finding);
}

pub(crate) async fn run<S: Subject>(
    subject: &S,
    selection: &Selection,
    watcher: &(impl Watcher + ?Sized),
    stop: impl Future<Output = ()>,
) -> Result<Report, CannotRun> {
    let start = Instant::now();
    let mut stop = pin!(stop);
    let met = tokio::select! {
        met = subject.meet() => Some(met),
        () = &mut stop => None,
    };
    subject.wire().take_trace();
    subject.wire().was_lost();
    let mut report = Report::new(S::MARKETPLACE, subject.target());
    match met {
        Some(Ok(())) => {}
        Some(Err(error)) => {
            leave(subject).await;
            return Err(error);
        }
        None => report.interrupted = true,
    }
    let mut lost = 0;
    for case in S::GROUPS.iter().flat_map(|group| group.iter()).filter(|case| selection.takes(&case.check)) {
        if report.interrupted {
            break;
        }
        watcher.begins(&case.check);
        let begun = Instant::now();
        let outcome = tokio::select! {
            outcome = outcome(subject, case, selection, lost >= LOST) => outcome,
            () = &mut stop => {
                report.interrupted = true;
                break;
            }
        };
        lost = if subject.wire().was_lost() {
            lost + 1
        } else if lost < LOST {
            0
        } else {
            lost
        };
        let failed = outcome.failure().is_some();
        let finding = Finding { check: &case.check, outcome, took: begun.elapsed() };
        if failed {
            subject.part().await;
        }
        clear(subject, &mut report.left_behind).await;
        watcher.ends(&finding);
        report.findings.push(finding);
    }
    report.left_behind.extend(leave(subject).await);
    report.left_behind.sort();
    report.left_behind.dedup();
    report.took = start.elapsed();
    Ok(report)
}

async fn outcome<S: Subject>(subject: &S, case: &'static Case<S>, selection: &Selection, lost: bool) -> Outcome {
    let check = &case.check;
    if lost {
        return Outcome::Skipped("the add-on does not answer any more".to_owned());
    }
    if check.slow && !selection.takes_slow(check) {
        return Outcome::Skipped("it waits for time to pass, and slow checks were not asked for".to_owned());
    }
    if let Some(reason) = check.needs.iter().find_map(|capability| subject.lacks(*capability)) {
        return Outcome::Skipped(reason);
    }
    let verdict: Verdict = (case.run)(subject).await;
    let exchanges = subject.wire().take_trace();
    match verdict {
        Ok(()) => Outcome::Passed,
        Err(Stop::Skipped(reason)) => Outcome::Skipped(reason),
        Err(Stop::Failed(fault)) => Outcome::Failed(Failure {
            why: subject.wire().masked(&fault.why),
            advice: fault.advice,
            shown_by: fault.exchange.filter(|number| *number < exchanges.len()),
            exchanges,
        }),
    }
}

async fn clear<S: Subject>(subject: &S, left: &mut Vec<String>) {
    let wire = subject.wire();
    left.extend(wire.made().clear(wire.patience().min(Duration::from_secs(25))).await);
}

async fn leave<S: Subject>(subject: &S) -> Vec<String> {
    subject.part().await;
    let mut left = Vec::new();
    clear(subject, &mut left).await;
    left
}
