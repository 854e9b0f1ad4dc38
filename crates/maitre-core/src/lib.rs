#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account;
mod addon;
mod backend;
mod capabilities;
pub mod catalog;
mod client_secrets;
mod clock;
mod config_vars;
mod context;
mod credentials;
#[doc(hidden)]
pub mod doctest;
mod dyn_backend;
mod failure;
mod fields;
mod future;
mod hooks;
mod identity;
mod ids;
mod in_flight;
mod into_addon;
mod job;
mod listener;
pub mod manifest;
mod marketplace;
mod mask;
mod operation;
mod password;
mod platform;
mod policy;
mod reload;
mod replies;
mod requests;
mod secret;
mod shared_secret;
mod sign_on;
pub mod sso;
mod store;
mod timestamp;
mod trace;
mod view;

pub use account::{Account, AccountNotice, AccountState, CloseAccount, FetchAccount, OpenAccount};
pub use addon::Addon;
pub use backend::{Backend, WorkItem};
pub use capabilities::{Capabilities, Capability};
pub use catalog::{Catalog, CatalogError};
pub use client_secrets::{ClientSecret, ClientSecrets};
pub use clock::Clock;
pub use config_vars::{ConfigVars, Iter as ConfigVarsIter};
pub use context::{Context, Progress};
pub use credentials::{Credentials, Salt};
pub use failure::{Failure, FailureKind, Result};
pub use fields::Fields;
pub use future::{BoxFuture, SpawnOnDrop};
pub use hooks::{Hooks, ListenerCall, WithHooks};
pub use identity::RequestIdentity;
pub use ids::{AccountId, AddonId, BindingId, ParseAddonIdError, ProviderId, ResourceId};
pub use in_flight::{InFlight, Running};
pub use into_addon::{Credentialed, IntoAddon};
pub use job::{Job, JobOutcome};
pub use listener::Listener;
pub use manifest::{Manifest, ManifestError};
pub use marketplace::{FromManifest, Marketplace, SupportsAsync};
pub use mask::{error_chain, mask_urls};
pub use operation::{OperationKind, OperationState, OperationStatus, Outcome};
pub use password::{CredentialsError, Password, SecretUse};
pub use platform::{Completion, PlatformHooks};
pub use policy::OriginError;
pub use reload::{Reload, ReloadError, Replaceable, overlap_end};
pub use replies::{
    Bound, CustomerNotice, Deprovisioned, Endpoint, NoticeLevel, PlanChanged, Provisioned, ResourceDetails,
    ResourceStatus, Rotated, SignedOn, Unbound, Updated,
};
pub use requests::{
    Bind, Deprovision, Fetch, FetchBinding, LastOperation, Notice, NoticeKind, OauthGrant, PlanChange, Provision,
    Reinstate, Rotate, Suspend, Unbind, Update,
};
pub use secret::Secret;
pub use shared_secret::SharedSecret;
pub use sign_on::{Identity, SignOn};
pub use store::{PlatformStore, ResourceSummary, StoredValue};
pub use timestamp::parse_timestamp;
pub use trace::TraceParent;
pub use view::{View, ViewError};
