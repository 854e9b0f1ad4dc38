//! Kinds and states of operations.

use std::fmt;

/// Kind of operation on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    /// Creates the resource.
    Provision,
    /// Changes the plan of the resource.
    PlanChange,
    /// Changes parameters of the resource.
    Update,
    /// Removes the resource.
    Deprovision,
    /// Creates a binding of the resource.
    Bind,
    /// Removes a binding of the resource.
    Unbind,
    /// Replaces the credentials of a resource.
    Rotate,
}

/// State of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationState {
    /// Waiting for its turn, running, waiting for a retry, or waiting for its notification.
    Open,
    /// Failed after the last attempt: an operator has to retry or abandon it.
    Parked,
    /// Finished with a reply, which may be a refusal.
    Completed,
    /// Overtaken by a deprovision or replaced by a new provision.
    Cancelled,
    /// Given up by an operator.
    Abandoned,
}

/// Error of reading an [`OperationKind`] or an [`OperationState`] from a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseNameError(pub(crate) String);

impl fmt::Display for ParseNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown name {:?}", self.0)
    }
}

impl std::error::Error for ParseNameError {}

macro_rules! names {
    ($type:ident { $($variant:ident $name:literal),+ $(,)? }) => {
        impl $type {
            /// Returns the name in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = super::operation::ParseNameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(super::operation::ParseNameError(text.to_owned())),
                }
            }
        }
    };
}

pub(super) use names;

names!(
    OperationKind {
        Provision "provision",
        PlanChange "plan_change",
        Update "update",
        Deprovision "deprovision",
        Bind "bind",
        Unbind "unbind",
        Rotate "rotate",
    }
);

impl OperationKind {
    /// Returns the kind of the request.
    pub(crate) fn of_request(self) -> maitre_core::OperationKind {
        match self {
            Self::Provision => maitre_core::OperationKind::Provision,
            Self::PlanChange => maitre_core::OperationKind::PlanChange,
            Self::Update => maitre_core::OperationKind::Update,
            Self::Deprovision => maitre_core::OperationKind::Deprovision,
            Self::Bind => maitre_core::OperationKind::Bind,
            Self::Unbind => maitre_core::OperationKind::Unbind,
            Self::Rotate => maitre_core::OperationKind::Rotate,
        }
    }

    /// Whether the operation changes the resource, which stays live.
    pub(super) fn is_change(self) -> bool {
        matches!(self, Self::PlanChange | Self::Update | Self::Rotate)
    }
}
names!(
    OperationState {
        Open "open",
        Parked "parked",
        Completed "completed",
        Cancelled "cancelled",
        Abandoned "abandoned",
    }
);
