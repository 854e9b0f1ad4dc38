//! Durable background jobs.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;

use crate::ids::ResourceId;

/// A durable background job, run at least once by any process.
///
/// ```
/// use maitre_core::Job;
///
/// let job = Job::new("grant", "7b0c9c1e", b"a secret".to_vec()).with_resource("7b0c9c1e");
/// assert!(!format!("{job:?}").contains("secret"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Job {
    /// Kind of the job, defined by the marketplace's crate.
    pub kind: String,
    /// Name of the job. A second job of the same kind and name is the same job.
    pub name: String,
    /// Resource of the job, if any. The job is deleted with its resource.
    pub resource: Option<ResourceId>,
    /// Arguments of the job; secret.
    pub payload: Vec<u8>,
    /// Delay before the first run.
    pub delay: Duration,
    /// Time after which the job is useless.
    pub deadline: Option<OffsetDateTime>,
}

impl Job {
    /// Creates a job that is due immediately.
    pub fn new(kind: impl Into<String>, name: impl Into<String>, payload: Vec<u8>) -> Self {
        Self { kind: kind.into(), name: name.into(), resource: None, payload, delay: Duration::ZERO, deadline: None }
    }

    /// Sets the resource.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<ResourceId>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Sets the delay before the first run.
    #[must_use]
    pub fn with_delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets the time after which the job is useless.
    #[must_use]
    pub fn with_deadline(mut self, deadline: OffsetDateTime) -> Self {
        self.deadline = Some(deadline);
        self
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("kind", &self.kind).field("resource", &self.resource).finish_non_exhaustive()
    }
}

/// Result of a job's run.
#[derive(Clone)]
#[non_exhaustive]
pub enum JobOutcome {
    /// The job is complete.
    Complete,
    /// A step is complete. The next step runs after this delay, with this payload.
    Snooze(Duration, Vec<u8>),
}

impl fmt::Debug for JobOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => f.write_str("Complete"),
            Self::Snooze(delay, _) => f.debug_tuple("Snooze").field(delay).finish_non_exhaustive(),
        }
    }
}
