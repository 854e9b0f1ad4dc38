//! After a new key was put first: everything under it, row by row.

use crate::db::{Command, Connection, Row, values};
use crate::engine::{Engine, cause_at, payload_at, place, value_at};
use crate::error::LedgerError;
use crate::ledger::Ledger;

impl Ledger {
    /// Seals every value anew that another key than the first has sealed; says how many. Afterwards the old key can be
    /// taken out of `MAITRE_KEY`. It may run beside everything else, and again after it was stopped.
    ///
    /// # Errors
    /// [`LedgerError`] when the database fails, or a value was sealed with a key that is not there any more.
    pub async fn reseal(&self) -> Result<u64, LedgerError> {
        let mut resealed = 0;
        for table in TABLES {
            let mut next = Some(0);
            while let Some(after) = next {
                let count;
                (count, next) = self.inner.db.write(Batch { table, after }).await?;
                resealed += count;
            }
        }
        Ok(resealed)
    }
}

/// Where sealed values stand: how to read a batch of rows, and how to write one column of one of them.
struct Sealed {
    rows: &'static str,
    columns: &'static [Column],
}

/// A column, what its value is bound to, and how to write it.
struct Column {
    name: &'static str,
    bound_to: fn(&Row) -> Result<String, LedgerError>,
    update: &'static str,
}

macro_rules! columns {
    ($($table:literal $name:literal $bound_to:expr),+ $(,)?) => {
        &[$(Column {
            name: $name,
            bound_to: $bound_to,
            update: concat!("UPDATE ", $table, " SET ", $name, " = $2 WHERE id = $1"),
        }),+]
    };
}

const TABLES: &[Sealed] = &[
    Sealed {
        rows: "SELECT id, addon, key, request_hash, reply FROM maitre_resources WHERE id > $1 ORDER BY id LIMIT 200 {lock}",
        columns: columns![
            "maitre_resources" "request_hash" |row| of_resource(row, "request_hash"),
            "maitre_resources" "reply" |row| of_resource(row, "reply"),
        ],
    },
    Sealed {
        rows: "SELECT o.id AS id, r.addon AS addon, r.key AS key, o.kind AS kind, o.request AS request,
               o.reply AS reply, o.last_error AS last_error, o.progress AS progress
               FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource WHERE o.id > $1
               ORDER BY o.id LIMIT 200 {lock}",
        columns: columns![
            // a request is bound to its kind, as a resource may have several
            "maitre_operations" "request" |row| of_resource(row, &row.text("kind")?),
            "maitre_operations" "reply" |row| of_resource(row, "reply"),
            "maitre_operations" "last_error" |row| of_resource(row, "last_error"),
            "maitre_operations" "progress" |row| of_resource(row, "progress"),
        ],
    },
    Sealed {
        rows: "SELECT id, addon, kind, name, payload, last_error FROM maitre_jobs WHERE id > $1 ORDER BY id LIMIT 200
               {lock}",
        columns: columns![
            "maitre_jobs" "payload" |row| Ok(payload_at(&row.text("addon")?, &row.text("kind")?, &row.text("name")?)),
            "maitre_jobs" "last_error" |row| Ok(cause_at(&row.text("addon")?, &row.text("kind")?, &row.text("name")?)),
        ],
    },
    Sealed {
        rows: "SELECT id, addon, resource, name, value FROM maitre_values WHERE id > $1 ORDER BY id LIMIT 200 {lock}",
        columns: columns![
            "maitre_values" "value" |row| {
                Ok(value_at(&row.text("addon")?, &row.text("resource")?, &row.text("name")?))
            },
        ],
    },
];

fn of_resource(row: &Row, column: &str) -> Result<String, LedgerError> {
    Ok(place(&row.text("addon")?, &row.text("key")?, column))
}

/// Some rows, in one transaction: how many values were sealed anew, and where to go on.
struct Batch {
    table: &'static Sealed,
    after: i64,
}

impl Command for Batch {
    type Outcome = (u64, Option<i64>);

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<(u64, Option<i64>), LedgerError> {
        let rows = on.rows(self.table.rows, values![self.after]).await?;
        let mut count = 0;
        let mut last = None;
        for row in rows {
            let id = row.number("id")?;
            last = Some(id);
            for Column { name, bound_to, update } in self.table.columns {
                let Some(sealed) = row.maybe_bytes(name)? else { continue };
                if engine.keys.is_current(&sealed) {
                    continue;
                }
                let bound_to = bound_to(&row)?;
                let anew = engine.keys.seal(&bound_to, &engine.keys.open(&bound_to, &sealed)?);
                on.run(update, values![id, &anew]).await?;
                count += 1;
            }
        }
        Ok((count, last))
    }
}
