//! An add-on: what a marketplace knows it by, who answers for it, and by which rules.

use std::fmt;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use time::OffsetDateTime;

use crate::backend::{Backend, DynBackend, Outcome, WorkItem};
use crate::failure::Result;
use crate::manifest::{Manifest, ManifestError, url};
use crate::replies::{Deprovisioned, PlanChanged, Provisioned, SignedOn};
use crate::requests::{Deprovision, PlanChange, PlanWarning, Provision, SignOn};
use crate::sso::Window;

/// One marketplace, as seen by one add-on: the add-on's credentials there, and the settings of its contract.
///
/// Each marketplace has a type of its own, so that the credentials of one cannot be given to the router of another.
///
/// ```
/// use maitre_core::{Credentials, Marketplace};
///
/// struct Bazaar(Credentials);
///
/// impl Marketplace for Bazaar {
///     const NAME: &'static str = "bazaar";
///     fn slug(&self) -> &str {
///         self.0.user()
///     }
/// }
/// assert_eq!(Bazaar(Credentials::new("lantern", "p", "s")?).slug(), "lantern");
/// # Ok::<(), maitre_core::CredentialsError>(())
/// ```
pub trait Marketplace: Send + Sync + 'static {
    /// The marketplace's name in logs and records, lowercase.
    const NAME: &'static str;

    /// The add-on's name at this marketplace.
    fn slug(&self) -> &str;
}

/// A [`Marketplace`] that can be told "accepted", and then later that it is done.
pub trait SupportsAsync: Marketplace {}

/// A [`Marketplace`] whose credentials and settings stand in a manifest file.
pub trait FromManifest: Marketplace + Sized {
    /// Reads what this marketplace needs.
    ///
    /// # Errors
    /// [`ManifestError`] names what is missing.
    fn from_manifest(manifest: &Manifest) -> std::result::Result<Self, ManifestError>;
}

/// Marketplace and slug: which add-on a request is for. Every request carries it.
///
/// ```
/// use maitre_core::AddonId;
///
/// assert_eq!(AddonId::new("heroku", "lantern").to_string(), "heroku/lantern");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AddonId {
    marketplace: &'static str,
    slug: Arc<str>,
}

impl AddonId {
    /// The add-on `slug` at `marketplace`.
    pub fn new(marketplace: &'static str, slug: impl Into<Arc<str>>) -> Self {
        Self { marketplace, slug: slug.into() }
    }

    /// The marketplace's name.
    #[must_use]
    pub fn marketplace(&self) -> &'static str {
        self.marketplace
    }

    /// The add-on's name there.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }
}

impl fmt::Display for AddonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.marketplace, self.slug)
    }
}

impl fmt::Debug for AddonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where an add-on takes the time from.
pub type Clock = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

/// What [`Addon::with_redirect_origin`] could not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginError(String);

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no origin: write scheme and host alone, such as https://app.example.org", self.0)
    }
}

impl std::error::Error for OriginError {}

/// A listener, the marketplace it answers, and the policy: all that a router is made from.
///
/// It is a value: five add-ons in one process are five of them. Clones share the listener and the count of running
/// calls, and the policy is set before the router is made. An `Addon` is itself a [`Backend`] that passes on to its
/// own.
///
/// ```
/// use maitre_core::*;
///
/// # struct Bazaar(Credentials);
/// # impl Marketplace for Bazaar {
/// #     const NAME: &'static str = "bazaar";
/// #     fn slug(&self) -> &str { self.0.user() }
/// # }
/// # struct Widgets;
/// # impl Listener for Widgets {
/// #     async fn provision(&self, r: Provision) -> Result<Provisioned> { Ok(Provisioned::new(r.resource)) }
/// #     async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> { Ok(PlanChanged::new()) }
/// #     async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> { Ok(Deprovisioned::new()) }
/// #     async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> { Ok(SignedOn::redirect("/")) }
/// # }
/// let addon = Addon::new(Bazaar(Credentials::new("lantern", "p", "s")?), Widgets).with_body_limit(64 * 1024);
/// assert_eq!(addon.id().to_string(), "bazaar/lantern");
/// assert_eq!(addon.in_flight().count(), 0);
/// # Ok::<(), CredentialsError>(())
/// ```
pub struct Addon<M> {
    id: AddonId,
    marketplace: Arc<M>,
    backend: Arc<dyn DynBackend>,
    policy: Arc<Policy>,
    in_flight: InFlight,
}

