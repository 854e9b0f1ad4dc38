//! Requests to a listener or a backend.

mod availability;
mod bind;
mod deprovision;
mod notice;
mod plan_change;
mod provision;
mod read;
mod rotate;

pub use availability::{Reinstate, Suspend};
pub use bind::{Bind, Unbind};
pub use deprovision::Deprovision;
pub use notice::{Notice, NoticeKind};
pub use plan_change::{PlanChange, Update};
pub use provision::{OauthGrant, Provision};
pub use read::{Fetch, FetchBinding, LastOperation};
pub use rotate::Rotate;
