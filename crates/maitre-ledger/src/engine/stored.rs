//! Requests as they are stored, encrypted.

use std::time::Duration;

use maitre_core::{
    AddonId, Bind, Deprovision, OauthGrant, PlanChange, Provision, Rotate, Secret, TraceParent, Unbind, Update,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

/// Request with everything that is needed to call the listener again, in any process and at any time, also by a program of
/// another release: fields are only added, with a default, and none that an older program needs is removed.
#[derive(Serialize, Deserialize)]
pub(crate) enum StoredRequest {
    Provision(Box<StoredProvision>),
    PlanChange(Box<StoredPlanChange>),
    Deprovision(StoredDeprovision),
    Update(StoredUpdate),
    Bind(Box<StoredBind>),
    Unbind(StoredUnbind),
    Rotate(StoredRotate),
}

#[derive(Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a request")]
pub(crate) struct StoredProvision {
    keyed: bool,
    #[serde(default)]
    async_after: Option<u64>,
    #[serde(default)]
    polled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reads_back: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    shows_pending: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    plan: String,
    name: Option<String>,
    region: Option<String>,
    #[serde(default)]
    service: Option<String>,
    grant: Option<StoredGrant>,
    #[serde(rename = "options")]
    parameters: Map<String, Value>,
    #[serde(rename = "extra")]
    details: Map<String, Value>,
    #[serde(flatten)]
    older: OlderDetails,
}

/// Details that the first release stored in fields of their own.
#[derive(Default, Serialize, Deserialize)]
struct OlderDetails {
    /// Always written, as the first release needs it.
    #[serde(default)]
    features: Map<String, Value>,
    #[serde(default, skip_serializing)]
    callback_url: Option<String>,
    #[serde(default, skip_serializing)]
    log_input_url: Option<String>,
    #[serde(default, skip_serializing)]
    log_drain_token: Option<String>,
    #[serde(default, skip_serializing)]
    logplex_token: Option<String>,
    #[serde(default, skip_serializing)]
    tenant: Option<String>,
}

impl OlderDetails {
    /// Returns all details, under the names that marketplaces send.
    fn merge_into(self, mut details: Map<String, Value>, addon: &AddonId) -> Map<String, Value> {
        let tenant = format!("{}_id", addon.marketplace());
        for (name, value) in [
            ("callback_url", self.callback_url),
            ("log_input_url", self.log_input_url),
            ("log_drain_token", self.log_drain_token),
            ("logplex_token", self.logplex_token),
            (&*tenant, self.tenant),
        ] {
            if let Some(value) = value {
                details.insert(name.to_owned(), value.into());
            }
        }
        if !self.features.is_empty() {
            details.insert("features".to_owned(), self.features.into());
        }
        details
    }
}

#[derive(Serialize, Deserialize)]
struct StoredGrant {
    code: String,
    kind: String,
    expires_at: i64,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredPlanChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default)]
    async_after: Option<u64>,
    #[serde(default)]
    polled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reads_back: bool,
    plan: String,
    #[serde(default)]
    service: Option<String>,
    #[serde(default)]
    parameters: Option<Map<String, Value>>,
    #[serde(rename = "extra")]
    details: Map<String, Value>,
    #[serde(flatten)]
    older: OlderDetails,
}

