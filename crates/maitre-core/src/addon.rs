//! [`Addon`]: a marketplace, a backend and the settings of a router.

use std::fmt;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use crate::account::{Account, AccountNotice, CloseAccount, FetchAccount, OpenAccount};
use crate::backend::{Backend, WorkItem};
use crate::capabilities::Capabilities;
use crate::dyn_backend::{DynBackend, with_backend_methods};
use crate::failure::Result;
use crate::ids::AddonId;
use crate::in_flight::InFlight;
use crate::manifest::{Manifest, ManifestError};
use crate::marketplace::{FromManifest, Marketplace, SupportsAsync};
use crate::operation::{OperationStatus, Outcome};
use crate::policy::{OriginError, Policy};
use crate::reload::{Reload, ReloadError};
use crate::replies::{
    Bound, Deprovisioned, PlanChanged, Provisioned, ResourceDetails, Rotated, SignedOn, Unbound, Updated,
};
use crate::requests::{
    Bind, Deprovision, Fetch, FetchBinding, LastOperation, Notice, PlanChange, Provision, Reinstate, Rotate, Suspend,
    Unbind, Update,
};
use crate::sign_on::SignOn;
use crate::sso::Window;
use crate::store::ResourceSummary;
use crate::trace::TraceParent;

/// An add-on at a marketplace: credentials, listener and settings. A router is built from it.
///
/// An `Addon` is a value, so a process can serve several. Clones share the listener and the count of running calls;
/// the settings are fixed when the router is built. An `Addon` is itself a [`Backend`] that calls its own.
///
/// ```
/// # use maitre_core::doctest::{Bazaar, Widgets};
/// use maitre_core::{Addon, Credentials};
///
/// let addon = Addon::new(Bazaar(Credentials::new("lantern", "p", "s")?), Widgets).with_body_limit(64 * 1024);
/// assert_eq!(addon.id().to_string(), "bazaar/lantern");
/// assert_eq!(addon.in_flight().count(), 0);
/// # Ok::<(), maitre_core::CredentialsError>(())
/// ```
pub struct Addon<M> {
    id: AddonId,
    marketplace: Arc<M>,
    backend: Arc<dyn DynBackend>,
    policy: Arc<Policy>,
    in_flight: InFlight,
}

impl<M: Marketplace> Addon<M> {
    /// Creates an add-on at `marketplace` from a listener, or from a ledger's durable listener.
    pub fn new(marketplace: M, backend: impl Backend) -> Self {
        Self {
            id: AddonId::new(marketplace.name(), marketplace.slug()),
            policy: Arc::new(Policy::new(marketplace.sso_window())),
            marketplace: Arc::new(marketplace),
            backend: Arc::new(backend),
            in_flight: InFlight::default(),
        }
    }

    /// Creates an add-on with the credentials and settings of a manifest file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or lacks a key that the marketplace needs.
    pub fn from_manifest(path: impl AsRef<Path>, backend: impl Backend) -> Result<Self, ManifestError>
    where
        M: FromManifest,
    {
        Ok(Self::new(M::from_manifest(&Manifest::read(path)?)?, backend))
    }

    fn with(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(Arc::make_mut(&mut self.policy));
        self
    }

    /// Sets the longest request body in bytes. Longer bodies are answered 413. Defaults to 256 KiB.
    #[must_use]
    pub fn with_body_limit(self, bytes: usize) -> Self {
        self.with(|policy| policy.body_limit = bytes)
    }

    /// Sets how long a caller waits for the listener. Defaults to 24 s, as Heroku gives up after 25 s.
    ///
    /// After this time the caller receives 503 and will retry; the listener continues.
    #[must_use]
    pub fn with_answer_budget(self, budget: Duration) -> Self {
        self.with(|policy| policy.answer_budget = budget)
    }

    /// Sets the time window of single sign-on tokens. Defaults to [`Marketplace::sso_window`], 300 s back and 60 s ahead for
    /// most.
    #[must_use]
    pub fn with_sso_window(self, window: Window) -> Self {
        self.with(|policy| policy.sso_window = window)
    }

    /// Allows [`SignedOn::redirect`] to another origin, such as `https://app.example.org`.
    ///
    /// # Errors
    /// Returns an error for anything but a scheme and a host, with or without a port.
    pub fn with_redirect_origin(mut self, origin: &str) -> Result<Self, OriginError> {
        Arc::make_mut(&mut self.policy).add_redirect_origin(origin)?;
        Ok(self)
    }

