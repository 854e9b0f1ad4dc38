//! Requests and replies as they stand, sealed, in the records.

use std::collections::BTreeMap;
use std::time::Duration;

use maitre_core::{
    AddonId, Completion, ConfigVars, Failure, FailureKind, OauthGrant, PlanChange, PlatformHooks, Provision,
    ResourceId, Secret,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::engine::Kind;
use crate::reply::{Reply, config_of};

/// All that is needed to ask the listener once more, on another machine and after any time.
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
    give_way: Option<u64>,
    plan: String,
    name: Option<String>,
    region: Option<String>,
    callback_url: Option<String>,
    grant: Option<StoredGrant>,
    options: BTreeMap<String, String>,
    log_input_url: Option<String>,
    log_drain_token: Option<String>,
    tenant: Option<String>,
    logplex_token: Option<String>,
    features: Map<String, Value>,
    extra: Map<String, Value>,
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
    give_way: Option<u64>,
    plan: String,
    tenant: Option<String>,
    features: Map<String, Value>,
    extra: Map<String, Value>,
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
            give_way: milliseconds(request.context.async_after),
            plan: request.plan.clone(),
            name: request.name.clone(),
            region: request.region.clone(),
            callback_url: expose(request.callback_url.as_ref()),
            grant: request.oauth_grant.as_ref().map(|grant| StoredGrant {
                code: grant.code.expose().to_owned(),
                kind: grant.kind.clone(),
                expires_at: grant.expires_at.unix_timestamp(),
            }),
            options: request.options.clone(),
            log_input_url: expose(request.log_input_url.as_ref()),
            log_drain_token: expose(request.log_drain_token.as_ref()),
            tenant: request.tenant.clone(),
            logplex_token: expose(request.logplex_token.as_ref()),
            features: request.features.clone(),
            extra: request.extra.clone(),
        }))
    }
}

impl From<&PlanChange> for StoredRequest {
    fn from(request: &PlanChange) -> Self {
        Self::PlanChange(StoredPlanChange {
            give_way: milliseconds(request.context.async_after),
            plan: request.plan.clone(),
            tenant: request.tenant.clone(),
            features: request.features.clone(),
            extra: request.extra.clone(),
        })
    }
}

impl StoredProvision {
    pub(crate) fn revive(self, addon: AddonId, key: &str) -> Provision {
        let mut request = Provision::new(addon, key, self.plan);
        request.context.keyed = self.keyed;
        request.context.async_after = self.give_way.map(Duration::from_millis);
        request.name = self.name;
        request.region = self.region;
        request.callback_url = self.callback_url.map(Into::into);
        request.oauth_grant = self.grant.map(|grant| {
            let end = OffsetDateTime::from_unix_timestamp(grant.expires_at);
            let mut revived = OauthGrant::new(grant.code, end.unwrap_or(OffsetDateTime::UNIX_EPOCH));
            revived.kind = grant.kind;
            revived
        });
        request.options = self.options;
        request.log_input_url = self.log_input_url.map(Into::into);
        request.log_drain_token = self.log_drain_token.map(Into::into);
        request.tenant = self.tenant;
        request.logplex_token = self.logplex_token.map(Into::into);
        request.features = self.features;
        request.extra = self.extra;
        request
    }
}

impl StoredPlanChange {
    pub(crate) fn revive(self, addon: AddonId, key: &str) -> PlanChange {
        let mut request = PlanChange::new(addon, key, self.plan);
        request.context.async_after = self.give_way.map(Duration::from_millis);
        request.tenant = self.tenant;
        request.features = self.features;
        request.extra = self.extra;
        request
    }
}

/// What makes two provisions of one resource the same: plan, region and options of the first. A grant, the name,
/// callback and log fields differ from retry to retry. A digest, as it has to be compared alone; it is sealed, as options
/// can be guessed.
pub(crate) fn asked(request: &Provision) -> [u8; 32] {
    let asked = (&request.plan, &request.region, &request.options, &request.features);
    Sha256::digest(serde_json::to_vec(&asked).unwrap_or_default()).into()
}