/// Stored only if it has a trace: a deprovision needs nothing else.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct StoredDeprovision {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredUpdate {
    async_after: Option<u64>,
    polled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reads_back: bool,
    service: Option<String>,
    name: Option<String>,
    parameters: Map<String, Value>,
    details: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredBind {
    binding: String,
    async_after: Option<u64>,
    polled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    service: Option<String>,
    plan: Option<String>,
    app: Option<String>,
    parameters: Map<String, Value>,
    predecessor: Option<String>,
    details: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredUnbind {
    binding: String,
    async_after: Option<u64>,
    polled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    details: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredRotate {
    async_after: Option<u64>,
    polled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    /// Milliseconds.
    keep_old: u64,
    reason: Option<String>,
    key: Option<String>,
    details: Map<String, Value>,
}

fn parse(trace: Option<&String>) -> Option<TraceParent> {
    trace.and_then(|trace| TraceParent::parse(trace))
}

impl StoredRequest {
    /// Returns the trace that the request belongs to.
    pub(super) fn trace(&self) -> Option<TraceParent> {
        parse(match self {
            Self::Provision(request) => request.trace.as_ref(),
            Self::PlanChange(request) => request.trace.as_ref(),
            Self::Update(request) => request.trace.as_ref(),
            Self::Bind(request) => request.trace.as_ref(),
            Self::Unbind(request) => request.trace.as_ref(),
            Self::Rotate(request) => request.trace.as_ref(),
            Self::Deprovision(request) => request.trace.as_ref(),
        })
    }
}

fn milliseconds(duration: Option<Duration>) -> Option<u64> {
    duration.map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

pub(crate) fn expose(secret: Option<&Secret>) -> Option<String> {
    secret.map(|secret| secret.expose().to_owned())
}

impl From<&Provision> for StoredRequest {
    fn from(request: &Provision) -> Self {
        Self::Provision(Box::new(StoredProvision {
            keyed: request.context.keyed,
            async_after: milliseconds(request.context.async_after),
            polled: request.context.polled,
            trace: request.context.trace.as_ref().map(ToString::to_string),
            reads_back: request.context.reads_back,
            shows_pending: request.context.shows_pending,
            account: request.account.as_ref().map(ToString::to_string),
            plan: request.plan.clone(),
            name: request.name.clone(),
            region: request.region.clone(),
            service: request.service.clone(),
            grant: request.oauth_grant.as_ref().map(|grant| StoredGrant {
                code: grant.code.expose().to_owned(),
                kind: grant.kind.clone(),
                expires_at: grant.expires_at.unix_timestamp(),
            }),
            parameters: request.parameters.as_map().clone(),
            details: request.details.as_map().clone(),
            older: OlderDetails::default(),
        }))
    }
}

impl From<&PlanChange> for StoredRequest {
    fn from(request: &PlanChange) -> Self {
        Self::PlanChange(Box::new(StoredPlanChange {
            name: request.name.clone(),
            async_after: milliseconds(request.context.async_after),
            polled: request.context.polled,
            trace: request.context.trace.as_ref().map(ToString::to_string),
            reads_back: request.context.reads_back,
            plan: request.plan.clone(),
            service: request.service.clone(),
            parameters: request.parameters.as_ref().map(|parameters| parameters.as_map().clone()),
            details: request.details.as_map().clone(),
            older: OlderDetails::default(),
        }))
    }
}

impl StoredProvision {
    pub(crate) fn restore(self, addon: AddonId, key: &str) -> Provision {
        let details = self.older.merge_into(self.details, &addon);
        let mut request = Provision::new(addon, key, self.plan);
        request.context.keyed = self.keyed;
        request.context.reads_back = self.reads_back;
        request.context.shows_pending = self.shows_pending;
        request.account = self.account.map(Into::into);
        request.context.async_after = self.async_after.map(Duration::from_millis);
        request.context.polled = self.polled;
        request.context.trace = parse(self.trace.as_ref());
        request.name = self.name;
        request.region = self.region;
        request.service = self.service;
        request.oauth_grant = self.grant.map(|grant| {
            let end = OffsetDateTime::from_unix_timestamp(grant.expires_at);
            let mut restored = OauthGrant::new(grant.code, end.unwrap_or(OffsetDateTime::UNIX_EPOCH));
            restored.kind = grant.kind;
            restored
        });
        request.parameters = self.parameters.into();
        request.details = details.into();
        request
    }
}

impl StoredPlanChange {
    pub(crate) fn has_parameters(&self) -> bool {
        self.parameters.is_some()
    }

    pub(crate) fn restore(self, addon: AddonId, key: &str) -> PlanChange {
        let details = self.older.merge_into(self.details, &addon);
        let mut request = PlanChange::new(addon, key, self.plan);
        request.name = self.name;
        request.context.reads_back = self.reads_back;
        request.context.async_after = self.async_after.map(Duration::from_millis);
        request.context.polled = self.polled;
        request.context.trace = parse(self.trace.as_ref());
        request.service = self.service;
        request.parameters = self.parameters.map(Into::into);
        request.details = details.into();
        request
    }
}

impl StoredDeprovision {
    /// Creates it for an operation that a request with this trace has caused.
    pub(crate) fn new(trace: &TraceParent) -> Self {
        Self { trace: Some(trace.to_string()) }
    }

    pub(crate) fn restore(&self, addon: AddonId, key: &str) -> Deprovision {
        let mut request = Deprovision::new(addon, key);
        request.context.trace = parse(self.trace.as_ref());
        request
    }
}

impl From<&Update> for StoredRequest {
    fn from(request: &Update) -> Self {
        Self::Update(StoredUpdate {
            async_after: milliseconds(request.context.async_after),
            polled: request.context.polled,
            trace: request.context.trace.as_ref().map(ToString::to_string),
            reads_back: request.context.reads_back,
            service: request.service.clone(),
            name: request.name.clone(),
            parameters: request.parameters.as_map().clone(),
            details: request.details.as_map().clone(),
        })
    }
}

impl StoredUpdate {
    pub(crate) fn restore(self, addon: AddonId, key: &str) -> Update {
        let mut request = Update::new(addon, key);
        request.context.reads_back = self.reads_back;
        request.context.async_after = self.async_after.map(Duration::from_millis);
        request.context.polled = self.polled;
        request.context.trace = parse(self.trace.as_ref());
        (request.service, request.name) = (self.service, self.name);
        (request.parameters, request.details) = (self.parameters.into(), self.details.into());
        request
    }
}

impl From<&Bind> for StoredRequest {
    fn from(request: &Bind) -> Self {
        Self::Bind(Box::new(StoredBind {
            binding: request.binding.to_string(),
            async_after: milliseconds(request.context.async_after),
            polled: request.context.polled,
            trace: request.context.trace.as_ref().map(ToString::to_string),
            service: request.service.clone(),
            plan: request.plan.clone(),
            app: request.app.clone(),
            parameters: request.parameters.as_map().clone(),
            predecessor: request.predecessor.as_ref().map(ToString::to_string),
            details: request.details.as_map().clone(),
        }))
    }
}

impl StoredBind {
    pub(crate) fn restore(self, addon: AddonId, key: &str) -> Bind {
        let mut request = Bind::new(addon, key, self.binding);
        request.context.async_after = self.async_after.map(Duration::from_millis);
        request.context.polled = self.polled;
        request.context.trace = parse(self.trace.as_ref());
        (request.service, request.plan, request.app) = (self.service, self.plan, self.app);
        (request.parameters, request.details) = (self.parameters.into(), self.details.into());
        request.predecessor = self.predecessor.map(Into::into);
        request
    }
}

impl From<&Unbind> for StoredRequest {
    fn from(request: &Unbind) -> Self {
        Self::Unbind(StoredUnbind {
            binding: request.binding.to_string(),
            async_after: milliseconds(request.context.async_after),
            polled: request.context.polled,
            trace: request.context.trace.as_ref().map(ToString::to_string),
            details: request.details.as_map().clone(),
        })
    }
}

impl StoredUnbind {
    pub(crate) fn restore(self, addon: AddonId, key: &str) -> Unbind {
        let mut request = Unbind::new(addon, key, self.binding);
        request.context.async_after = self.async_after.map(Duration::from_millis);
        request.context.polled = self.polled;
        request.context.trace = parse(self.trace.as_ref());
        request.details = self.details.into();
        request
    }
}

impl From<&Rotate> for StoredRequest {
    fn from(request: &Rotate) -> Self {
        Self::Rotate(StoredRotate {
            async_after: milliseconds(request.context.async_after),
            polled: request.context.polled,
            trace: request.context.trace.as_ref().map(ToString::to_string),
            keep_old: milliseconds(Some(request.keep_old)).unwrap_or_default(),
            reason: request.reason.clone(),
            key: request.context.idempotency_key.as_deref().map(ToOwned::to_owned),
            details: request.details.as_map().clone(),
        })
    }
}

impl StoredRotate {
    pub(crate) fn restore(self, addon: AddonId, key: &str) -> Rotate {
        let mut request = Rotate::new(addon, key);
        request.context.async_after = self.async_after.map(Duration::from_millis);
        request.context.polled = self.polled;
        request.context.trace = parse(self.trace.as_ref());
        request.context.idempotency_key = self.key.map(Into::into);
        (request.keep_old, request.reason) = (Duration::from_millis(self.keep_old), self.reason);
        request.details = self.details.into();
        request
    }
}

/// Returns the hash by which a repeated request is compared: of its identity, which its contract decides.
///
/// By default, grant, name and details differ between retries. The hash is stored encrypted, because parameters can be
/// guessed.
pub(crate) fn request_hash(identity: &[u8]) -> [u8; 32] {
    Sha256::digest(identity).into()
}
