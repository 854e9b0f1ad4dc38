//! The two ports between a ledger and a marketplace's own API: what the one asks of the other.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;

use crate::addon::AddonId;
use crate::backend::BoxFuture;
use crate::failure::{FailureKind, Result};
use crate::replies::ConfigVars;
use crate::requests::{Provision, ResourceId};

/// What a marketplace wants beside an operation and after it: grants exchanged at once, and to be told when something is
/// done that it was told would be done later.
///
/// A ledger calls it; the crate of a marketplace's API implements it. Every method may be called again with the same
/// arguments, also by another process, and must then end in the same state. Of its failures
/// [`Unavailable`](FailureKind::Unavailable) means to try again later, [`Gone`](FailureKind::Gone) and
/// [`Unknown`](FailureKind::Unknown) that the marketplace does not know the resource any more, and every other that a
/// person has to look.
pub trait PlatformHooks: Send + Sync + 'static {
    /// What cannot wait until a provision is done: written down together with it, and run beside it.
    fn provision_job(&self, provision: &Provision) -> Option<Job>;

    /// Runs an errand, one of its own.
    fn run_job<'a>(&'a self, addon: &'a AddonId, errand: &'a Job) -> BoxFuture<'a, Result<JobOutcome>>;

    /// Tells the marketplace what came of an operation of which it was told that it is done later.
    fn notify<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        outcome: Completion<'a>,
    ) -> BoxFuture<'a, Result<()>>;

    /// How long the marketplace waits to be told, before it gives the resource up (Heroku: 12 h).
    fn completion_deadline(&self) -> Duration;
}

/// What came of an operation that was accepted.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Completion<'a> {
    /// The resource is there, with these config vars.
    Provisioned(&'a ConfigVars),
    /// It could not be made, and nobody tries any more.
    ProvisionFailed(FailureKind),
    /// The plan has changed, and these config vars with it.
    PlanChanged(&'a ConfigVars),
    /// The plan stays as it was.
    PlanChangeFailed(FailureKind),
    /// The resource is removed.
    Deprovisioned,
}

/// A small piece of work that is written down and done soon, in this process or another, once more if need be.
///
/// ```
/// use maitre_core::Job;
///
/// let errand = Job::new("grant", "7b0c9c1e", b"a secret".to_vec()).with_resource("7b0c9c1e");
/// assert!(!format!("{errand:?}").contains("secret"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Job {
    /// What has to be done; each marketplace has its own words.
    pub kind: String,
    /// Its name: a second errand of the same kind and name is the same one.
    pub name: String,
    /// The resource that it is about, if there is one. It ends with it.
    pub resource: Option<ResourceId>,
    /// What it needs to know; secret.
    pub payload: Vec<u8>,
    /// How long it rests before it is run.
    pub delay: Duration,
    /// When it is too late for it.
    pub deadline: Option<OffsetDateTime>,
}

impl Job {
    /// An errand to be run at once.
    pub fn new(kind: impl Into<String>, name: impl Into<String>, payload: Vec<u8>) -> Self {
        Self { kind: kind.into(), name: name.into(), resource: None, payload, delay: Duration::ZERO, deadline: None }
    }

    /// About this resource.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<ResourceId>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// To be run after a rest.
    #[must_use]
    pub fn with_delay(mut self, rest: Duration) -> Self {
        self.delay = rest;
        self
    }

    /// Too late after this.
    #[must_use]
    pub fn with_deadline(mut self, end: OffsetDateTime) -> Self {
        self.deadline = Some(end);
        self
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("kind", &self.kind).field("resource", &self.resource).finish_non_exhaustive()
    }
}

/// What became of an errand.
#[derive(Clone)]
#[non_exhaustive]
pub enum JobOutcome {
    /// It is done.
    Complete,
    /// A step of it is done. After a rest the next one is run, which gets this payload.
    Snooze(Duration, Vec<u8>),
}

impl fmt::Debug for JobOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => f.write_str("Complete"),
            Self::Snooze(rest, _) => f.debug_tuple("Snooze").field(rest).finish_non_exhaustive(),
        }
    }
}

/// What a marketplace's API keeps in a ledger: sealed values about resources, errands, and a hold that one process has at
/// a time.
///
/// A ledger implements it. All of it is shared by all processes on its database, and values go with their resource.
pub trait PlatformStore: Send + Sync + 'static {
    /// A value about a resource.
    fn read<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredValue>>>;

    /// Writes a value, if the one that is there has this version; 0 where there must be none. Says whether it was
    /// written.
    fn write<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
        value: &'a [u8],
        expected_version: i64,
    ) -> BoxFuture<'a, Result<bool>>;

    /// Takes the hold of this name for a time, if nobody has it. Says whether it was free.
    fn try_lock<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
        length: Duration,
    ) -> BoxFuture<'a, Result<bool>>;

    /// Gives a hold back that this process has.
    fn unlock<'a>(&'a self, addon: &'a AddonId, resource: &'a ResourceId, name: &'a str) -> BoxFuture<'a, Result<()>>;

    /// Writes an errand down. Says whether it is new.
    fn enqueue<'a>(&'a self, addon: &'a AddonId, errand: Job) -> BoxFuture<'a, Result<bool>>;

    /// Changes config vars in the answer that a resource's provision is given when it is asked for again.
    fn update_config<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        config: &'a ConfigVars,
    ) -> BoxFuture<'a, Result<bool>>;

    /// Resources of an add-on by their keys, in the order of these, those behind `after`, at most so many.
    fn resources<'a>(
        &'a self,
        addon: &'a AddonId,
        after: Option<&'a str>,
        at_most: u32,
    ) -> BoxFuture<'a, Result<Vec<ResourceSummary>>>;
}

/// A value in the records.
#[derive(Clone)]
#[non_exhaustive]
pub struct StoredValue {
    /// What was written; secret.
    pub value: Vec<u8>,
    /// Grows with every write; 1 for the first.
    pub version: i64,
}

impl StoredValue {
    /// A value as it was read.
    #[must_use]
    pub fn new(value: Vec<u8>, version: i64) -> Self {
        Self { value, version }
    }
}

impl fmt::Debug for StoredValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredValue").field("version", &self.version).finish_non_exhaustive()
    }
}

/// A resource in the records.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceSummary {
    /// What the marketplace calls it.
    pub resource: ResourceId,
    /// What the vendor calls it, where that is another name than its key.
    pub provider_id: Option<String>,
    /// Its plan.
    pub plan: Option<String>,
    /// Whether it is there: provisioned, and not being removed.
    pub lives: bool,
    /// Whether it was removed.
    pub removed: bool,
}

impl ResourceSummary {
    /// A resource by its key, of which nothing else is known.
    pub fn new(resource: impl Into<ResourceId>) -> Self {
        Self { resource: resource.into(), provider_id: None, plan: None, lives: false, removed: false }
    }
}
