//! Every change of the records: one command, one transaction.

mod begin;
mod finish;
mod lease;
mod mark;
mod sweep;

use std::borrow::Cow;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Executor};

use crate::db::{Columns, Db, Milliseconds};
use crate::error::LedgerError;
use crate::rules::State;
use crate::seal::Keys;
use crate::stored::{StoredReply, StoredRequest};

pub(crate) use lease::{Claimed, Lease};

/// The session value that ties a session to the resource it was opened for.
pub(crate) const RESOURCE: &str = "maitre.resource";

/// What an operation does to its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Provision,
    PlanChange,
    Deprovision,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Provision => "provision",
            Self::PlanChange => "plan change",
            Self::Deprovision => "deprovision",
        }
    }

    fn read(text: &str) -> Result<Self, LedgerError> {
        [Self::Provision, Self::PlanChange, Self::Deprovision]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(LedgerError::damaged("an operation of an unknown kind"))
    }
}

/// A change of the records.
pub(crate) enum Command {
    Provision { addon: String, key: String, plan: String, asked: Vec<u8>, request: Vec<u8> },
    PlanChange { addon: String, id: String, plan: String, request: Vec<u8> },
    Deprovision { addon: String, id: String },
    Claim { operation: i64 },
    Renew { operation: i64, fence: i64 },
    Finish { lease: Lease, reply: StoredReply },
    Defer { lease: Lease, cause: String },
    Sweep,
    Retry { operation: i64 },
    Mark { decider: Vec<u8>, weaker: Vec<Vec<u8>>, for_milliseconds: Milliseconds },
}

/// What became of a command.
pub(crate) enum Outcome {
    Begun(Begun),
    Claimed(Claimed),
    /// Whether the record was still the caller's to change, the mark new, or anything there to sweep.
    Done(bool),
}

/// How a request goes on after its intent is written down.
pub(crate) enum Begun {
    /// Call the listener under this lease.
    Run(Lease),
    /// Wait for this operation, or take it over.
    Wait {
        operation: i64,
        key: String,
    },
    /// The answer is known.
    Reply(StoredReply),
    /// Done already, and nothing to say.
    NoCall,
    Conflict,
    Unknown,
    Gone,
    Unavailable,
}

/// How often and how long things are tried.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) lease: Milliseconds,
    pub(crate) attempts: i64,
    pub(crate) first_backoff: Milliseconds,
    pub(crate) last_backoff: Milliseconds,
    /// How long a provision that nobody asks for any more is tried.
    pub(crate) patience: Milliseconds,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lease: 30_000,
            attempts: 12,
            first_backoff: 1_000,
            last_backoff: 15 * 60_000,
            patience: 24 * 60 * 60_000,
        }
    }
}

/// The commands' home: knows the tables, the keys and the limits, and holds no state.
pub(crate) struct Engine {
    pub(crate) db: Db,
    pub(crate) keys: Keys,
    pub(crate) owner: String,
    pub(crate) limits: Limits,
}

impl Engine {
    pub(crate) async fn apply(&self, on: &mut AnyConnection, command: &Command) -> Result<Outcome, LedgerError> {
        match command {
            Command::Provision { addon, key, plan, asked, request } => {
                self.begin_provision(on, addon, &key_of(key), plan, asked, request).await.map(Outcome::Begun)
            }
            Command::PlanChange { addon, id, plan, request } => {
                self.begin_plan_change(on, addon, id, plan, request).await.map(Outcome::Begun)
            }
            Command::Deprovision { addon, id } => self.begin_deprovision(on, addon, id).await.map(Outcome::Begun),
            Command::Claim { operation } => self.claim(on, *operation).await.map(Outcome::Claimed),
            Command::Renew { operation, fence } => self.renew(on, *operation, *fence).await.map(Outcome::Done),
            Command::Finish { lease, reply } => self.finish(on, lease, reply).await.map(Outcome::Done),
            Command::Defer { lease, cause } => self.defer(on, lease, cause).await.map(Outcome::Done),
            Command::Retry { operation } => self.retry(on, *operation).await.map(Outcome::Done),
            Command::Sweep => self.sweep(on).await.map(Outcome::Done),
            Command::Mark { decider, weaker, for_milliseconds } => {
                self.mark(on, decider, weaker, *for_milliseconds).await.map(Outcome::Done)
            }
        }
    }