    /// Sets the clock, for tests.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        self.with(|policy| policy.clock = Arc::new(clock))
    }

    /// Sets where the trace of a request without a `traceparent` header comes from, such as the current span of
    /// OpenTelemetry.
    ///
    /// ```
    /// # use maitre_core::doctest::{Bazaar, Widgets};
    /// use maitre_core::{Addon, Credentials, TraceParent};
    ///
    /// let addon = Addon::new(Bazaar(Credentials::new("lantern", "p", "s")?), Widgets);
    /// let addon = addon.with_trace_source(|| TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    /// assert!(addon.current_trace().is_some());
    /// # Ok::<(), maitre_core::CredentialsError>(())
    /// ```
    #[must_use]
    pub fn with_trace_source(self, source: impl Fn() -> Option<TraceParent> + Send + Sync + 'static) -> Self {
        self.with(|policy| policy.trace_source = Arc::new(source))
    }

    /// Returns the trace of a request without a `traceparent` header.
    #[must_use]
    pub fn current_trace(&self) -> Option<TraceParent> {
        (self.policy.trace_source)()
    }

    /// Returns the add-on's id.
    #[must_use]
    pub fn id(&self) -> &AddonId {
        &self.id
    }

    /// Returns the marketplace with the add-on's credentials.
    #[must_use]
    pub fn marketplace(&self) -> &M {
        &self.marketplace
    }

    /// Returns the longest request body in bytes.
    #[must_use]
    pub fn body_limit(&self) -> usize {
        self.policy.body_limit
    }

    /// Returns how long a caller waits for the listener.
    #[must_use]
    pub fn answer_budget(&self) -> Duration {
        self.policy.answer_budget
    }

    /// Returns the time window of single sign-on tokens.
    #[must_use]
    pub fn sso_window(&self) -> Window {
        self.policy.sso_window
    }

    /// Returns the time after which a provision or plan change is answered as accepted. `None` if asynchronous replies
    /// are disabled.
    #[must_use]
    pub fn async_after(&self) -> Option<Duration> {
        self.policy.async_after
    }

    /// Returns the time after which a deprovision is answered as accepted. `None` if asynchronous deprovisioning is
    /// disabled.
    #[must_use]
    pub fn async_deprovision_after(&self) -> Option<Duration> {
        self.policy.async_after.filter(|_| self.policy.async_deprovision)
    }

    /// Returns the current time by the add-on's clock.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        (self.policy.clock)()
    }

    /// Returns whether a user may be redirected to the reply's location: a path of this site, or a listed origin.
    #[must_use]
    pub fn allows_redirect(&self, reply: &SignedOn) -> bool {
        self.policy.allows_redirect(reply)
    }

    /// Returns the count of running listener calls, including those whose caller has disconnected.
    #[must_use]
    pub fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }
}

impl<M: SupportsAsync> Addon<M> {
    /// Enables asynchronous replies (Heroku: 202): operations that take longer than `after` are accepted and completed
    /// in the background, and the marketplace is notified on completion. 2 s is a good value.
    ///
    /// This needs a ledger with [`PlatformHooks`](crate::PlatformHooks) of the marketplace. Without them it has no
    /// effect: every operation is answered in its response, or with 503. Enable it only for an add-on that is
    /// registered for it: Heroku delists an add-on that answers 202 without registration.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use maitre_core::doctest::{Bazaar, Widgets};
    /// use maitre_core::{Addon, Credentials};
    ///
    /// let addon = Addon::new(Bazaar(Credentials::new("lantern", "p", "s")?), Widgets);
    /// let addon = addon.with_async_after(Duration::from_secs(2));
    /// assert_eq!(addon.async_after(), Some(Duration::from_secs(2)));
    /// # Ok::<(), maitre_core::CredentialsError>(())
    /// ```
    #[must_use]
    pub fn with_async_after(self, after: Duration) -> Self {
        self.with(|policy| policy.async_after = Some(after))
    }

    /// Sets whether deprovisions may be asynchronous, too. Heroku admits add-ons to this beta individually. Defaults to
    /// `false`.
    #[must_use]
    pub fn with_async_deprovision(self, enabled: bool) -> Self {
        self.with(|policy| policy.async_deprovision = enabled)
    }
}

/// Replaces the secrets of the marketplace, in all clones and routers.
impl<M: Marketplace + Reload> Reload for Addon<M> {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        self.marketplace.reload(text, now, overlap)
    }
}

impl<M> Clone for Addon<M> {
    fn clone(&self) -> Self {
        Self {
            id: self.id.clone(),
            marketplace: self.marketplace.clone(),
            backend: self.backend.clone(),
            policy: self.policy.clone(),
            in_flight: self.in_flight.clone(),
        }
    }
}

impl<M> fmt::Debug for Addon<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Addon").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Implements `Backend` for an add-on, which calls its own backend.
macro_rules! call_own_backend {
    ($($method:ident($request:ty) -> $reply:ty;)*) => {
        impl<M: Marketplace> Backend for Addon<M> {
            $(fn $method(&self, request: $request) -> impl Future<Output = Result<$reply>> + Send {
                self.backend.$method(request)
            })*

            fn check_health(&self) -> impl Future<Output = Result<()>> + Send {
                self.backend.check_health()
            }

            fn capabilities(&self) -> Capabilities {
                self.backend.capabilities()
            }
        }
    };
}

with_backend_methods!(call_own_backend);
