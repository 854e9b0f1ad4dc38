//! Execution of operations and jobs, and the public interface of the ledger.

mod accounts;
mod adopt;
mod backend;
mod bindings;
mod builder;
mod changes;
mod details;
mod execute;
mod gauges;
mod health;
mod heartbeat;
#[cfg(feature = "sqlite")]
mod in_memory;
mod inner;
mod jobs;
mod ledger;
mod listener;
mod notify;
mod operation;
mod operator;
mod overtake;
mod readiness;
mod scheduled;
#[cfg(feature = "sessions")]
mod sessions;
mod spawn;
mod store;
mod views;
mod wait;
mod worker;

pub use builder::LedgerBuilder;
pub use ledger::Ledger;
pub use listener::DurableListener;
pub use operator::Operator;
#[cfg(feature = "sessions")]
pub use sessions::Sessions;
pub use worker::Worker;
