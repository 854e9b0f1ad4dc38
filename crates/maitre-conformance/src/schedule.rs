//! Order of the checks: which run separately, which concurrently, and which again.
//!
//! Most checks only use resources that they create themselves, so they run concurrently, on several workers. A check that
//! fails beside others runs again separately, and only that counts: the outcome does not depend on the order, and an add-on that
//! serves one request at a time is not blamed. Checks whose outcome depends on other requests run separately from the beginning.
//! If one of these fails, the add-on mixes up resources or requests, and no check runs concurrently.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::abbreviate::abbreviated;
use crate::check::Case;
use crate::error::SetupError;
use crate::level::Level;
use crate::report::{CheckResult, Report};
use crate::run::{CheckTarget, Observer};
use crate::select::Selection;
use crate::verdict::{Failure, Outcome, Stop, Verdict};

/// Number of consecutive checks without a response from the add-on after which the remaining checks are skipped.
const MAX_UNREACHABLE: usize = 3;

/// Upper limit of the timeout of a request during cleanup.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(25);

/// Runs the selected checks until `stop` completes, on this number of workers.
pub(crate) async fn run<T: CheckTarget>(
    target: &T,
    cases: impl Iterator<Item = &'static Case<T>>,
    selection: &Selection,
    jobs: usize,
    observer: &Observer,
    stop: impl Future<Output = ()>,
) -> Result<Report, SetupError> {
    let start = Instant::now();
    let mut stop = pin!(stop);
    let cases: Vec<_> = cases.filter(|case| selection.includes(&case.check)).collect();
    let is_offline = cases.iter().all(|case| T::is_offline(&case.check));
    let setup = tokio::select! {
        setup = async { if is_offline { Ok(()) } else { target.setup().await } } => Some(setup),
        () = &mut stop => None,
    };
    target.wire().take_exchanges();
    target.wire().take_unreachable();
    let mut report = Report::new(T::MARKETPLACE, target.url());
    if let Some(Err(error)) = setup {
        target.teardown().await;
        clean_up(target).await;
        return Err(error);
    }
    report.interrupted = setup.is_none();
    let schedule = Schedule::new(target, cases, selection, observer, jobs);
    if !report.interrupted {
        let mut running = pin!(schedule.run());
        tokio::select! {
            () = &mut running => {}
            () = &mut stop => {
                report.interrupted = true;
                schedule.stopped.send_replace(true);
                running.await;
            }
        }
    }
    (report.results, report.left_behind) = schedule.end().await;
    report.duration = start.elapsed();
    Ok(report)
}

struct Schedule<'a, T: CheckTarget> {
    target: &'a T,
    /// Targets of the other workers. Without any, the checks run one after the other, in the order of the registry.
    forks: Vec<T>,
    cases: Vec<&'static Case<T>>,
    selection: &'a Selection,
    observer: &'a Observer,
    /// Results by position in `cases`.
    results: Mutex<Vec<Option<CheckResult>>>,
    left_behind: Mutex<Vec<String>>,
    /// Number of consecutive checks without a response.
    unreachable: AtomicUsize,
    /// Whether the run was stopped. Checks end immediately; the removal of their resources does not.
    stopped: watch::Sender<bool>,
}

impl<'a, T: CheckTarget> Schedule<'a, T> {
    fn new(
        target: &'a T,
        cases: Vec<&'static Case<T>>,
        selection: &'a Selection,
        observer: &'a Observer,
        jobs: usize,
    ) -> Self {
        let concurrent = cases.iter().filter(|case| !case.is_alone).count();
        let forks = (1..jobs.min(concurrent)).map_while(|_| target.fork()).collect();
        let results = Mutex::new(cases.iter().map(|_| None).collect());
        let (left_behind, unreachable, stopped) = (Mutex::default(), AtomicUsize::new(0), watch::Sender::new(false));
        Self { target, forks, cases, selection, observer, results, left_behind, unreachable, stopped }
    }

    /// Runs all checks, until the run is stopped.
    async fn run(&self) {
        let all: Vec<_> = (0..self.cases.len()).collect();
        if !self.forks.is_empty() {
            let (concurrent, alone) = all.iter().partition(|position| !self.cases[**position].is_alone);
            self.one_by_one(alone).await;
            if self.is_orderly() && self.unreachable.load(Ordering::Relaxed) == 0 {
                self.concurrently(concurrent).await;
            }
        }
        let left = all.into_iter().filter(|position| lock(&self.results)[*position].is_none()).collect();
        self.one_by_one(left).await;
    }

