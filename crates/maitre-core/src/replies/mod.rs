//! Replies of a listener or a backend. A reply that no marketplace accepts cannot be expressed.

mod accessors;
mod bound;
mod changed;
mod customer_notice;
mod provisioned;
mod removed;
mod resource_details;
mod signed_on;

pub use bound::{Bound, Endpoint};
pub use changed::{PlanChanged, Rotated, Updated};
pub use customer_notice::{CustomerNotice, NoticeLevel};
pub use provisioned::Provisioned;
pub use removed::{Deprovisioned, Unbound};
pub use resource_details::{ResourceDetails, ResourceStatus};
pub use signed_on::SignedOn;
