#![doc = include_str!("../README.md")]

#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "platform")]
mod webhooks;

use axum::Router;

pub use maitre_axum::drain;
pub use maitre_core::{
    Addon, AddonId, Backend, ConfigVars, Credentialed, Credentials, CredentialsError, Deprovision, Deprovisioned,
    Failure, FailureKind, FromManifest, Identity, InFlight, IntoAddon, Listener, Manifest, ManifestError, Marketplace,
    OauthGrant, OriginError, Outcome, Password, PlanChange, PlanChanged, PlanWarning, ProviderId, Provision,
    Provisioned, ResourceId, Result, Salt, Secret, SharedSecret, SignOn, SignedOn, manifest, mask_urls, sso,
};

#[cfg(feature = "cloudcontrol")]
pub use maitre_axum_cloudcontrol::{self as cloudcontrol, CloudControl};
#[cfg(feature = "heroku")]
pub use maitre_axum_heroku::{self as heroku, Heroku};
#[cfg(feature = "opperator")]
pub use maitre_axum_opperator::{self as opperator, Opperator};
#[cfg(feature = "platform")]
pub use maitre_heroku::{self as platform, Platform};

#[cfg(feature = "ledger")]
pub use maitre_ledger::{self as ledger, Keys, Ledger, LedgerError};
#[cfg(all(feature = "serve", unix))]
pub use serve::shutdown_signal;
#[cfg(feature = "serve")]
pub use serve::{Serve, ServeLimits, serve};
#[cfg(feature = "platform")]
pub use webhooks::heroku_webhooks;

/// Heroku's side of the app: everything that Heroku calls, ready to be nested.
///
#[doc = include_str!("../docs/heroku.md")]
#[cfg(feature = "heroku")]
pub fn heroku<S>(addon: impl IntoAddon<Heroku>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    maitre_axum_heroku::router(addon)
}

/// cloudControl's side of the app; see [`mod@cloudcontrol`] for its routes.
///
/// ```
/// # use maitre::*;
/// # struct Papayas;
/// # impl Listener for Papayas {
/// #     async fn provision(&self, r: Provision) -> Result<Provisioned> { Ok(Provisioned::new(r.resource)) }
/// #     async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> { Ok(PlanChanged::new()) }
/// #     async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> { Ok(Deprovisioned::new()) }
/// #     async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> { Ok(SignedOn::redirect("/")) }
/// # }
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

/// Opperator's side of the app; see [`mod@opperator`] for its routes.
///
/// ```
/// # use maitre::*;
/// # struct Lanterns;
/// # impl Listener for Lanterns {
/// #     async fn provision(&self, r: Provision) -> Result<Provisioned> { Ok(Provisioned::new(r.resource)) }
/// #     async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> { Ok(PlanChanged::new()) }
/// #     async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> { Ok(Deprovisioned::new()) }
/// #     async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> { Ok(SignedOn::redirect("/")) }
/// # }
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

/// Compiles what the pages in `docs/` show.
#[cfg(all(doctest, feature = "platform", feature = "serve", feature = "sqlite"))]
mod pages {
    #[doc = include_str!("../../../docs/slow-provisioning.md")]
    mod slow_provisioning {}
    #[doc = include_str!("../../../docs/tokens.md")]
    mod tokens {}
    #[doc = include_str!("../../../docs/webhooks.md")]
    mod webhooks {}
}