/// What was answered, to be answered again.
#[derive(Serialize, Deserialize, Clone)]
pub(crate) enum StoredReply {
    Provisioned {
        id: String,
        /// The vendor's own name, where the marketplace is answered another.
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
    pub(crate) fn failed(failure: &Failure) -> Self {
        Self::Failed { kind: failure.kind().into(), message: failure.message().map(ToOwned::to_owned) }
    }

    /// With the vendor's own name of the resource beside the one that the marketplace is answered.
    pub(crate) fn owned(mut self, own_name: Option<String>) -> Self {
        if let Self::Provisioned { own, .. } = &mut self {
            *own = own_name;
        }
        self
    }

    /// Tells a marketplace that was told that this comes later.
    pub(crate) async fn tell(
        &self,
        follow: &dyn PlatformHooks,
        kind: Kind,
        addon: &AddonId,
        resource: &ResourceId,
    ) -> Result<(), Failure> {
        let config = |vars: &[(String, String)]| {
            let mut config = ConfigVars::default();
            for (name, value) in vars {
                config.set(name, value.clone());
            }
            config
        };
        match (kind, self) {
            (Kind::Provision, Self::Provisioned { config: vars, .. }) => {
                follow.notify(addon, resource, Completion::Provisioned(&config(vars))).await
            }
            (Kind::PlanChange, Self::PlanChanged { config: vars, .. }) => {
                follow.notify(addon, resource, Completion::PlanChanged(&config(vars))).await
            }
            (Kind::Deprovision, _) => follow.notify(addon, resource, Completion::Deprovisioned).await,
            (Kind::Provision, failed) => {
                follow.notify(addon, resource, Completion::ProvisionFailed(failed.failure_kind())).await
            }
            (Kind::PlanChange, failed) => {
                follow.notify(addon, resource, Completion::PlanChangeFailed(failed.failure_kind())).await
            }
        }
    }

    fn failure_kind(&self) -> FailureKind {
        match self {
            Self::Failed { kind: StoredKind::Refused, .. } => FailureKind::Refused,
            Self::Failed { kind: StoredKind::Conflict, .. } => FailureKind::Conflict,
            Self::Failed { kind: StoredKind::Unknown, .. } => FailureKind::Unknown,
            Self::Failed { kind: StoredKind::Gone, .. } => FailureKind::Gone,
            _ => FailureKind::Unavailable,
        }
    }

    /// What stands in the records of a resource that the marketplace does not know any more: what was made is taken down.
    pub(crate) fn of_what_is_gone(self, kind: Kind) -> Self {
        match (kind, self) {
            (Kind::Provision, Self::Provisioned { .. }) => {
                Self::Failed { kind: StoredKind::Unavailable, message: None }
            }
            (_, reply) => reply,
        }
    }

    /// A reply of the wrong shape cannot have been written for this operation: the records are damaged.
    pub(crate) fn revive<T: Reply>(self) -> Result<T, Failure> {
        if let Self::Failed { kind, message } = self {
            let failure = match kind {
                StoredKind::Refused => Failure::refused("The add-on provider declined this request."),
                StoredKind::Conflict => Failure::conflict("The add-on provider declined this request."),
                StoredKind::Unknown => Failure::unknown(),
                StoredKind::Gone => Failure::gone(),
                StoredKind::Unavailable => Failure::unavailable("an earlier try failed"),
            };
            return Err(match message {
                Some(message) => failure.with_message(message),
                None => failure,
            });
        }
        T::revive(self).ok_or_else(|| Failure::unavailable("the ledger holds a reply of another kind"))
    }

    /// After a plan change, a replayed provision carries the config of today.
    pub(crate) fn with_config_of(self, change: &Self) -> Self {
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