#[derive(Clone)]
struct Policy {
    body_limit: usize,
    answer_budget: Duration,
    sso_window: Window,
    redirect_origins: Vec<String>,
    async_after: Option<Duration>,
    async_deprovision: bool,
    clock: Clock,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            body_limit: 256 * 1024,
            answer_budget: Duration::from_secs(24),
            sso_window: Window::default(),
            redirect_origins: Vec::new(),
            async_after: None,
            async_deprovision: false,
            clock: Arc::new(OffsetDateTime::now_utc),
        }
    }
}

impl<M: Marketplace> Addon<M> {
    /// The add-on at `marketplace`, served by a listener, or by a ledger around one.
    pub fn new(marketplace: M, backend: impl Backend) -> Self {
        Self {
            id: AddonId::new(M::NAME, marketplace.slug()),
            marketplace: Arc::new(marketplace),
            backend: Arc::new(backend),
            policy: Arc::default(),
            in_flight: InFlight::default(),
        }
    }

    /// The same with credentials and settings from a manifest file.
    ///
    /// # Errors
    /// [`ManifestError`] when the file cannot be read or lacks what the marketplace needs.
    pub fn from_manifest(path: impl AsRef<Path>, backend: impl Backend) -> std::result::Result<Self, ManifestError>
    where
        M: FromManifest,
    {
        Ok(Self::new(M::from_manifest(&Manifest::read(path)?)?, backend))
    }

    fn with(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(Arc::make_mut(&mut self.policy));
        self
    }

    /// The longest body that is read, in bytes; 256 KiB if not set. More is answered with 413.
    #[must_use]
    pub fn with_body_limit(self, bytes: usize) -> Self {
        self.with(|policy| policy.body_limit = bytes)
    }

    /// How long a caller waits for the listener; 24 s if not set, as Heroku gives up after 25.
    ///
    /// Then it gets 503 and will ask again, while the listener goes on.
    #[must_use]
    pub fn with_answer_budget(self, budget: Duration) -> Self {
        self.with(|policy| policy.answer_budget = budget)
    }

    /// How old and how far ahead a single sign-on token may be; 300 s and 60 s if not set.
    #[must_use]
    pub fn with_sso_window(self, window: Window) -> Self {
        self.with(|policy| policy.sso_window = window)
    }

    /// Lets [`SignedOn::redirect`] lead to one more origin, such as `https://app.example.org`.
    ///
    /// # Errors
    /// [`OriginError`] for anything but scheme and host (with or without a port).
    pub fn with_redirect_origin(self, origin: &str) -> std::result::Result<Self, OriginError> {
        let plain = url::split(origin).is_some_and(|parts| parts.path.is_empty() && !parts.authority.contains('@'));
        if !plain {
            return Err(OriginError(origin.to_owned()));
        }
        Ok(self.with(|policy| policy.redirect_origins.push(origin.to_owned())))
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        self.with(|policy| policy.clock = Arc::new(clock))
    }

    /// Which add-on this is.
    #[must_use]
    pub fn id(&self) -> &AddonId {
        &self.id
    }

    /// The marketplace with the add-on's credentials.
    #[must_use]
    pub fn marketplace(&self) -> &M {
        &self.marketplace
    }

    /// The longest body that is read, in bytes.
    #[must_use]
    pub fn body_limit(&self) -> usize {
        self.policy.body_limit
    }

    /// How long a caller waits.
    #[must_use]
    pub fn answer_budget(&self) -> Duration {
        self.policy.answer_budget
    }

    /// The window for single sign-on tokens.
    #[must_use]
    pub fn sso_window(&self) -> Window {
        self.policy.sso_window
    }

