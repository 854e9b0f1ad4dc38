//! Databases, a scripted vendor, and shorthand for requests.

mod app_process;
mod child;
mod database;
mod hooks;
mod requests;
mod vendor;
mod worker;

pub(crate) use app_process::{LEASE, serve_if_child, start_process, start_process_with_lease};
pub(crate) use child::{ChildProcess, serve_commands};
pub(crate) use database::{Database, KEY, OTHER_KEY};
pub(crate) use hooks::{COMPLETION_DEADLINE, HookResult, HookedApp, RecordingHooks};
pub(crate) use requests::{
    Answer, Describe, addon, adoptions, basic, bind, deprovision, key, plan_change, provision, replies, sign_on,
    sold_key, unbind, update,
};
pub(crate) use vendor::{Act, Gate, Vendor};
pub(crate) use worker::{RandomNumbers, RunningWorker, SimulatedProcess, worker};

use std::future::Future;
use std::time::Duration;

/// Timeout of waits; long enough for anything that is not broken.
pub(crate) const DEADLINE: Duration = Duration::from_mins(3);

/// `short`, or `long` when `MAITRE_LONG` is set.
pub(crate) fn short_or_long(short: usize, long: usize) -> usize {
    if std::env::var_os("MAITRE_LONG").is_some() { long } else { short }
}

/// Polls until the condition is true.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let end = tokio::time::Instant::now() + DEADLINE;
    while !is_so().await {
        assert!(tokio::time::Instant::now() < end, "timed out waiting until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Returns the future's output, or panics after [`DEADLINE`].
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let Ok(output) = tokio::time::timeout(DEADLINE, future).await else { panic!("timed out waiting for {what}") };
    output
}
