//! Rows of the tables, each read in one place, and leases.

use std::borrow::Cow;

use maitre_core::{AddonId, TraceParent};
use time::OffsetDateTime;

use super::operation::{OperationKind, OperationState};
use super::rules::State;
use crate::db::{Connection, Milliseconds, Row, values};
use crate::error::LedgerError;

/// Row of `maitre_resources`.
#[derive(Clone)]
pub(crate) struct Resource {
    pub(crate) id: i64,
    pub(crate) addon: String,
    pub(crate) key: String,
    pub(crate) provider_id: Option<String>,
    pub(crate) state: State,
    pub(crate) plan: Option<String>,
    pub(super) request_hash: Option<Vec<u8>>,
    pub(super) reply: Option<Vec<u8>>,
    pub(super) fence: i64,
    /// Whether the ledger knows that the resource exists or existed; `false` while the listener is asked.
    pub(super) confirmed: bool,
}

impl Resource {
    pub(super) fn read(row: &Row) -> Result<Self, LedgerError> {
        let row = row.of("maitre_resources")?;
        Ok(Self {
            id: row.id,
            addon: row.text("addon")?,
            key: row.text("key")?,
            provider_id: row.optional_text("provider_id")?,
            state: row.parse("state")?,
            plan: row.optional_text("plan")?,
            request_hash: row.optional_bytes("request_hash")?,
            reply: row.optional_bytes("reply")?,
            fence: row.number("fence")?,
            confirmed: row.flag("confirmed")?,
        })
    }

    /// Locks the resource of an operation until the transaction ends. The lock also serializes the resource's operations.
    ///
    /// Returns `None` if the operation asked for a resource that the listener does not know: both rows are deleted.
    pub(super) async fn lock_by_operation(
        db: &mut Connection<'_>,
        operation: i64,
    ) -> Result<Option<Self>, LedgerError> {
        let select = "SELECT * FROM maitre_resources
             WHERE id = (SELECT resource_id FROM maitre_operations WHERE id = $1) {lock}";
        db.optional_row(select, values![operation]).await?.map(|row| Self::read(&row)).transpose()
    }

    /// Locks the resource with this key until the transaction ends.
    pub(super) async fn lock_by_key(
        db: &mut Connection<'_>,
        addon: &str,
        key: &str,
    ) -> Result<Option<Self>, LedgerError> {
        let select = "SELECT * FROM maitre_resources WHERE addon = $1 AND key = $2 {lock}";
        db.optional_row(select, values![addon, key]).await?.map(|row| Self::read(&row)).transpose()
    }

    /// Locks the resource with this key or, if there is none, this provider id until the transaction ends.
    pub(super) async fn lock(db: &mut Connection<'_>, addon: &str, id: &str) -> Result<Option<Self>, LedgerError> {
        if let Some(resource) = Self::lock_by_key(db, addon, &key_of(id)).await? {
            return Ok(Some(resource));
        }
        let select =
            "SELECT * FROM maitre_resources WHERE addon = $1 AND provider_id = $2 ORDER BY id DESC LIMIT 1 {lock}";
        db.optional_row(select, values![addon, id]).await?.map(|row| Self::read(&row)).transpose()
    }
}

/// Row of `maitre_operations`, with the remaining times by the database's clock.
pub(crate) struct Operation {
    pub(super) id: i64,
    pub(super) kind: OperationKind,
    pub(super) state: OperationState,
    pub(super) plan: Option<String>,
    pub(super) request: Option<Vec<u8>>,
    pub(super) reply: Option<Vec<u8>>,
    pub(super) last_error: Option<Vec<u8>>,
    pub(super) progress: Option<Vec<u8>>,
    pub(super) attempt: i64,
    pub(super) fence: i64,
    pub(super) notifying: bool,
    pub(super) binding: Option<i64>,
    pub(super) request_hash: Option<Vec<u8>>,
    pub(super) requested_at: Milliseconds,
    /// Time since the request.
    pub(super) age: Milliseconds,
    pub(super) accepted_at: Option<Milliseconds>,
    pub(super) scheduled_at: Milliseconds,
    pub(super) finished_at: Option<Milliseconds>,
    pub(super) lease_owner: Option<String>,
    pub(super) lease_left: Milliseconds,
    pub(super) delay_left: Milliseconds,
    pub(super) deadline_left: Option<Milliseconds>,
}