    /// How long a provision or plan change is waited for before it is accepted; nothing where it cannot be.
    #[must_use]
    pub fn async_after(&self) -> Option<Duration> {
        self.policy.async_after
    }

    /// The same for a removal.
    #[must_use]
    pub fn async_deprovision_after(&self) -> Option<Duration> {
        self.policy.async_after.filter(|_| self.policy.async_deprovision)
    }

    /// The time by this add-on's clock.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        (self.policy.clock)()
    }

    /// Whether a person may be sent there: to this site, or to an origin that was listed.
    #[must_use]
    pub fn allows_redirect(&self, reply: &SignedOn) -> bool {
        reply.is_local() || self.policy.redirect_origins.iter().any(|origin| is_at(reply.location(), origin))
    }

    /// The listener calls that run at this moment, also those whose caller has gone.
    #[must_use]
    pub fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }
}

/// The origin must be all of the location, or end where a path, query or fragment begins.
fn is_at(location: &str, origin: &str) -> bool {
    location.get(..origin.len()).is_some_and(|start| start.eq_ignore_ascii_case(origin))
        && matches!(location.as_bytes().get(origin.len()), None | Some(b'/' | b'?' | b'#'))
        && !location.contains(|c: char| c.is_control() || c == '\\')
}

impl<M: SupportsAsync> Addon<M> {
    /// This add-on is registered for answers that come later (Heroku: 202): what is not done within `give_way` is
    /// accepted, goes on, and the marketplace is told when it is done. 2 s is a good time.
    ///
    /// It takes a ledger that [follows](crate::PlatformHooks) the marketplace; with none, everything is answered at once or with
    /// 503, as without this. Heroku removes every add-on that answers 202 and is not registered for it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use maitre_core::*;
    /// # struct Bazaar(Credentials);
    /// # impl Marketplace for Bazaar {
    /// #     const NAME: &'static str = "bazaar";
    /// #     fn slug(&self) -> &str { self.0.user() }
    /// # }
    /// # impl SupportsAsync for Bazaar {}
    /// # struct Widgets;
    /// # impl Listener for Widgets {
    /// #     async fn provision(&self, r: Provision) -> Result<Provisioned> { Ok(Provisioned::new(r.resource)) }
    /// #     async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> { Ok(PlanChanged::new()) }
    /// #     async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> { Ok(Deprovisioned::new()) }
    /// #     async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> { Ok(SignedOn::redirect("/")) }
    /// # }
    /// let addon = Addon::new(Bazaar(Credentials::new("lantern", "p", "s")?), Widgets);
    /// let addon = addon.with_async_after(Duration::from_secs(2));
    /// assert_eq!(addon.async_after(), Some(Duration::from_secs(2)));
    /// # Ok::<(), CredentialsError>(())
    /// ```
    #[must_use]
    pub fn with_async_after(self, after: Duration) -> Self {
        self.with(|policy| policy.async_after = Some(after))
    }

