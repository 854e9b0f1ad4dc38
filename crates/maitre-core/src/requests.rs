//! What marketplaces ask of a listener, in the words of the core.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::secret::Secret;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::addon::AddonId;
use crate::sso::VerifiedToken;

/// The name by which a request means a resource.
///
/// In a provision it is the resource's *key*: what the marketplace calls it (Heroku: the `uuid`), or, where the
/// marketplace sends no key, a fresh uuid drawn for this one request. In a plan change or deprovision it is the id in
/// the path as it came: the `id` that the listener answered, or the key. Look both up, or answer `id` = key.
///
/// ```
/// use maitre_core::ResourceId;
///
/// let resource = ResourceId::new("7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21");
/// assert_eq!(resource.as_str(), "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21");
/// assert_eq!(format!("widget {resource}"), "widget 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId(Arc<str>);

impl ResourceId {
    /// A resource by its name.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl AsRef<str> for ResourceId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ResourceId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl From<String> for ResourceId {
    fn from(id: String) -> Self {
        Self(id.into())
    }
}

impl From<ResourceId> for Value {
    fn from(id: ResourceId) -> Self {
        Self::from(id.as_str())
    }
}

/// A grant that can be exchanged once, within minutes, for a token of the marketplace's API.
#[derive(Clone)]
#[non_exhaustive]
pub struct OauthGrant {
    /// The code, good for one exchange.
    pub code: Secret,
    /// `authorization_code`, wherever it was seen.
    pub kind: String,
    /// When the code dies; five minutes after its arrival where the marketplace's text could not be read.
    pub expires_at: OffsetDateTime,
}

impl OauthGrant {
    /// A grant of the kind `authorization_code`.
    pub fn new(code: impl Into<Secret>, expires_at: OffsetDateTime) -> Self {
        Self { code: code.into(), kind: "authorization_code".into(), expires_at }
    }
}

impl fmt::Debug for OauthGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OauthGrant").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// A customer installed the add-on; Heroku's `POST /resources`.
///
/// Fields that a marketplace does not send are empty. `Debug` shows only what may stand in a log: URLs, options and
/// unknown fields may hold secrets. They are data: `maitre` never calls a URL it was sent.
///
/// ```
/// use maitre_core::{AddonId, Provision};
///
/// let mut request = Provision::new(AddonId::new("heroku", "lantern"), "7b0c9c1e", "basic");
/// request.options.insert("retention".into(), "7d".into());
/// assert!(!format!("{request:?}").contains("7d"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Provision {
    /// Which add-on of which marketplace is meant.
    pub addon: AddonId,
    /// The resource's key: create or get by it.
    pub resource: ResourceId,
    /// The bare plan name (`basic`), as the marketplace sent it or, for one that knows no plans, as you mapped it.
    pub plan: String,
    /// The resource's display name (Heroku: globally unique, may change later).
    pub name: Option<String>,
    /// Where the customer's app runs, free text (`amazon-web-services::eu-west-1`).
    pub region: Option<String>,
    /// The resource at the marketplace's API.
    pub callback_url: Option<Secret>,
    /// What the API's token is made from; absent for older apps and in local tests.
    pub oauth_grant: Option<OauthGrant>,
    /// What the customer added at the command line; validated by nobody, unknown ones are to be ignored.
    pub options: BTreeMap<String, String>,
    /// Where to write lines into the customer's log (manifest: `requires` has `log_input`).
    pub log_input_url: Option<Secret>,
    /// Names the app in the log lines it will send (manifest: `requires` has `syslog_drain`).
    pub log_drain_token: Option<Secret>,
    /// The customer's app or deployment: cloudControl's `cloudcontrol_id`, Heroku v1's `heroku_id`.
    pub tenant: Option<String>,
    /// The log token of Heroku v1 and cloudControl.
    pub logplex_token: Option<Secret>,
    /// What Opperator sends in the place of a plan.
    pub features: Map<String, Value>,
    /// Every field that no contract documents, kept as it came.
    pub extra: Map<String, Value>,
    /// Execution context.
    pub context: Context,
}

impl Provision {
    /// A request with nothing but the fields that every one has.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>, plan: impl Into<String>) -> Self {
        Self {
            addon,
            resource: resource.into(),
            plan: plan.into(),
            name: None,
            region: None,
            callback_url: None,
            oauth_grant: None,
            options: BTreeMap::new(),
            log_input_url: None,
            log_drain_token: None,
            tenant: None,
            logplex_token: None,
            features: Map::new(),
            extra: Map::new(),
            context: Context::default(),
        }
    }
}

