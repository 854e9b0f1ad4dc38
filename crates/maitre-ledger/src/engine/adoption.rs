//! Values of an adoption: existing resources, and the contradictions between them and the ledger.

use std::fmt;

use maitre_core::{AddonId, ConfigVars};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::rows::key_of;
use super::rules::State;
use super::stored_reply::{StoredReply, config_of};

/// Longest key, provider id or plan, in bytes; routers reject longer ones.
const MAX_LENGTH: usize = 1024;

/// Resource that exists at the marketplace and at the vendor, for [`Ledger::adopt`](crate::Ledger::adopt).
///
/// ```
/// use maitre_core::AddonId;
/// use maitre_ledger::Adoption;
///
/// let addon = AddonId::new("heroku", "lantern");
/// let adoption = Adoption::new(addon, "7B0C9C1E-2F1D-4C58-9A57-3F6A5C0D1E21", "basic")
///     .with_provider_id("641")
///     .with_config([("LANTERN_URL", "https://u4:pw@eu1.lantern.example/t4")]);
/// assert_eq!(adoption.key(), "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21", "a UUID is in lower case");
/// assert!(!format!("{adoption:?}").contains("pw"));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Adoption {
    pub(super) addon: AddonId,
    pub(super) key: String,
    pub(super) provider_id: Option<String>,
    pub(super) plan: String,
    pub(super) config: Option<ConfigVars>,
    pub(super) created_at: Option<OffsetDateTime>,
}

impl Adoption {
    /// Creates the description of a resource: the marketplace's id of it (Heroku: the `uuid`) and its current plan.
    pub fn new(addon: AddonId, key: impl AsRef<str>, plan: impl Into<String>) -> Self {
        let key = key_of(key.as_ref()).into_owned();
        Self { addon, key, provider_id: None, plan: plan.into(), config: None, created_at: None }
    }

    /// Sets the vendor's id, if the marketplace was given another id than the key.
    pub fn with_provider_id(mut self, id: impl Into<String>) -> Self {
        self.provider_id = Some(id.into());
        self
    }

    /// Sets the current config vars, which a repeated provision is answered with. Without them, it is a conflict.
    pub fn with_config<N: Into<String>, V: Into<maitre_core::Secret>>(
        mut self,
        config: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.config = Some(config.into_iter().collect());
        self
    }

    /// Sets the time at which the resource was provisioned. Defaults to the time of the adoption.
    pub fn with_created_at(mut self, created_at: OffsetDateTime) -> Self {
        self.created_at = Some(created_at);
        self
    }

    /// Returns the add-on.
    #[must_use]
    pub fn addon(&self) -> &AddonId {
        &self.addon
    }

    /// Returns the key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the vendor's id if it differs from the key.
    pub(crate) fn own_id(&self) -> Option<&str> {
        self.provider_id.as_deref().filter(|id| *id != self.key)
    }

    /// Returns the reply to a repeated provision, if the config vars are known.
    pub(super) fn reply(&self) -> Option<StoredReply> {
        let id = self.own_id().unwrap_or(&self.key).to_owned();
        let config = config_of(self.config.as_ref()?);
        Some(StoredReply::provisioned(id, config))
    }

    /// Returns the first value that no request could have.
    pub(crate) fn invalid(&self) -> Option<&'static str> {
        let is_invalid = |text: &str| text.is_empty() || text.len() > MAX_LENGTH || text.chars().any(char::is_control);
        let values = [("key", Some(&*self.key)), ("plan", Some(&*self.plan)), ("provider id", self.own_id())];
        values.into_iter().find(|(_, value)| value.is_some_and(is_invalid)).map(|(name, _)| name)
    }

    /// Returns a digest of everything but the position in the import.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let config = self.config.as_ref().map(config_of);
        let created_at = self.created_at.map(OffsetDateTime::unix_timestamp_nanos);
        let all = (self.addon.to_string(), &self.key, self.own_id(), &self.plan, config, created_at);
        Sha256::digest(serde_json::to_vec(&all).unwrap_or_default()).into()
    }
}

/// Result of an adoption.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AdoptReport {
    /// Number of resources that were adopted, or would be in a dry run.
    pub adopted: u64,
    /// Number of resources that the ledger knew with the same values.
    pub unchanged: u64,
    /// Resources that were not adopted, in the order of the import.
    pub contradictions: Vec<Contradiction>,
}

/// Resource that was not adopted because it contradicts the ledger or an earlier one of the same import.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contradiction {
    /// Position in the import, from 1.
    pub position: usize,
    /// Add-on of the resource.
    pub addon: AddonId,
    /// Key of the resource.
    pub key: String,
    /// Reason.
    pub kind: ContradictionKind,
}

/// Reason of a [`Contradiction`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContradictionKind {
    /// The resource is in this state in the ledger, for example deprovisioned.
    State(State),
    /// The resource has this plan in the ledger.
    Plan(Option<String>),
    /// The resource has this provider id in the ledger.
    ProviderId(Option<String>),
    /// The resource has other config vars in the ledger.
    Config,
    /// The key or the provider id already identifies the resource with this key.
    IdTaken(String),
    /// The import has the same key with other values at this position.
    Duplicate(usize),
    /// An operation of the resource is in progress: adopt the resource when it has ended.
    InProgress,
    /// This value is empty, too long, or contains control characters.
    Invalid(&'static str),
}

impl fmt::Display for ContradictionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => write!(f, "the resource is {state} in the ledger"),
            Self::Plan(Some(plan)) => write!(f, "the plan is {plan:?} in the ledger"),
            Self::Plan(None) => f.write_str("the plan is not known in the ledger"),
            Self::ProviderId(Some(id)) => write!(f, "the provider id is {id:?} in the ledger"),
            Self::ProviderId(None) => f.write_str("the provider id is the key in the ledger"),
            Self::Config => f.write_str("the config vars differ from those in the ledger"),
            Self::IdTaken(key) => write!(f, "the key or the provider id already identifies the resource {key:?}"),
            Self::Duplicate(position) => write!(f, "entry {position} has the same key and other values"),
            Self::InProgress => f.write_str("an operation is in progress: adopt the resource when it has ended"),
            Self::Invalid(value) => write!(f, "the {value} is empty, too long, or contains control characters"),
        }
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}, {} {}: {}", self.position, self.addon, self.key, self.kind)
    }
}