/// Start of a statement that [`Operation::read`] understands.
macro_rules! select_operations {
    ($rest:literal) => {
        concat!(
            "SELECT *, {now} - requested_at AS age, lease_until - {now} AS lease_left,
             scheduled_at - {now} AS delay_left, completion_deadline - {now} AS deadline_left FROM maitre_operations ",
            $rest
        )
    };
}

impl Operation {
    fn read(row: &Row) -> Result<Self, LedgerError> {
        let row = row.of("maitre_operations")?;
        Ok(Self {
            id: row.id,
            kind: row.parse("kind")?,
            state: row.parse("state")?,
            plan: row.optional_text("plan")?,
            request: row.optional_bytes("request")?,
            reply: row.optional_bytes("reply")?,
            last_error: row.optional_bytes("last_error")?,
            progress: row.optional_bytes("progress")?,
            attempt: row.number("attempt")?,
            fence: row.number("fence")?,
            notifying: row.flag("notifying")?,
            binding: row.optional_number("binding_id")?,
            request_hash: row.optional_bytes("request_hash")?,
            requested_at: row.number("requested_at")?,
            age: row.number("age")?,
            accepted_at: row.optional_number("accepted_at")?,
            scheduled_at: row.number("scheduled_at")?,
            finished_at: row.optional_number("finished_at")?,
            lease_owner: row.optional_text("lease_owner")?,
            lease_left: row.number("lease_left")?,
            delay_left: row.number("delay_left")?,
            deadline_left: row.optional_number("deadline_left")?,
        })
    }

    pub(super) async fn get(db: &mut Connection<'_>, id: i64) -> Result<Self, LedgerError> {
        Self::read(&db.row(select_operations!("WHERE id = $1"), values![id]).await?)
    }

    /// Returns the parked operations with the id of their resource, oldest first, at most a hundred.
    pub(super) async fn parked(db: &mut Connection<'_>) -> Result<Vec<(i64, Self)>, LedgerError> {
        let select = select_operations!("WHERE state = 'parked' ORDER BY last_requested_at LIMIT 100");
        let rows = db.rows(select, &[]).await?;
        rows.iter().map(|row| Ok((row.number("resource_id")?, Self::read(row)?))).collect()
    }

    /// Returns the operation of a resource with this id, or its latest; those of one binding, or those of the resource.
    pub(super) async fn latest(
        db: &mut Connection<'_>,
        resource: i64,
        binding: Option<i64>,
        id: Option<i64>,
    ) -> Result<Option<Self>, LedgerError> {
        let select = select_operations!(
            "WHERE resource_id = $1 AND COALESCE(binding_id, 0) = $2 AND ($3 = 0 OR id = $3)
             AND ($2 > 0 OR kind NOT IN ('bind', 'unbind')) ORDER BY id DESC LIMIT 1"
        );
        let values = values![resource, binding.unwrap_or(0), id.unwrap_or(0)];
        db.optional_row(select, values).await?.map(|row| Self::read(&row)).transpose()
    }

    /// Returns the open plan changes, updates and rotations of a resource, oldest first.
    pub(super) async fn open_changes(db: &mut Connection<'_>, resource: i64) -> Result<Vec<Self>, LedgerError> {
        let select = select_operations!(
            "WHERE resource_id = $1 AND state = 'open' AND kind IN ('plan_change', 'update', 'rotate')
             ORDER BY id"
        );
        db.rows(select, values![resource]).await?.iter().map(Self::read).collect()
    }

