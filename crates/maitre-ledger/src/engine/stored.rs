//! Requests and replies as they are stored, encrypted.

use std::time::Duration;

use maitre_core::{AddonId, ConfigVars, Failure, FailureKind, OauthGrant, PlanChange, Provision, Secret};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

/// Request with everything that is needed to call the listener again, in any process and at any time.
#[derive(Serialize, Deserialize)]
pub(crate) enum StoredRequest {
    Provision(Box<StoredProvision>),
    PlanChange(StoredPlanChange),
    Deprovision,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredProvision {
    keyed: bool,
    #[serde(default)]
    async_after: Option<u64>,
    plan: String,
    name: Option<String>,
    region: Option<String>,
    service: Option<String>,
    grant: Option<StoredGrant>,
    parameters: Map<String, Value>,
    details: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct StoredGrant {
    code: String,
    kind: String,
    expires_at: i64,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredPlanChange {
    #[serde(default)]
    async_after: Option<u64>,
    plan: String,
    service: Option<String>,
    parameters: Option<Map<String, Value>>,
    details: Map<String, Value>,
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
        }))
    }
}

impl From<&PlanChange> for StoredRequest {
    fn from(request: &PlanChange) -> Self {
        Self::PlanChange(StoredPlanChange {
            async_after: milliseconds(request.context.async_after),
            plan: request.plan.clone(),
            service: request.service.clone(),
            parameters: request.parameters.as_ref().map(|parameters| parameters.as_map().clone()),
            details: request.details.as_map().clone(),
        })
    }
}

impl StoredProvision {
    pub(crate) fn restore(self, addon: AddonId, key: &str) -> Provision {
        let mut request = Provision::new(addon, key, self.plan);
        request.context.keyed = self.keyed;
        request.context.async_after = self.async_after.map(Duration::from_millis);
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
        request.details = self.details.into();
        request
    }
}

impl StoredPlanChange {
    pub(crate) fn restore(self, addon: AddonId, key: &str) -> PlanChange {
        let mut request = PlanChange::new(addon, key, self.plan);
        request.context.async_after = self.async_after.map(Duration::from_millis);
        request.service = self.service;
        request.parameters = self.parameters.map(Into::into);
        request.details = self.details.into();
        request
    }
}

/// Returns the hash by which a repeated provision is compared: of its identity, by default service, plan, region and
/// parameters.
///
/// Grant, name and details differ between retries. The hash is stored encrypted, because parameters can be guessed.
pub(crate) fn request_hash(request: &Provision) -> [u8; 32] {
    Sha256::digest(request.identity()).into()
}

pub(crate) fn config_of(config: &ConfigVars) -> Vec<(String, String)> {
    config.iter().map(|(name, value)| (name.to_owned(), value.expose().to_owned())).collect()
}

/// Reply to be returned again.
#[derive(Serialize, Deserialize, Clone)]
pub(crate) enum StoredReply {
    Provisioned {
        id: String,
        /// Vendor's id of the resource, where the marketplace was given another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        own: Option<String>,
        config: Vec<(String, String)>,
        message: Option<String>,
        log_drain_url: Option<String>,
    },
    PlanChanged {
        config: Vec<(String, String)>,
        message: Option<String>,
    },
    Deprovisioned {
        message: Option<String>,
    },
    Failed {
        kind: StoredKind,
        message: Option<String>,
    },
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredKind {
    Refused,
    Conflict,
    Unknown,
    Gone,
    Unavailable,
}

impl From<FailureKind> for StoredKind {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Refused => Self::Refused,
            FailureKind::Conflict => Self::Conflict,
            FailureKind::Unknown => Self::Unknown,
            FailureKind::Gone => Self::Gone,
            _ => Self::Unavailable,
        }
    }
}

impl StoredReply {
    pub(super) fn failure(kind: StoredKind) -> Self {
        Self::Failed { kind, message: None }
    }

    /// Whether the reply is a failure that is not the operation's final reply.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Failed { kind: StoredKind::Unavailable, .. })
    }

    /// Returns the reply with the vendor's id of the resource, which differs from the one given to the marketplace.
    pub(crate) fn with_provider_id(mut self, provider_id: Option<String>) -> Self {
        if let Self::Provisioned { own, .. } = &mut self {
            *own = provider_id;
        }
        self
    }

    /// Returns the kind of the failure; `Unavailable` for a reply of the wrong type.
    pub(crate) fn failure_kind(&self) -> FailureKind {
        match self {
            Self::Failed { kind: StoredKind::Refused, .. } => FailureKind::Refused,
            Self::Failed { kind: StoredKind::Conflict, .. } => FailureKind::Conflict,
            Self::Failed { kind: StoredKind::Unknown, .. } => FailureKind::Unknown,
            Self::Failed { kind: StoredKind::Gone, .. } => FailureKind::Gone,
            _ => FailureKind::Unavailable,
        }
    }

    /// Returns the reply to record if the marketplace no longer knows the resource: a provisioned resource is
    /// deprovisioned.
    pub(crate) fn for_missing_resource(self) -> Self {
        match self {
            Self::Provisioned { .. } => Self::failure(StoredKind::Unavailable),
            reply => reply,
        }
    }

    /// Returns the provision's reply with the config vars of a plan change, because a replay returns the current config.
    pub(super) fn with_config_of(self, change: &Self) -> Self {
        let (Self::Provisioned { id, own, config, message, log_drain_url }, Self::PlanChanged { config: changed, .. }) =
            (self.clone(), change)
        else {
            return self;
        };
        let mut vars = ConfigVars::default();
        for (name, value) in config.into_iter().chain(changed.iter().cloned()) {
            vars.set(name, value);
        }
        Self::Provisioned { id, own, config: config_of(&vars), message, log_drain_url }
    }
}

impl From<&Failure> for StoredReply {
    fn from(failure: &Failure) -> Self {
        Self::Failed { kind: failure.kind().into(), message: failure.message().map(ToOwned::to_owned) }
    }
}
