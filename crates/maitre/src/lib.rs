#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod health;
#[cfg(feature = "serve")]
mod secret_files;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "platform")]
mod webhooks;

#[cfg(any(
    feature = "clevercloud",
    feature = "cloudcontrol",
    feature = "digitalocean",
    feature = "heroku",
    feature = "opperator",
    feature = "osb",
    feature = "quicknode",
    feature = "scalingo",
    feature = "vercel"
))]
use axum::Router;

pub use maitre_axum::drain;
pub use maitre_core::{
    AccountId, AccountNotice, Addon, AddonId, Bind, BindingId, Bound, Capabilities, Capability, Catalog, CatalogError,
    ClientSecret, CloseAccount, ConfigVars, Context, Credentialed, Credentials, CredentialsError, CustomerNotice,
    Deprovision, Deprovisioned, Endpoint, Failure, FailureKind, Fields, FromManifest, Hooks, Identity, InFlight,
    IntoAddon, Listener, ListenerCall, Manifest, ManifestError, Marketplace, Notice, NoticeKind, NoticeLevel,
    OauthGrant, OpenAccount, OriginError, Password, PlanChange, PlanChanged, Progress, ProviderId, Provision,
    Provisioned, Reinstate, Reload, ReloadError, RequestIdentity, ResourceId, Result, Rotate, Rotated, Salt, Secret,
    SharedSecret, SignOn, SignedOn, Suspend, TraceParent, Unbind, Unbound, Update, Updated, View, ViewError, WithHooks,
    catalog, manifest, mask_urls, sso,
};

#[cfg(feature = "clevercloud")]
pub use maitre_axum_clevercloud::{self as clevercloud, CleverCloud, CleverCloudProvision};
#[cfg(feature = "cloudcontrol")]
pub use maitre_axum_cloudcontrol::{self as cloudcontrol, CloudControl, CloudControlPlanChange, CloudControlProvision};
#[cfg(feature = "digitalocean")]
pub use maitre_axum_digitalocean::{self as digitalocean, DigitalOcean, DigitalOceanProvision};
#[cfg(feature = "heroku")]
pub use maitre_axum_heroku::{self as heroku, Heroku, HerokuPlanChange, HerokuProvision};
#[cfg(feature = "opperator")]
pub use maitre_axum_opperator::{self as opperator, Opperator, OpperatorProvision};
#[cfg(feature = "osb")]
pub use maitre_axum_osb::{self as osb, Osb, OsbRequest};
#[cfg(feature = "quicknode")]
pub use maitre_axum_quicknode::{self as quicknode, QuickNode, QuickNodeCall, QuickNodeEndpoint, QuickNodeRequest};
#[cfg(feature = "scalingo")]
pub use maitre_axum_scalingo::{self as scalingo, Scalingo, ScalingoProvision};
#[cfg(feature = "vercel")]
pub use maitre_axum_vercel::{
    self as vercel, Vercel, VercelCommand, VercelError, VercelInstallation, VercelOutput, VercelProvision,
    VercelPurchase, VercelTeam, VercelText, VercelUser,
};
#[cfg(feature = "platform")]
pub use maitre_heroku::{self as platform, Platform};

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use health::health;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use maitre_ledger::{self as ledger, Keys, Ledger, LedgerError};
#[cfg(feature = "serve")]
pub use secret_files::SecretFiles;
#[cfg(all(feature = "serve", unix))]
pub use serve::shutdown_signal;
#[cfg(feature = "serve")]
pub use serve::{Serve, ServeLimits, serve};
#[cfg(feature = "platform")]
pub use webhooks::heroku_webhooks;

/// Connections of a ledger with the APIs of marketplaces other than Heroku.
#[cfg(any(
    feature = "clevercloud-platform",
    feature = "digitalocean-platform",
    feature = "scalingo-platform",
    feature = "vercel-platform"
))]
pub mod platforms {
    #[cfg(feature = "clevercloud-platform")]
    pub use maitre_clevercloud as clevercloud;
    #[cfg(feature = "digitalocean-platform")]
    pub use maitre_digitalocean as digitalocean;
    #[cfg(feature = "scalingo-platform")]
    pub use maitre_scalingo as scalingo;
    #[cfg(feature = "vercel-platform")]
    pub use maitre_vercel as vercel;
}

