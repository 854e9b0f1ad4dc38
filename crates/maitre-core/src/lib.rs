#![doc = include_str!("../README.md")]

mod addon;
mod backend;
mod credentials;
mod failure;
mod follow;
mod instant;
mod listener;
pub mod manifest;
mod mask;
mod outlive;
mod replies;
mod requests;
mod secret;
pub mod sso;

pub use addon::{
    Addon, AddonId, Clock, Credentialed, FromManifest, InFlight, IntoAddon, Marketplace, OriginError, Running,
    SupportsAsync,
};
pub use backend::{Backend, BoxFuture, Outcome, WorkItem};
pub use credentials::{Credentials, CredentialsError, Password, Salt, SharedSecret};
pub use failure::{Failure, FailureKind, Result};
pub use follow::{Completion, Job, JobOutcome, PlatformHooks, PlatformStore, ResourceSummary, StoredValue};
pub use instant::parse_timestamp;
pub use listener::Listener;
pub use manifest::{Manifest, ManifestError};
pub use mask::{error_chain, mask_urls};
pub use outlive::SpawnOnDrop;
pub use replies::{ConfigVars, Deprovisioned, PlanChanged, ProviderId, Provisioned, SignedOn};
pub use requests::{
    Context, Deprovision, Identity, OauthGrant, PlanChange, PlanWarning, Progress, Provision, ResourceId, SignOn,
};
pub use secret::Secret;
