#![doc = include_str!("../README.md")]

mod db;
mod engine;
mod errands;
mod error;
mod heartbeat;
mod inspect;
mod kept;
#[cfg(feature = "sqlite")]
mod key_file;
mod ledger;
mod observe;
mod port;
mod reply;
mod reseal;
mod rules;
mod seal;
#[cfg(feature = "sessions")]
mod sessions;
mod stored;
mod waiting;
mod walk;
mod worker;

pub use engine::{OperationKind, OperationState};
pub use error::LedgerError;
pub use inspect::{JobView, OperationView, ResourceView, Stats};
pub use kept::DurableListener;
pub use ledger::{Ledger, LedgerBuilder};
pub use rules::State;
pub use seal::{KeyError, Keys};
#[cfg(feature = "sessions")]
pub use sessions::Sessions;
pub use worker::Worker;
