//! The rows as the commands know them, and what is sealed in them.

use std::borrow::Cow;

use super::Engine;
use crate::db::{Command, Connection, Row, values};
use crate::error::LedgerError;
use crate::rules::State;
use crate::stored::{StoredReply, StoredRequest};

/// Kind of operation on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    /// Makes the resource.
    Provision,
    /// Changes the plan of the resource.
    PlanChange,
    /// Removes the resource.
    Deprovision,
}

/// State of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationState {
    /// Waiting for its turn, running, waiting for a retry, or waiting for its notification.
    Open,
    /// Failed too often: an operator has to retry or abandon it.
    Parked,
    /// Finished with a reply, which may be a refusal.
    Completed,
    /// Overtaken by a deprovision or replaced by a new provision.
    Cancelled,
    /// Given up by an operator.
    Abandoned,
}

macro_rules! names {
    ($type:ident { $($variant:ident $name:literal),+ $(,)? }, $unknown:literal) => {
        impl $type {
            /// Name in the database and in an operator's view.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            pub(crate) fn read(text: &str) -> Result<Self, LedgerError> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(LedgerError::damaged($unknown)),
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

names!(OperationKind { Provision "provision", PlanChange "plan_change", Deprovision "deprovision" }, "unknown operation kind");
names!(
    OperationState {
        Open "open",
        Parked "parked",
        Completed "completed",
        Cancelled "cancelled",
        Abandoned "abandoned",
    },
    "unknown operation state"
);

pub(crate) use OperationKind as Kind;

/// A row of `maitre_resources`.
pub(crate) struct Resource {
    pub(crate) id: i64,
    pub(crate) addon: String,
    pub(crate) key: String,
    pub(crate) state: State,
    pub(crate) plan: Option<String>,
    pub(crate) asked: Option<Vec<u8>>,
    pub(crate) reply: Option<Vec<u8>>,
    pub(crate) fence: i64,
}

impl Resource {
    pub(crate) fn read(row: &Row) -> Result<Self, LedgerError> {
        Ok(Self {
            id: row.number("id")?,
            addon: row.text("addon")?,
            key: row.text("key")?,
            state: row.text("state")?.parse().map_err(|()| LedgerError::damaged("a resource in an unknown state"))?,
            plan: row.maybe_text("plan")?,
            asked: row.maybe_bytes("request_hash")?,
            reply: row.maybe_bytes("reply")?,
            fence: row.number("fence")?,
        })
    }
}

impl Resource {
    /// The resource of an operation, held until the transaction ends: its row stands for its lane.
    pub(super) async fn of_operation(on: &mut Connection<'_>, operation: i64) -> Result<Self, LedgerError> {
        let lane = "SELECT * FROM maitre_resources
             WHERE id = (SELECT resource FROM maitre_operations WHERE id = $1) {lock}";
        let row = on.maybe_row(lane, values![operation]).await?;
        Self::read(&row.ok_or(LedgerError::damaged("an operation without a resource"))?)
    }
}

/// Looks a resource up without holding it.
pub(crate) struct Find {
    pub(crate) addon: String,
    pub(crate) id: String,
}

impl Command for Find {
    type Outcome = Option<Resource>;

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> Result<Option<Resource>, LedgerError> {
        let by_key = "SELECT * FROM maitre_resources WHERE addon = $1 AND key = $2";
        let by_name = "SELECT * FROM maitre_resources WHERE addon = $1 AND provider_id = $2 ORDER BY id DESC LIMIT 1";
        for (statement, id) in [(by_key, &*key_of(&self.id)), (by_name, &*self.id)] {
            if let Some(row) = on.maybe_row(statement, values![&self.addon, id]).await? {
                return Resource::read(&row).map(Some);
            }
        }
        Ok(None)
    }
}

/// The resource by its key; held until the transaction ends.
pub(super) async fn hold_key(on: &mut Connection<'_>, addon: &str, key: &str) -> Result<Option<Resource>, LedgerError> {
    let by_key = "SELECT * FROM maitre_resources WHERE addon = $1 AND key = $2 {lock}";
    on.maybe_row(by_key, values![addon, key]).await?.map(|row| Resource::read(&row)).transpose()
}

/// The resource by its key or, where that is none's, by the vendor's name of it; held until the transaction ends.
pub(super) async fn hold(on: &mut Connection<'_>, addon: &str, id: &str) -> Result<Option<Resource>, LedgerError> {
    if let Some(resource) = hold_key(on, addon, &key_of(id)).await? {
        return Ok(Some(resource));
    }
    let by_name =
        "SELECT * FROM maitre_resources WHERE addon = $1 AND provider_id = $2 ORDER BY id DESC LIMIT 1 {lock}";
    on.maybe_row(by_name, values![addon, id]).await?.map(|row| Resource::read(&row)).transpose()
}

/// One resource, one key, in whatever case a uuid is written.
pub(crate) fn key_of(id: &str) -> Cow<'_, str> {
    if is_uuid(id) { id.to_ascii_lowercase().into() } else { id.into() }
}

pub(super) fn is_uuid(id: &str) -> bool {
    id.len() == 36 && uuid::Uuid::try_parse(id).is_ok()
}

/// What a sealed value is bound to: a row, and a column of it.
pub(crate) fn place(addon: &str, key: &str, column: &str) -> String {
    format!("{column} of {addon} {key}")
}

impl Engine {
    pub(super) fn seal_request(&self, addon: &str, key: &str, kind: Kind, request: &[u8]) -> Vec<u8> {
        self.keys.seal(&place(addon, key, kind.as_str()), request)
    }

    pub(super) fn open_request(
        &self,
        addon: &str,
        key: &str,
        kind: Kind,
        sealed: &[u8],
    ) -> Result<StoredRequest, LedgerError> {
        let request = self.keys.open(&place(addon, key, kind.as_str()), sealed)?;
        serde_json::from_slice(&request).map_err(|_| LedgerError::damaged("a request that cannot be read"))
    }

    pub(super) fn seal_reply(&self, addon: &str, key: &str, reply: &StoredReply) -> Vec<u8> {
        self.keys.seal(&place(addon, key, "reply"), &serde_json::to_vec(reply).unwrap_or_default())
    }

    /// The answer that a resource holds.
    pub(crate) fn reply_of(&self, resource: &Resource) -> Result<StoredReply, LedgerError> {
        let sealed = resource.reply.as_ref().ok_or(LedgerError::damaged("a resource without its reply"))?;
        self.open_reply(&resource.addon, &resource.key, sealed)
    }

    pub(super) fn open_reply(&self, addon: &str, key: &str, sealed: &[u8]) -> Result<StoredReply, LedgerError> {
        let reply = self.keys.open(&place(addon, key, "reply"), sealed)?;
        serde_json::from_slice(&reply).map_err(|_| LedgerError::damaged("a reply that cannot be read"))
    }
}