    /// Returns whether the checks that ran separately show nothing that makes others depend on each other.
    fn is_orderly(&self) -> bool {
        lock(&self.results).iter().flatten().all(|result| {
            let is_failed_must = result.check.level == Level::Must && result.outcome.failure().is_some();
            !is_failed_must && result.cause().is_none()
        })
    }

    async fn one_by_one(&self, positions: Vec<usize>) {
        for position in positions {
            let case = self.cases[position];
            if self.unreachable.load(Ordering::Relaxed) >= MAX_UNREACHABLE {
                let outcome = Outcome::Skipped("the add-on no longer responds".to_owned());
                self.finish(position, CheckResult { check: &case.check, outcome, duration: Duration::ZERO });
                continue;
            }
            let Some(result) = self.execute(self.target, case).await else { return };
            let unreachable = self.unreachable.load(Ordering::Relaxed) + 1;
            let unreachable = if self.target.wire().take_unreachable() { unreachable } else { 0 };
            self.unreachable.store(unreachable, Ordering::Relaxed);
            self.finish(position, result);
        }
    }

    /// Runs checks on all workers. Stores the results that count, and leaves the other checks without a result.
    async fn concurrently(&self, positions: Vec<usize>) {
        let (next, unreachable) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let worker = async |target: &T| {
            while unreachable.load(Ordering::Relaxed) < MAX_UNREACHABLE {
                let Some(position) = positions.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                let Some(result) = self.execute(target, self.cases[*position]).await else { break };
                if target.wire().take_unreachable() {
                    unreachable.fetch_add(1, Ordering::Relaxed);
                } else if !result.is_doubtful() {
                    self.finish(*position, result);
                }
            }
        };
        let workers = std::iter::once(self.target).chain(&self.forks).map(worker);
        futures_util::future::join_all(workers).await;
        // the workers' shared resources are not needed any longer
        for fork in &self.forks {
            fork.teardown().await;
            self.clean_up(fork).await;
        }
    }

    fn finish(&self, position: usize, result: CheckResult) {
        (self.observer.on_result)(&result);
        lock(&self.results)[position] = Some(result);
    }

    /// Runs one check, and removes its resources. Returns `None` if the run is stopped.
    async fn execute(&self, target: &T, case: &'static Case<T>) -> Option<CheckResult> {
        if *self.stopped.borrow() {
            return None;
        }
        (self.observer.on_start)(&case.check);
        let start = Instant::now();
        target.take_reused();
        let mut result = self.attempt(target, case, start).await;
        if result.as_ref().is_some_and(CheckResult::is_doubtful) && target.take_reused() {
            // an earlier check may have damaged the shared resource: only the outcome with a new one counts
            target.teardown().await;
            self.clean_up(target).await;
            result = self.attempt(target, case, start).await;
        }
        if result.as_ref().is_none_or(|result| result.outcome.failure().is_some()) {
            target.teardown().await;
        }
        self.clean_up(target).await;
        result
    }

    /// Runs one check. Returns `None` if the run is stopped before its end.
    async fn attempt(&self, target: &T, case: &'static Case<T>, start: Instant) -> Option<CheckResult> {
        let mut stopped = self.stopped.subscribe();
        tokio::select! {
            outcome = self.outcome(target, case) => {
                Some(CheckResult { check: &case.check, outcome, duration: start.elapsed() })
            }
            _ = stopped.wait_for(|stopped| *stopped) => None,
        }
    }

    async fn outcome(&self, target: &T, case: &'static Case<T>) -> Outcome {
        let check = &case.check;
        if let Some(reason) = target.blocked(check) {
            return Outcome::Skipped(reason);
        }
        if check.slow && !self.selection.includes_slow(check) {
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

    async fn clean_up(&self, target: &T) {
        let left = clean_up(target).await;
        lock(&self.left_behind).extend(left);
    }

    /// Removes all resources. Returns the results in the order of the registry, and what could not be removed.
    async fn end(self) -> (Vec<CheckResult>, Vec<String>) {
        for target in std::iter::once(self.target).chain(&self.forks) {
            target.teardown().await;
            self.clean_up(target).await;
        }
        let results = self.results.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut left_behind = self.left_behind.into_inner().unwrap_or_else(PoisonError::into_inner);
        left_behind.sort();
        left_behind.dedup();
        (results.into_iter().flatten().collect(), left_behind)
    }
}

/// Removes the resources that are not kept. Returns a description of each that could not be removed.
async fn clean_up<T: CheckTarget>(target: &T) -> Vec<String> {
    let wire = target.wire();
    let timeout = wire.timeout().min(CLEANUP_TIMEOUT);
    wire.wait_until_answered(timeout).await;
    wire.created().remove_all(timeout).await
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
