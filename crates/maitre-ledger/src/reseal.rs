//! After a new key was put first: everything under it, row by row.

use crate::db::{Command, Connection, values};
use crate::engine::{Engine, place};
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
    columns: &'static [(&'static str, &'static str)],
}

const TABLES: &[Sealed] = &[
    Sealed {
        rows: "SELECT id, addon, key, 'resource' AS kind, asked, reply FROM maitre_resources WHERE id > $1
               ORDER BY id LIMIT 200 {lock}",
        columns: &[
            ("asked", "UPDATE maitre_resources SET asked = $2 WHERE id = $1"),
            ("reply", "UPDATE maitre_resources SET reply = $2 WHERE id = $1"),
        ],
    },
    Sealed {
        rows:
            "SELECT o.id AS id, r.addon AS addon, r.key AS key, o.kind AS kind, o.request AS request, o.reply AS reply,
               o.cause AS cause
               FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource WHERE o.id > $1
               ORDER BY o.id LIMIT 200 {lock}",
        columns: &[
            ("request", "UPDATE maitre_operations SET request = $2 WHERE id = $1"),
            ("reply", "UPDATE maitre_operations SET reply = $2 WHERE id = $1"),
            ("cause", "UPDATE maitre_operations SET cause = $2 WHERE id = $1"),
        ],
    },
];

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
            let (id, addon, key) = (row.number("id")?, row.text("addon")?, row.text("key")?);
            last = Some(id);
            for &(column, update) in self.table.columns {
                let Some(sealed) = row.maybe_bytes(column)? else { continue };
                if engine.keys.is_current(&sealed) {
                    continue;
                }
                // a request is bound to its kind, as a resource may have several
                let bound_to = if column == "request" { row.text("kind")? } else { column.to_owned() };
                let bound_to = place(&addon, &key, &bound_to);
                let anew = engine.keys.seal(&bound_to, &engine.keys.open(&bound_to, &sealed)?);
                on.run(update, values![id, &anew]).await?;
                count += 1;
            }
        }
        Ok((count, last))
    }
}
