//! The few words in which the two databases differ.

use std::collections::HashMap;
#[cfg(feature = "sqlite")]
use std::sync::OnceLock;
use std::sync::{Arc, PoisonError, RwLock};

use super::{Dialect, Milliseconds};

/// Turns the engine's statements into the database's own.
///
/// | in a statement | stands for |
/// | --- | --- |
/// | `{now}` | milliseconds since 1970 by the database's own clock: hosts disagree, and leases must not |
/// | `{lock}` | holds the row until the transaction ends; on SQLite the one writer holds everything |
/// | `{skip_locked}` | takes rows that nobody else holds |
/// | `{among $1}` | compares with each of a list of numbers |
/// | `{returning id}` | of the row that is inserted; see [`Connection::insert`](super::Connection::insert) |
/// | `{clock_offset}` | how far tests have turned the clock, for functions that ask for the time themselves |
#[derive(Clone)]
pub(crate) struct Words(Arc<Inner>);

struct Inner {
    dialect: Dialect,
    now: String,
    clock_offset: Milliseconds,
    /// Statements are literals, so an address and a length name one.
    known: RwLock<HashMap<(usize, usize), Arc<Statement>>>,
}

/// A statement in the database's own words.
pub(crate) struct Statement {
    pub(crate) text: Arc<str>,
    /// The names of the columns that it returns, once it was seen to do so.
    #[cfg(feature = "sqlite")]
    pub(super) columns: OnceLock<Arc<[String]>>,
}

impl Words {
    /// `clock_offset` turns the clock, for tests of what happens later.
    pub(crate) fn new(dialect: Dialect, clock_offset: Milliseconds) -> Self {
        let clock = match dialect {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            #[cfg(feature = "postgres")]
            Dialect::Postgres => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
        };
        let now = if clock_offset == 0 { clock.to_owned() } else { format!("({clock} + {clock_offset})") };
        Self(Arc::new(Inner { dialect, now, clock_offset, known: RwLock::default() }))
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// The statement in the database's words; nothing but fixed words and a number of our own goes into it.
    pub(crate) fn of(&self, statement: &'static str) -> Arc<Statement> {
        let name = (statement.as_ptr().addr(), statement.len());
        if let Some(known) = self.0.known.read().unwrap_or_else(PoisonError::into_inner).get(&name) {
            return known.clone();
        }
        let text = statement.replace("{now}", &self.0.now).replace("{clock_offset}", &self.0.clock_offset.to_string());
        let text: Arc<str> = match self.0.dialect {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => text
                .replace("{lock}", "")
                .replace("{skip_locked}", "")
                .replace("{returning id}", "")
                .replace("{among $1}", "IN (SELECT value FROM json_each($1))")
                .replace('$', "?"),
            #[cfg(feature = "postgres")]
            Dialect::Postgres => text
                .replace("{lock}", "FOR UPDATE")
                .replace("{skip_locked}", "FOR UPDATE SKIP LOCKED")
                .replace("{returning id}", "RETURNING id")
                .replace("{among $1}", "= ANY($1)"),
        }
        .into();
        let text = Arc::new(Statement {
            text,
            #[cfg(feature = "sqlite")]
            columns: OnceLock::new(),
        });
        self.0.known.write().unwrap_or_else(PoisonError::into_inner).insert(name, text.clone());
        text
    }
}

#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn each_database_gets_its_own_words() {
        let statement = "SELECT id FROM t WHERE id {among $1} AND scheduled_at <= {now} - $2 {lock}";
        let sqlite = &Words::new(Dialect::Sqlite, 0).of(statement).text;
        assert_eq!(
            &**sqlite,
            "SELECT id FROM t WHERE id IN (SELECT value FROM json_each(?1)) \
             AND scheduled_at <= CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?2 "
        );
        let postgres = &Words::new(Dialect::Postgres, 5).of(statement).text;
        assert_eq!(
            &**postgres,
            "SELECT id FROM t WHERE id = ANY($1) \
             AND scheduled_at <= (CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + 5) - $2 FOR UPDATE"
        );
    }
}