/// The interface between a router and a ledger, for code that names its types. Vendors implement [`Listener`].
///
/// It is not at the root of the crate: its trait has methods of the same names as [`Listener`], and with both in scope a
/// call is ambiguous.
pub mod backend {
    pub use maitre_core::{
        Account, AccountState, Backend, Fetch, FetchAccount, FetchBinding, LastOperation, OperationKind,
        OperationState, OperationStatus, Outcome, ResourceDetails, ResourceStatus, WorkItem,
    };
}

/// Builds the router of an add-on at Heroku.
///
#[doc = include_str!("../docs/heroku.md")]
#[cfg(feature = "heroku")]
pub fn heroku<S>(addon: impl IntoAddon<Heroku>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    maitre_axum_heroku::router(addon)
}

/// Builds the router of an add-on at cloudControl; see [`mod@cloudcontrol`] for its routes.
///
/// ```
/// # use maitre::*;
/// # use maitre_core::doctest::Widgets as Papayas;
/// let addon = Addon::new(CloudControl::new("papaya", "s3cr3t-example", "rock salt")?, Papayas);
/// let app: axum::Router = axum::Router::new().nest("/cloudcontrol", maitre::cloudcontrol(addon));
/// assert!(app.has_routes());
/// # Ok::<(), CredentialsError>(())
/// ```
#[cfg(feature = "cloudcontrol")]
pub fn cloudcontrol<S>(addon: impl IntoAddon<CloudControl>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    maitre_axum_cloudcontrol::router(addon)
}

/// Builds the router of an add-on at DigitalOcean; see [`mod@digitalocean`] for its routes.
///
/// ```
/// # use maitre::*;
/// # use maitre_core::doctest::Widgets as Tamarinds;
/// let addon = Addon::new(DigitalOcean::new("tamarind", "s3cr3t-example", "kelp-salt")?, Tamarinds);
/// let app: axum::Router = axum::Router::new().nest("/digitalocean", maitre::digitalocean(addon));
/// assert!(app.has_routes());
/// # Ok::<(), CredentialsError>(())
/// ```
#[cfg(feature = "digitalocean")]
pub fn digitalocean<S>(addon: impl IntoAddon<DigitalOcean>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    maitre_axum_digitalocean::router(addon)
}

/// Builds the router of an add-on at Clever Cloud; see [`mod@clevercloud`] for its routes.
///
/// ```
/// # use maitre::*;
/// # use maitre_core::doctest::Widgets as Quinces;
/// let addon = Addon::new(CleverCloud::new("quince", "s3cr3t-example", "plum-salt")?, Quinces);
/// let app: axum::Router = axum::Router::new().nest("/clevercloud", maitre::clevercloud(addon));
/// assert!(app.has_routes());
/// # Ok::<(), CredentialsError>(())
/// ```
#[cfg(feature = "clevercloud")]
pub fn clevercloud<S>(addon: impl IntoAddon<CleverCloud>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    maitre_axum_clevercloud::router(addon)
}

/// Builds the router of an add-on at Scalingo; see [`mod@scalingo`] for its routes.
///
/// ```
/// # use maitre::*;
/// # use maitre_core::doctest::Widgets as Lychees;
/// let addon = Addon::new(Scalingo::new("lychee", "s3cr3t-example", "orange-salt")?, Lychees);
/// let app: axum::Router = axum::Router::new().nest("/scalingo", maitre::scalingo(addon));
/// assert!(app.has_routes());
/// # Ok::<(), CredentialsError>(())
/// ```
#[cfg(feature = "scalingo")]
pub fn scalingo<S>(addon: impl IntoAddon<Scalingo>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    maitre_axum_scalingo::router(addon)
}

/// Builds the router of an add-on at QuickNode; see [`mod@quicknode`] for its routes.
///
/// ```
/// # use maitre::*;
/// # use maitre_core::doctest::Widgets as Pomelos;
/// let addon = Addon::new(QuickNode::new("pomelo", "pomelo-pass", "pomelo-jwt-secret")?, Pomelos);
/// let app: axum::Router = axum::Router::new().nest("/quicknode", maitre::quicknode(addon));
/// assert!(app.has_routes());
/// # Ok::<(), CredentialsError>(())
/// ```
#[cfg(feature = "quicknode")]
pub fn quicknode<S>(addon: impl IntoAddon<QuickNode>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    maitre_axum_quicknode::router(addon)
}

