//! The optional parts of an integration, and what the vendor's code receives for them.

use std::fmt;
use std::sync::Arc;

use maitre_axum::core::{AccountId, AddonId, BoxFuture, PlatformStore, ResourceId, Result};
use serde_json::Value;

use crate::output::VercelOutput;

/// Function of the vendor.
pub(crate) type Handler<Q, A> = Arc<dyn Fn(Q) -> BoxFuture<'static, Result<A>> + Send + Sync>;

/// The optional parts that an integration offers. Their routes do not exist otherwise.
#[derive(Clone, Default)]
pub(crate) struct Optional {
    pub(crate) console: Option<Handler<VercelCommand, VercelOutput>>,
    pub(crate) purchases: Option<Handler<VercelPurchase, Value>>,
    pub(crate) transfers: Option<Arc<dyn PlatformStore>>,
}

impl fmt::Debug for Optional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Optional")
            .field("console", &self.console.is_some())
            .field("purchases", &self.purchases.is_some())
            .field("transfers", &self.transfers.is_some())
            .finish()
    }
}

/// Command that a user has entered in the console of a resource.
#[derive(Clone)]
#[non_exhaustive]
pub struct VercelCommand {
    /// The add-on.
    pub addon: AddonId,
    /// The installation.
    pub account: AccountId,
    /// The resource, by its key as in [`Provision::resource`](maitre_axum::core::Provision::resource).
    pub resource: ResourceId,
    /// Text of the command.
    pub input: String,
    /// Whether the command must not change anything. The vendor's code has to enforce it.
    pub read_only: bool,
    /// The user, an administrator of the installation.
    pub user_id: String,
    /// Email address of the user.
    pub user_email: Option<String>,
}

/// Prints no text of the user.
impl fmt::Debug for VercelCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VercelCommand")
            .field("account", &self.account)
            .field("resource", &self.resource)
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}

/// Purchase of credits by a paid invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VercelPurchase {
    /// The add-on.
    pub addon: AddonId,
    /// The installation.
    pub account: AccountId,
    /// Vercel's id of the invoice. A repeated purchase has the same one, and must not be credited again.
    pub invoice: String,
}
