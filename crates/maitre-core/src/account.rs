//! Accounts: a customer's installation of the add-on, above its resources.

use std::collections::BTreeSet;
use std::fmt;

use crate::fields::Fields;
use crate::ids::{AccountId, AddonId, ResourceId};
use crate::secret::Secret;

/// Record of an account: one customer's installation of the add-on, at marketplaces that have this level.
///
/// ```
/// use maitre_core::{Account, AccountState};
///
/// let account = Account::new("icfg_1", AccountState::Active);
/// assert!(account.state.is_open());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Account {
    /// The marketplace's id.
    pub id: AccountId,
    /// State of the account.
    pub state: AccountState,
    /// Credentials for the marketplace's API, until the account is gone.
    pub credentials: Option<Secret>,
    /// Fields of the last request that opened or updated the account, until it is gone.
    pub details: Fields,
    /// Names of the plans that its resources have, had, or have requested.
    pub plans: BTreeSet<String>,
}

impl Account {
    /// Creates a record without credentials and details.
    pub fn new(id: impl Into<AccountId>, state: AccountState) -> Self {
        Self { id: id.into(), state, credentials: None, details: Fields::new(), plans: BTreeSet::new() }
    }
}

/// State of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccountState {
    /// Resources can be provisioned.
    Active,
    /// The customer has left. Nothing can be provisioned, but the credentials are still valid, for final invoices.
    Finalizing,
    /// The account is closed. Its id stays as a tombstone.
    Gone,
}

impl AccountState {
    /// Returns the name in logs and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Finalizing => "finalizing",
            Self::Gone => "gone",
        }
    }

    /// Returns whether resources can be provisioned.
    #[must_use]
    pub fn is_open(self) -> bool {
        self == Self::Active
    }
}

/// Request to open an account, or to update an open one: credentials and details are replaced, resources are kept.
///
/// ```
/// use maitre_core::{AddonId, OpenAccount};
///
/// let mut request = OpenAccount::new(AddonId::new("vercel", "lantern"), "icfg_1");
/// request.credentials = Some("vcat_9a".into());
/// assert!(!format!("{request:?}").contains("vcat"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct OpenAccount {
    /// The add-on.
    pub addon: AddonId,
    /// The account.
    pub account: AccountId,
    /// Credentials for the marketplace's API.
    pub credentials: Option<Secret>,
    /// All other fields, unchanged.
    pub details: Fields,
    /// Whether a closed account is opened again. Defaults to `false`: such a request fails as
    /// [`Gone`](crate::FailureKind::Gone).
    pub reopen: bool,
}

impl OpenAccount {
    /// Creates a request without credentials and details.
    pub fn new(addon: AddonId, account: impl Into<AccountId>) -> Self {
        Self { addon, account: account.into(), credentials: None, details: Fields::new(), reopen: false }
    }
}

impl fmt::Debug for OpenAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAccount")
            .field("addon", &self.addon)
            .field("account", &self.account)
            .field("reopen", &self.reopen)
            .finish_non_exhaustive()
    }
}

/// Request to close an account.
///
/// ```
/// use maitre_core::{AddonId, CloseAccount};
///
/// let request = CloseAccount::new(AddonId::new("vercel", "lantern"), "icfg_1");
/// assert!(request.cascade && !request.finalizing);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CloseAccount {
    /// The add-on.
    pub addon: AddonId,
    /// The account.
    pub account: AccountId,
    /// Whether its resources are deprovisioned, too. If not, it is [`Finalizing`](AccountState::Finalizing) as long as it
    /// has resources.
    pub cascade: bool,
    /// Whether its credentials are kept for final invoices: it becomes [`Finalizing`](AccountState::Finalizing), and
    /// [`Gone`](AccountState::Gone) with a second request.
    pub finalizing: bool,
    /// All other fields, unchanged.
    pub details: Fields,
}

impl CloseAccount {
    /// Creates a request that closes the account and deprovisions its resources.
    pub fn new(addon: AddonId, account: impl Into<AccountId>) -> Self {
        Self { addon, account: account.into(), cascade: true, finalizing: false, details: Fields::new() }
    }
}

/// Request for the record of an account, or for its live resources.
///
/// ```
/// use maitre_core::{AddonId, FetchAccount};
///
/// assert_eq!(FetchAccount::new(AddonId::new("vercel", "lantern"), "icfg_1").account, "icfg_1");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FetchAccount {
    /// The add-on.
    pub addon: AddonId,
    /// The account.
    pub account: AccountId,
}

impl FetchAccount {
    /// Creates a request.
    pub fn new(addon: AddonId, account: impl Into<AccountId>) -> Self {
        Self { addon, account: account.into() }
    }
}

/// Notification from a marketplace about an account, such as an invoice or a connected project.
///
/// ```
/// use maitre_core::{AccountNotice, AddonId};
///
/// let mut notice = AccountNotice::new(AddonId::new("vercel", "lantern"), "icfg_1", "marketplace.invoice.paid");
/// notice.id = Some("evt_1".into());
/// assert!(notice.details.is_empty());
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct AccountNotice {
    /// The add-on.
    pub addon: AddonId,
    /// The account.
    pub account: AccountId,
    /// The resource, if the notification is about one.
    pub resource: Option<ResourceId>,
    /// Subject in the marketplace's words.
    pub kind: String,
    /// Id of the delivery, if the marketplace sends one. A ledger passes a repeated delivery to the listener once.
    pub id: Option<String>,
    /// Whether the account was closed at the marketplace: a ledger closes it, with the deprovisions of its resources.
    pub closes: bool,
    /// Fields of the notification, unchanged.
    pub details: Fields,
}

impl AccountNotice {
    /// Creates a notification without details.
    pub fn new(addon: AddonId, account: impl Into<AccountId>, kind: impl Into<String>) -> Self {
        let (account, kind, details) = (account.into(), kind.into(), Fields::new());
        Self { addon, account, resource: None, kind, id: None, closes: false, details }
    }
}

impl fmt::Debug for AccountNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountNotice")
            .field("addon", &self.addon)
            .field("account", &self.account)
            .field("resource", &self.resource)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