/// Builds the router of an add-on at Opperator; see [`mod@opperator`] for its routes.
///
/// ```
/// # use maitre::*;
/// # use maitre_core::doctest::Widgets as Lanterns;
/// let addon = Addon::new(Opperator::new("lantern", "melon-9", |_| Some("basic".to_owned()))?, Lanterns);
/// let app: axum::Router = axum::Router::new().nest("/opperator", maitre::opperator(addon));
/// assert!(app.has_routes());
/// # Ok::<(), CredentialsError>(())
/// ```
#[cfg(feature = "opperator")]
pub fn opperator<S>(addon: impl IntoAddon<Opperator>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    maitre_axum_opperator::router(addon)
}

/// Builds the router of a service broker by the Open Service Broker API; see [`mod@osb`] for its routes.
///
/// ```
/// # use maitre::*;
/// use maitre::catalog::{Catalog, Plan, Service};
/// # use maitre_core::doctest::Widgets as Lanterns;
///
/// let plan = Plan::new("8d1c6c2e", "basic", "Three lanterns");
/// let service = Service::new("4a70f9d1", "lantern", "Lanterns as a service").with_plan(plan);
/// let addon = Addon::new(Osb::new("lantern", "s3cr3t-example", Catalog::new([service])?)?, Lanterns);
/// let app: axum::Router = axum::Router::new().nest("/osb", maitre::osb(addon));
/// assert!(app.has_routes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "osb")]
pub fn osb<S>(addon: impl IntoAddon<Osb>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    maitre_axum_osb::router(addon)
}

/// Builds the router of an integration at Vercel; see [`mod@vercel`] for its routes.
///
/// ```
/// # use maitre::*;
/// use maitre::catalog::{Catalog, Plan, Service};
/// # use maitre_core::doctest::Widgets as Lanterns;
///
/// let plan = Plan::new("p-1", "basic", "Three lanterns");
/// let catalog = Catalog::new([Service::new("s-1", "lantern", "Lanterns as a service").with_plan(plan)])?;
/// let addon = Addon::new(Vercel::new("oac_lantern", "s3cr3t-example", catalog)?, Lanterns);
/// let app: axum::Router = axum::Router::new().nest("/vercel", maitre::vercel(addon));
/// assert!(app.has_routes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "vercel")]
pub fn vercel<S>(addon: impl IntoAddon<Vercel>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    maitre_axum_vercel::router(addon)
}

/// Compiles the examples in `docs/`.
#[cfg(all(doctest, feature = "platform", feature = "serve", feature = "sqlite"))]
mod pages {
    #[doc = include_str!("../../../docs/bindings.md")]
    mod bindings {}
    #[doc = include_str!("../../../docs/catalog.md")]
    mod catalog {}
    #[cfg(feature = "clevercloud")]
    #[doc = include_str!("../../../docs/clever-cloud.md")]
    mod clever_cloud {}
    #[cfg(feature = "digitalocean")]
    #[doc = include_str!("../../../docs/digitalocean.md")]
    mod digitalocean {}
    #[cfg(feature = "osb")]
    #[doc = include_str!("../../../docs/open-service-broker.md")]
    mod open_service_broker {}
    #[cfg(feature = "quicknode")]
    #[doc = include_str!("../../../docs/quicknode.md")]
    mod quicknode {}
    #[doc = include_str!("../../../docs/reload.md")]
    mod reload {}
    #[doc = include_str!("../../../docs/slow-provisioning.md")]
    mod slow_provisioning {}
    #[cfg(feature = "scalingo")]
    #[doc = include_str!("../../../docs/scalingo.md")]
    mod scalingo {}
    #[doc = include_str!("../../../docs/tokens.md")]
    mod tokens {}
    #[cfg(feature = "vercel")]
    #[doc = include_str!("../../../docs/vercel.md")]
    mod vercel {}
    #[doc = include_str!("../../../docs/webhooks.md")]
    mod webhooks {}
}
