//! Interface of a run to the add-on under test and to the caller.

use crate::check::{Capability, Check};
use crate::error::SetupError;
use crate::marketplace::Marketplace;
use crate::report::CheckResult;
use crate::wire::Wire;

/// The add-on under test, as one marketplace calls it.
pub(crate) trait CheckTarget: Sized + Send + Sync + 'static {
    const MARKETPLACE: Marketplace;

    fn wire(&self) -> &Wire;

    /// Returns the add-on's URL, for the report.
    fn url(&self) -> String;

    /// Returns the same add-on for another worker, with resources of its own, after [`setup`](Self::setup). Returns `None` if
    /// the checks run one after the other.
    fn fork(&self) -> Option<Self> {
        None
    }

    /// Returns the reason to skip a check that needs this capability, or `None` if the target has it.
    fn lacks(&self, capability: Capability) -> Option<String>;

    /// Returns whether the check sends no requests, and so does not need [`setup`](Self::setup).
    fn is_offline(check: &Check) -> bool;

    /// Returns the reason to skip a check because of what the first requests showed.
    fn blocked(&self, check: &Check) -> Option<String>;

    /// Sends the first requests, which determine the add-on's capabilities.
    fn setup(&self) -> impl Future<Output = Result<(), SetupError>> + Send;

    /// Returns whether a check used a resource of an earlier check since the last call. That check may have damaged it.
    fn take_reused(&self) -> bool {
        false
    }

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