    /// The resource by its key or, where that is none's, by the vendor's name of it; held until the transaction ends.
    pub(crate) async fn resource(
        &self,
        on: &mut AnyConnection,
        addon: &str,
        id: &str,
    ) -> Result<Option<Resource>, LedgerError> {
        let by_key = "SELECT * FROM maitre_resources WHERE addon = $1 AND key = $2 {lock}";
        let by_name =
            "SELECT * FROM maitre_resources WHERE addon = $1 AND provider_id = $2 ORDER BY id DESC LIMIT 1 {lock}";
        self.first_of(on, addon, [(by_key, &key_of(id)), (by_name, id)]).await
    }

    /// The same without holding it.
    pub(crate) async fn look_up(
        &self,
        on: &mut AnyConnection,
        addon: &str,
        id: &str,
    ) -> Result<Option<Resource>, LedgerError> {
        let by_key = "SELECT * FROM maitre_resources WHERE addon = $1 AND key = $2";
        let by_name = "SELECT * FROM maitre_resources WHERE addon = $1 AND provider_id = $2 ORDER BY id DESC LIMIT 1";
        self.first_of(on, addon, [(by_key, &key_of(id)), (by_name, id)]).await
    }

    async fn first_of(
        &self,
        on: &mut AnyConnection,
        addon: &str,
        ways: [(&'static str, &str); 2],
    ) -> Result<Option<Resource>, LedgerError> {
        for (statement, id) in ways {
            let find = sqlx::query(self.db.sql(statement)).bind(addon).bind(id);
            if let Some(row) = on.fetch_optional(find).await? {
                return Resource::read(&row).map(Some);
            }
        }
        Ok(None)
    }

    pub(crate) fn seal_request(&self, addon: &str, key: &str, kind: Kind, request: &[u8]) -> Vec<u8> {
        self.keys.seal(&place(addon, key, kind.as_str()), request)
    }

    pub(crate) fn open_request(
        &self,
        addon: &str,
        key: &str,
        kind: Kind,
        sealed: &[u8],
    ) -> Result<StoredRequest, LedgerError> {
        let request = self.keys.open(&place(addon, key, kind.as_str()), sealed)?;
        serde_json::from_slice(&request).map_err(|_| LedgerError::damaged("a request that cannot be read"))
    }

    pub(crate) fn seal_reply(&self, addon: &str, key: &str, reply: &StoredReply) -> Vec<u8> {
        self.keys.seal(&place(addon, key, "reply"), &serde_json::to_vec(reply).unwrap_or_default())
    }

    pub(crate) fn open_reply(&self, addon: &str, key: &str, sealed: &[u8]) -> Result<StoredReply, LedgerError> {
        let reply = self.keys.open(&place(addon, key, "reply"), sealed)?;
        serde_json::from_slice(&reply).map_err(|_| LedgerError::damaged("a reply that cannot be read"))
    }
}

/// One resource, one key, in whatever case a uuid is written.
pub(crate) fn key_of(id: &str) -> Cow<'_, str> {
    if is_uuid(id) { id.to_ascii_lowercase().into() } else { id.into() }
}

pub(crate) fn is_uuid(id: &str) -> bool {
    id.len() == 36 && uuid::Uuid::try_parse(id).is_ok()
}

/// What a sealed value is bound to: a row, and a column of it.
pub(crate) fn place(addon: &str, key: &str, column: &str) -> String {
    format!("{column} of {addon} {key}")
}

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
    pub(crate) fn read(row: &AnyRow) -> Result<Self, LedgerError> {
        Ok(Self {
            id: row.number("id")?,
            addon: row.text("addon")?,
            key: row.text("key")?,
            state: row.text("state")?.parse().map_err(|()| LedgerError::damaged("a resource in an unknown state"))?,
            plan: row.maybe_text("plan")?,
            asked: row.maybe_bytes("asked")?,
            reply: row.maybe_bytes("reply")?,
            fence: row.number("fence")?,
        })
    }
}