impl fmt::Debug for Provision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provision")
            .field("addon", &self.addon)
            .field("resource", &self.resource)
            .field("plan", &self.plan)
            .field("name", &self.name)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// The customer chose another plan; `PUT` on the resource.
///
/// ```
/// use maitre_core::{AddonId, PlanChange};
///
/// let request = PlanChange::new(AddonId::new("heroku", "lantern"), "7b0c9c1e", "premium");
/// assert_eq!(request.plan, "premium");
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct PlanChange {
    /// Which add-on of which marketplace is meant.
    pub addon: AddonId,
    /// The id in the path: the one that the listener answered, or the key.
    pub resource: ResourceId,
    /// The new plan's bare name.
    pub plan: String,
    /// The customer's app or deployment, where it is sent.
    pub tenant: Option<String>,
    /// What Opperator sends in the place of a plan.
    pub features: Map<String, Value>,
    /// Every other field. A `uuid` here names nothing: older checkers send a random one.
    pub extra: Map<String, Value>,
    /// Execution context.
    pub context: Context,
}

impl PlanChange {
    /// A request with nothing but the fields that every one has.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>, plan: impl Into<String>) -> Self {
        Self {
            addon,
            resource: resource.into(),
            plan: plan.into(),
            tenant: None,
            features: Map::new(),
            extra: Map::new(),
            context: Context::default(),
        }
    }
}

impl fmt::Debug for PlanChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanChange")
            .field("addon", &self.addon)
            .field("resource", &self.resource)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// The customer removed the add-on; `DELETE` on the resource, without a body.
///
/// ```
/// use maitre_core::{AddonId, Deprovision};
///
/// let request = Deprovision::new(AddonId::new("heroku", "lantern"), "7b0c9c1e");
/// assert_eq!(request.resource.as_str(), "7b0c9c1e");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Deprovision {
    /// Which add-on of which marketplace is meant.
    pub addon: AddonId,
    /// The id in the path: the one that the listener answered, or the key.
    pub resource: ResourceId,
    /// Execution context.
    pub context: Context,
}

impl Deprovision {
    /// Removes the resource.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>) -> Self {
        Self { addon, resource: resource.into(), context: Context::default() }
    }
}

/// The customer nears a limit of the plan; Opperator's `PUT /plan_warning/{id}`, whose body nobody ever defined.
///
/// ```
/// use maitre_core::{AddonId, PlanWarning};
///
/// let request = PlanWarning::new(AddonId::new("opperator", "lantern"), "inst-77");
/// assert!(request.extra.is_empty());
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct PlanWarning {
    /// Which add-on of which marketplace is meant.
    pub addon: AddonId,
    /// The id in the path.
    pub resource: ResourceId,
    /// The body, if there was one.
    pub extra: Map<String, Value>,
}

impl PlanWarning {
    /// A warning without a body.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>) -> Self {
        Self { addon, resource: resource.into(), extra: Map::new() }
    }
}

impl fmt::Debug for PlanWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanWarning")
            .field("addon", &self.addon)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

/// How far a provision is, in sentences for the customer and for the vendor's operators.
///
/// Whoever asks meanwhile is told the last one (Heroku: the `message` of a 202). Without a ledger nobody hears it.
///
/// ```
/// use maitre_core::Progress;
///
/// let said = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
/// let heard = said.clone();
/// let progress = Progress::new(move |sentence| heard.lock().unwrap().push(sentence));
/// progress.report("Your cluster is starting.");
/// assert_eq!(*said.lock().unwrap(), ["Your cluster is starting."]);
/// Progress::default().report("Nobody hears this.");
/// ```
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn Fn(String) + Send + Sync>>);