    /// Returns the latest operation of a resource whose request had this key.
    pub(super) async fn by_request_key(
        db: &mut Connection<'_>,
        resource: i64,
        kind: OperationKind,
        key: &str,
    ) -> Result<Option<Self>, LedgerError> {
        let select =
            select_operations!("WHERE resource_id = $1 AND request_key = $2 AND kind = $3 ORDER BY id DESC LIMIT 1");
        let row = db.optional_row(select, values![resource, key, kind.as_str()]).await?;
        row.map(|row| Self::read(&row)).transpose()
    }

    /// Returns the operations of a resource, oldest first.
    pub(super) async fn of_resource(db: &mut Connection<'_>, resource: i64) -> Result<Vec<Self>, LedgerError> {
        let rows = db.rows(select_operations!("WHERE resource_id = $1 ORDER BY id"), values![resource]).await?;
        rows.iter().map(Self::read).collect()
    }
}

/// Row of `maitre_jobs`, with the remaining time by the database's clock.
pub(super) struct JobRow {
    pub(super) id: i64,
    pub(super) addon: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) resource: Option<String>,
    pub(super) payload: Option<Vec<u8>>,
    pub(super) last_error: Option<Vec<u8>>,
    pub(super) state: OperationState,
    pub(super) attempt: i64,
    pub(super) alarm_level: i64,
    pub(super) created_at: Milliseconds,
    pub(super) scheduled_at: Milliseconds,
    pub(super) finished_at: Option<Milliseconds>,
    pub(super) deadline_left: Option<Milliseconds>,
}

impl JobRow {
    /// Reads a row of `SELECT *, deadline - {now} AS deadline_left FROM maitre_jobs`.
    pub(super) fn read(row: &Row) -> Result<Self, LedgerError> {
        let row = row.of("maitre_jobs")?;
        Ok(Self {
            id: row.id,
            addon: row.text("addon")?,
            kind: row.text("kind")?,
            name: row.text("name")?,
            resource: row.optional_text("resource")?,
            payload: row.optional_bytes("payload")?,
            last_error: row.optional_bytes("last_error")?,
            state: row.parse("state")?,
            attempt: row.number("attempt")?,
            alarm_level: row.number("alarm_level")?,
            created_at: row.number("created_at")?,
            scheduled_at: row.number("scheduled_at")?,
            finished_at: row.optional_number("finished_at")?,
            deadline_left: row.optional_number("deadline_left")?,
        })
    }
}

/// Right to run one operation until the lease expires. The result is written only while its fencing token is the
/// resource's highest.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) operation: i64,
    pub(crate) resource: i64,
    pub(crate) fence: i64,
    pub(crate) addon: String,
    pub(crate) key: String,
    pub(crate) kind: OperationKind,
    pub(crate) plan: Option<String>,
    /// Whether this is the first attempt on a resource that the ledger has never seen, so that the listener's "unknown"
    /// cannot mean that an earlier attempt has deprovisioned it.
    pub(crate) asks: bool,
    /// Whether the request had the resource's key for certain, so that a tombstone is kept for it in any case.
    pub(crate) keyed: bool,
    /// Binding of a bind or unbind.
    pub(crate) binding: Option<i64>,
    /// Trace that the request belongs to.
    pub(crate) trace: Option<TraceParent>,
}

/// Returns the key of a resource: a UUID in lower case, so that one resource has one key.
pub(crate) fn key_of(id: &str) -> Cow<'_, str> {
    if is_uuid(id) { id.to_ascii_lowercase().into() } else { id.into() }
}

pub(super) fn is_uuid(id: &str) -> bool {
    id.len() == 36 && uuid::Uuid::try_parse(id).is_ok()
}

pub(super) fn timestamp(milliseconds: Milliseconds) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Parses the name of an add-on in the database: `heroku/widgets`.
pub(crate) fn addon_id(name: &str) -> Result<AddonId, LedgerError> {
    name.parse().map_err(|_| LedgerError::corrupt(format!("unexpected add-on {name:?}")))
}
