//! Kinds of operations, and their outcome and state.

use std::fmt;

use crate::failure::FailureKind;

/// Kind of a request to a [`Backend`](crate::Backend).
///
/// ```
/// use maitre_core::OperationKind;
///
/// assert_eq!(OperationKind::PlanChange.to_string(), "plan_change");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    /// [`Backend::provision`](crate::Backend::provision).
    Provision,
    /// [`Backend::plan_change`](crate::Backend::plan_change).
    PlanChange,
    /// [`Backend::update`](crate::Backend::update).
    Update,
    /// [`Backend::deprovision`](crate::Backend::deprovision).
    Deprovision,
    /// [`Backend::bind`](crate::Backend::bind).
    Bind,
    /// [`Backend::unbind`](crate::Backend::unbind).
    Unbind,
    /// [`Backend::rotate`](crate::Backend::rotate).
    Rotate,
    /// [`Backend::suspend`](crate::Backend::suspend).
    Suspend,
    /// [`Backend::reinstate`](crate::Backend::reinstate).
    Reinstate,
    /// [`Backend::notice`](crate::Backend::notice).
    Notice,
    /// [`Backend::single_sign_on`](crate::Backend::single_sign_on).
    SingleSignOn,
    /// [`Backend::last_operation`](crate::Backend::last_operation).
    LastOperation,
    /// [`Backend::fetch`](crate::Backend::fetch).
    Fetch,
    /// [`Backend::fetch_binding`](crate::Backend::fetch_binding).
    FetchBinding,
    /// [`Backend::open_account`](crate::Backend::open_account).
    OpenAccount,
    /// [`Backend::close_account`](crate::Backend::close_account).
    CloseAccount,
    /// [`Backend::fetch_account`](crate::Backend::fetch_account).
    FetchAccount,
}

impl OperationKind {
    /// Returns the name in logs, metrics and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provision => "provision",
            Self::PlanChange => "plan_change",
            Self::Update => "update",
            Self::Deprovision => "deprovision",
            Self::Bind => "bind",
            Self::Unbind => "unbind",
            Self::Rotate => "rotate",
            Self::Suspend => "suspend",
            Self::Reinstate => "reinstate",
            Self::Notice => "notice",
            Self::SingleSignOn => "single_sign_on",
            Self::LastOperation => "last_operation",
            Self::Fetch => "fetch",
            Self::FetchBinding => "fetch_binding",
            Self::OpenAccount => "open_account",
            Self::CloseAccount => "close_account",
            Self::FetchAccount => "fetch_account",
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The result of an operation that did not fail: completed, or accepted and completed later.
///
/// ```
/// use maitre_core::Outcome;
///
/// assert_eq!(Outcome::Done(7).done(), Some(7));
/// assert_eq!(Outcome::Replayed(7).done(), Some(7));
/// let accepted = Outcome::<i32>::Accepted { operation: 1, message: "It will be ready in a few minutes.".into() };
/// assert_eq!(accepted.done(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<T> {
    /// The operation has completed with this reply.
    Done(T),
    /// The operation had completed earlier; this is its recorded reply. Open Service Broker answers 200 in place of 201.
    Replayed(T),
    /// The operation continues in the background. The marketplace is notified when it completes, or polls. Heroku: 202.
    ///
    /// Returned only where the request allows it; see [`Context::async_after`](crate::Context::async_after).
    Accepted {
        /// Id of the operation in the ledger.
        operation: i64,
        /// Sentence for the customer.
        message: String,
    },
}

impl<T> Outcome<T> {
    /// Returns the reply of a completed operation.
    #[must_use]
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(reply) | Self::Replayed(reply) => Some(reply),
            Self::Accepted { .. } => None,
        }
    }

    /// Converts the reply.
    #[must_use]
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(reply) => Outcome::Done(convert(reply)),
            Self::Replayed(reply) => Outcome::Replayed(convert(reply)),
            Self::Accepted { operation, message } => Outcome::Accepted { operation, message },
        }
    }
}

/// State of an operation, as read by a marketplace that polls.
///
/// ```
/// use maitre_core::{OperationKind, OperationState, OperationStatus};
///
/// let status = OperationStatus::new(7, OperationKind::Provision, OperationState::InProgress);
/// assert_eq!(status.message, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationStatus {
    /// Id of the operation in the ledger.
    pub operation: i64,
    /// Kind of the operation.
    pub kind: OperationKind,
    /// State of the operation.
    pub state: OperationState,
    /// Sentence for the customer: progress, or the reason of a failure.
    pub message: Option<String>,
}

impl OperationStatus {
    /// Creates a status without a message.
    #[must_use]
    pub fn new(operation: i64, kind: OperationKind, state: OperationState) -> Self {
        Self { operation, kind, state, message: None }
    }
}

/// State of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationState {
    /// It waits, runs or is retried.
    InProgress,
    /// It has completed.
    Succeeded,
    /// It has failed and is not retried.
    Failed(FailureKind),
}