impl Progress {
    /// Sentences go to `hear`, which must not wait.
    pub fn new(hear: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hear)))
    }

    /// Says how far it is.
    pub fn report(&self, sentence: impl Into<String>) {
        if let Some(hear) = &self.0 {
            hear(sentence.into());
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

/// Execution context of a request, set by the router and the ledger.
///
/// A listener needs it only to report progress and to reject late writes by the fencing token.
///
/// ```
/// use maitre_core::{AddonId, Provision};
///
/// let request = Provision::new(AddonId::new("heroku", "lantern"), "7b0c9c1e", "basic");
/// assert_eq!(request.context.fence, 0);
/// request.context.progress.report("Your cluster is starting.");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Context {
    /// Fencing token: grows with every run of an operation on this resource, so that the vendor can reject writes of an
    /// earlier run. 0 without a ledger.
    pub fence: u64,
    /// How long the marketplace waits before the operation is answered as accepted. `None` where the marketplace needs
    /// the result in this response.
    pub async_after: Option<Duration>,
    /// Progress reporter of a long operation.
    pub progress: Progress,
    /// Whether the marketplace chose the resource's key, and so means the same resource when it repeats the request.
    pub keyed: bool,
}

impl Default for Context {
    fn default() -> Self {
        Self { fence: 0, async_after: None, progress: Progress::default(), keyed: true }
    }
}

/// Who the marketplace says is at the door, and whether its signature says so too.
///
/// Only Heroku's SHA-256 token covers the person. With any other, whoever holds a fresh form may write another name
/// into it: good for a greeting, not for a decision.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// Covered by the token that let the person in.
    #[non_exhaustive]
    Verified {
        /// The marketplace's id of the person: the key to recognise one by.
        user_id: String,
        /// The person's address; it may change.
        email: String,
    },
    /// Written in the form and signed by nothing.
    #[non_exhaustive]
    Claimed {
        /// The marketplace's id of the person.
        user_id: Option<String>,
        /// The person's address.
        email: Option<String>,
    },
}

impl Identity {
    /// A person that a signature vouches for.
    ///
    /// ```
    /// use maitre_core::Identity;
    ///
    /// let identity = Identity::verified("c4b1f2d0", "ada@example.org");
    /// assert!(identity.is_verified());
    /// assert_eq!(identity.email(), Some("ada@example.org"));
    /// ```
    pub fn verified(user_id: impl Into<String>, email: impl Into<String>) -> Self {
        Self::Verified { user_id: user_id.into(), email: email.into() }
    }

    /// A person that the form names.
    ///
    /// ```
    /// use maitre_core::Identity;
    ///
    /// assert!(!Identity::claimed(None, Some("ada@example.org".into())).is_verified());
    /// ```
    #[must_use]
    pub fn claimed(user_id: Option<String>, email: Option<String>) -> Self {
        Self::Claimed { user_id, email }
    }

    /// Whether the deciding token covers the person.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        matches!(self, Self::Verified { .. })
    }

    /// The person's id, verified or not.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        match self {
            Self::Verified { user_id, .. } => Some(user_id),
            Self::Claimed { user_id, .. } => user_id.as_deref(),
        }
    }

    /// The person's address, verified or not.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::Verified { email, .. } => Some(email),
            Self::Claimed { email, .. } => email.as_deref(),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_verified() { "Verified(..)" } else { "Claimed(..)" })
    }
}

/// A person came from the marketplace with a valid token.
///
/// Of all fields only [`resource`](Self::resource) and a [verified identity](Identity::Verified) are signed.
///
/// ```
/// use maitre_core::sso::{TokenKind, VerifiedToken, Window};
/// use maitre_core::{AddonId, Identity, SignOn};
///
/// let who = Identity::verified("c4b1f2d0", "ada@example.org");
/// let token = VerifiedToken::new(TokenKind::User, "1772000000", Window::default())?;
/// let request = SignOn::new(AddonId::new("heroku", "lantern"), "7b0c9c1e", who, token);
/// assert!(!format!("{request:?}").contains("ada@example.org"));
/// # Ok::<(), maitre_core::sso::TokenError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct SignOn {
    /// Which add-on of which marketplace is meant.
    pub addon: AddonId,
    /// The resource that the deciding token covers: its key, or with the v1 `token` the id that the listener answered.
    pub resource: ResourceId,
    /// Who is at the door.
    pub identity: Identity,
    /// The token that decided.
    pub token: VerifiedToken,
    /// The app that owns the resource.
    pub app: Option<String>,
    /// The app that the person came from, where a resource is shared.
    pub context_app: Option<String>,
    /// The marketplace's header, base64url JSON, signed by nothing; see [`is_cookie_safe`](crate::sso::is_cookie_safe).
    pub nav_data: Option<String>,
    /// Every other field of the form, tokens and timestamp left out.
    pub extra: BTreeMap<String, String>,
}

impl SignOn {
    /// A request with nothing but the fields that every one has.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>, identity: Identity, token: VerifiedToken) -> Self {
        Self {
            addon,
            resource: resource.into(),
            identity,
            token,
            app: None,
            context_app: None,
            nav_data: None,
            extra: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for SignOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignOn")
            .field("addon", &self.addon)
            .field("resource", &self.resource)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
