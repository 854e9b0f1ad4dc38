#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod db;
mod engine;
mod error;
#[cfg(feature = "sqlite")]
mod key_file;
mod keys;
mod metrics;
mod runtime;

pub use engine::{
    ActionKind, ActionView, AdoptReport, Adoption, BindingState, Contradiction, ContradictionKind, JobView,
    ListedResource, OperationKind, OperationState, OperationView, ParkedOperation, ParseNameError, ResourceFilter,
    ResourceView, State, Stats, UnknownPolicy,
};
pub use error::LedgerError;
pub use keys::{KeyError, Keys};
#[cfg(feature = "sessions")]
pub use runtime::Sessions;
pub use runtime::{DurableListener, Ledger, LedgerBuilder, Operator, Worker};