    /// Removals, too, may be answered later: for add-ons that Heroku has let into that beta.
    #[must_use]
    pub fn with_async_deprovision(self, enabled: bool) -> Self {
        self.with(|policy| policy.async_deprovision = enabled)
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

impl<M: Marketplace> Backend for Addon<M> {
    fn provision(&self, request: Provision) -> impl Future<Output = Result<Outcome<Provisioned>>> + Send {
        self.backend.provision(request)
    }
    fn plan_change(&self, request: PlanChange) -> impl Future<Output = Result<Outcome<PlanChanged>>> + Send {
        self.backend.plan_change(request)
    }
    fn deprovision(&self, request: Deprovision) -> impl Future<Output = Result<Outcome<Deprovisioned>>> + Send {
        self.backend.deprovision(request)
    }
    fn single_sign_on(&self, request: SignOn) -> impl Future<Output = Result<SignedOn>> + Send {
        self.backend.single_sign_on(request)
    }
    fn plan_warning(&self, request: PlanWarning) -> impl Future<Output = Result<()>> + Send {
        self.backend.plan_warning(request)
    }
    fn resume(&self, item: WorkItem) -> impl Future<Output = Result<()>> + Send {
        self.backend.resume(item)
    }
}

/// How many listener calls run at this moment.
///
/// ```
/// use maitre_core::InFlight;
///
/// let in_flight = InFlight::default();
/// let running = in_flight.enter();
/// assert_eq!(in_flight.count(), 1);
/// drop(running);
/// assert_eq!(in_flight.count(), 0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<AtomicUsize>);

impl InFlight {
    /// Counts one more until the returned value is dropped.
    #[must_use]
    pub fn enter(&self) -> Running {
        self.0.fetch_add(1, Ordering::AcqRel);
        Running(self.clone())
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

/// One running call; see [`InFlight::enter`].
#[derive(Debug)]
pub struct Running(InFlight);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A listener that knows its own credentials, so that it can be handed to a router as it is.
///
/// ```
/// use maitre_core::*;
///
/// # struct Bazaar(Credentials);
/// # impl Marketplace for Bazaar {
/// #     const NAME: &'static str = "bazaar";
/// #     fn slug(&self) -> &str { self.0.user() }
/// # }
/// # struct Widgets;
/// # impl Listener for Widgets {
/// #     async fn provision(&self, r: Provision) -> Result<Provisioned> { Ok(Provisioned::new(r.resource)) }
/// #     async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> { Ok(PlanChanged::new()) }
/// #     async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> { Ok(Deprovisioned::new()) }
/// #     async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> { Ok(SignedOn::redirect("/")) }
/// # }
/// impl Credentialed for Widgets {
///     type Marketplace = Bazaar;
///     fn credentials(&self) -> Bazaar {
///         Bazaar(Credentials::new("lantern", "s3cr3t-example", "0f1e2d3c").expect("no part is empty"))
///     }
/// }
/// let addon: Addon<Bazaar> = Widgets.into_addon();
/// assert_eq!(addon.id().slug(), "lantern");
/// ```
pub trait Credentialed {
    /// The marketplace that it answers.
    type Marketplace: Marketplace;

    /// What the marketplace knows the add-on by; asked once, when the router is made.
    fn credentials(&self) -> Self::Marketplace;
}

/// What a router can be made from: an [`Addon`], a pair of credentials and listener, or a listener that is
/// [`Credentialed`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which add-on of this marketplace it answers for",
    label = "a listener without credentials",
    note = "wrap it: `Addon::from_manifest(\"addon-manifest.json\", listener)?`, or `Addon::new(credentials, listener)`",
    note = "or implement `Credentialed` for it, and pass it as it is"
)]
pub trait IntoAddon<M: Marketplace> {
    /// The add-on.
    fn into_addon(self) -> Addon<M>;
}

impl<M: Marketplace> IntoAddon<M> for Addon<M> {
    fn into_addon(self) -> Addon<M> {
        self
    }
}

impl<M: Marketplace, B: Backend> IntoAddon<M> for (M, B) {
    fn into_addon(self) -> Addon<M> {
        Addon::new(self.0, self.1)
    }
}

impl<B: Backend + Credentialed> IntoAddon<B::Marketplace> for B {
    fn into_addon(self) -> Addon<B::Marketplace> {
        Addon::new(self.credentials(), self)
    }
}

#[cfg(test)]
mod tests {
    use super::is_at;

    #[test]
    fn a_listed_origin_is_matched_whole() {
        let origin = "https://app.example.org";
        for there in [
            "https://app.example.org",
            "https://app.example.org/",
            "HTTPS://App.example.org?a",
            "https://app.example.org#b",
        ] {
            assert!(is_at(there, origin), "{there}");
        }
        for elsewhere in [
            "https://app.example.org.evil.example/",
            "https://app.example.org@evil.example/",
            "https://app.example.org:81/",
            "http://app.example.org/",
            "https://app.example.org/\r\nX: y",
            "https://app.example.org\\@evil.example",
            "https://",
            "",
        ] {
            assert!(!is_at(elsewhere, origin), "{elsewhere}");
        }
    }
}
