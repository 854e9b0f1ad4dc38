//! Key rotation: encrypts every value again with the current key, in batches of rows.

use super::account::account_aad;
use super::binding::binding_aad;
use super::context::Engine;
use super::sealed::{aad, job_error_aad, payload_aad, value_aad};
use crate::db::{Command, Connection, Row, values};
use crate::error::LedgerError;

/// Table with encrypted columns, and the statement that reads a batch of its rows.
pub(crate) struct ResealedTable {
    rows: &'static str,
    columns: &'static [Column],
}

/// Encrypted column, its associated data, and the statement that updates it.
struct Column {
    name: &'static str,
    aad: fn(&Row) -> Result<String, LedgerError>,
    update: &'static str,
}

macro_rules! columns {
    ($($table:literal $name:literal $aad:expr),+ $(,)?) => {
        &[$(Column {
            name: $name,
            aad: $aad,
            update: concat!("UPDATE ", $table, " SET ", $name, " = $2 WHERE id = $1"),
        }),+]
    };
}

pub(crate) const RESEALED_TABLES: &[ResealedTable] = &[
    ResealedTable {
        rows: "SELECT id, addon, key, request_hash, reply FROM maitre_resources WHERE id > $1 ORDER BY id LIMIT 200 {lock}",
        columns: columns![
            "maitre_resources" "request_hash" |row| of_resource(row, "request_hash"),
            "maitre_resources" "reply" |row| of_resource(row, "reply"),
        ],
    },
    ResealedTable {
        rows: "SELECT o.id AS id, r.addon AS addon, r.key AS key, o.kind AS kind, o.request AS request,
               o.reply AS reply, o.last_error AS last_error, o.progress AS progress, o.request_hash AS request_hash
               FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource_id WHERE o.id > $1
               ORDER BY o.id LIMIT 200 {lock}",
        columns: columns![
            "maitre_operations" "request" |row| of_resource(row, &row.text("kind")?),
            "maitre_operations" "reply" |row| of_resource(row, "reply"),
            "maitre_operations" "last_error" |row| of_resource(row, "last_error"),
            "maitre_operations" "progress" |row| of_resource(row, "progress"),
            "maitre_operations" "request_hash" |row| of_resource(row, "request_hash"),
        ],
    },
    ResealedTable {
        rows: "SELECT b.id AS id, r.addon AS addon, r.key AS key, b.key AS binding, b.request_hash AS request_hash,
               b.reply AS reply FROM maitre_bindings b JOIN maitre_resources r ON r.id = b.resource_id WHERE b.id > $1
               ORDER BY b.id LIMIT 200 {lock}",
        columns: columns![
            "maitre_bindings" "request_hash" |row| of_binding(row, "request_hash"),
            "maitre_bindings" "reply" |row| of_binding(row, "reply"),
        ],
    },
    ResealedTable {
        rows: "SELECT id, addon, kind, name, payload, last_error FROM maitre_jobs WHERE id > $1 ORDER BY id LIMIT 200
               {lock}",
        columns: columns![
            "maitre_jobs" "payload" |row| Ok(payload_aad(&row.text("addon")?, &row.text("kind")?, &row.text("name")?)),
            "maitre_jobs" "last_error" |row| {
                Ok(job_error_aad(&row.text("addon")?, &row.text("kind")?, &row.text("name")?))
            },
        ],
    },
    ResealedTable {
        rows: "SELECT id, addon, key, details FROM maitre_actions WHERE id > $1 ORDER BY id LIMIT 200 {lock}",
        columns: columns!["maitre_actions" "details" |row| of_resource(row, "details")],
    },
    ResealedTable {
        rows: "SELECT id, addon, key, credentials, details FROM maitre_accounts WHERE id > $1 ORDER BY id LIMIT 200 {lock}",
        columns: columns![
            "maitre_accounts" "credentials" |row| of_account(row, "credentials"),
            "maitre_accounts" "details" |row| of_account(row, "details"),
        ],
    },
    ResealedTable {
        rows: "SELECT id, addon, resource, name, value FROM maitre_values WHERE id > $1 ORDER BY id LIMIT 200 {lock}",
        columns: columns![
            "maitre_values" "value" |row| {
                Ok(value_aad(&row.text("addon")?, &row.text("resource")?, &row.text("name")?))
            },
        ],
    },
];

fn of_resource(row: &Row, column: &str) -> Result<String, LedgerError> {
    Ok(aad(&row.text("addon")?, &row.text("key")?, column))
}

fn of_account(row: &Row, column: &str) -> Result<String, LedgerError> {
    Ok(account_aad(&row.text("addon")?, &row.text("key")?, column))
}

fn of_binding(row: &Row, column: &str) -> Result<String, LedgerError> {
    Ok(binding_aad(&row.text("addon")?, &row.text("key")?, &row.text("binding")?, column))
}

/// Reseals a batch of rows. Returns the number of resealed values and the last id, if there may be more rows.
pub(crate) struct ResealBatch {
    pub(crate) table: &'static ResealedTable,
    pub(crate) after: i64,
}

impl Command<Engine> for ResealBatch {
    type Outcome = (u64, Option<i64>);

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<(u64, Option<i64>), LedgerError> {
        let rows = db.rows(self.table.rows, values![self.after]).await?;
        let mut count = 0;
        let mut last = None;
        for row in rows {
            let id = row.number("id")?;
            last = Some(id);
            for Column { name, aad, update } in self.table.columns {
                let Some(sealed) = row.optional_bytes(name)? else { continue };
                if engine.keys.is_current(&sealed) {
                    continue;
                }
                let aad = aad(&row)?;
                let resealed = engine.keys.seal(&aad, &engine.open(&aad, &sealed)?);
                db.execute(update, values![id, &resealed]).await?;
                count += 1;
            }
        }
        Ok((count, last))
    }
}
