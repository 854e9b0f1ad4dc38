//! Rows of a result.

#[cfg(feature = "sqlite")]
use std::sync::Arc;

#[cfg(feature = "sqlite")]
use rusqlite::types::Value as Stored;

use crate::error::LedgerError;

/// Row of a result, accessed by column name.
pub(crate) enum Row {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteRow),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::postgres::PgRow),
}

/// SQLite row that was read completely, so that its statement can go back to the cache.
#[cfg(feature = "sqlite")]
pub(crate) struct SqliteRow {
    pub(super) names: Arc<[String]>,
    pub(super) values: Vec<Stored>,
}

impl Row {
    /// Returns the row as one of `table`, so that errors name the table and the row's id.
    pub(crate) fn of(&self, table: &'static str) -> Result<TableRow<'_>, LedgerError> {
        let id = self.number("id").map_err(|_| LedgerError::corrupt(format!("no id in a row of {table}")))?;
        Ok(TableRow { row: self, table, id })
    }

    pub(crate) fn number(&self, column: &str) -> Result<i64, LedgerError> {
        self.optional_number(column)?.ok_or_else(|| null(column))
    }

    pub(crate) fn text(&self, column: &str) -> Result<String, LedgerError> {
        self.optional_text(column)?.ok_or_else(|| null(column))
    }

    pub(crate) fn bytes(&self, column: &str) -> Result<Vec<u8>, LedgerError> {
        self.optional_bytes(column)?.ok_or_else(|| null(column))
    }

    /// Returns a boolean. SQLite stores it as 0 or 1.
    pub(crate) fn flag(&self, column: &str) -> Result<bool, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Ok(self.number(column)? == 1),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => sqlx::Row::try_get(row, column).map_err(LedgerError::postgres),
        }
    }

    pub(crate) fn optional_number(&self, column: &str) -> Result<Option<i64>, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => match row.get(column)? {
                Stored::Integer(number) => Ok(Some(*number)),
                Stored::Null => Ok(None),
                _ => Err(wrong_type(column, "a number")),
            },
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => sqlx::Row::try_get(row, column).map_err(LedgerError::postgres),
        }
    }

    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => match row.get(column)? {
                Stored::Text(text) => Ok(Some(text.clone())),
                Stored::Null => Ok(None),
                _ => Err(wrong_type(column, "text")),
            },
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => sqlx::Row::try_get(row, column).map_err(LedgerError::postgres),
        }
    }

    pub(crate) fn optional_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => match row.get(column)? {
                Stored::Blob(bytes) => Ok(Some(bytes.clone())),
                Stored::Null => Ok(None),
                _ => Err(wrong_type(column, "bytes")),
            },
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => sqlx::Row::try_get(row, column).map_err(LedgerError::postgres),
        }
    }
}

#[cfg(feature = "sqlite")]
impl SqliteRow {
    fn get(&self, column: &str) -> Result<&Stored, LedgerError> {
        let index = self.names.iter().position(|name| name == column);
        let value = index.and_then(|index| self.values.get(index));
        value.ok_or_else(|| LedgerError::corrupt(format!("no column {column}")))
    }
}

fn null(column: &str) -> LedgerError {
    LedgerError::corrupt(format!("unexpected NULL in column {column}"))
}

#[cfg(feature = "sqlite")]
fn wrong_type(column: &str, expected: &str) -> LedgerError {
    LedgerError::corrupt(format!("column {column} is not {expected}"))
}

/// Row of a table. Errors name the table, the column and the id.
pub(crate) struct TableRow<'r> {
    row: &'r Row,
    table: &'static str,
    pub(crate) id: i64,
}

impl TableRow<'_> {
    pub(crate) fn number(&self, column: &str) -> Result<i64, LedgerError> {
        self.optional_number(column)?.ok_or_else(|| self.null(column))
    }

    pub(crate) fn text(&self, column: &str) -> Result<String, LedgerError> {
        self.optional_text(column)?.ok_or_else(|| self.null(column))
    }

    pub(crate) fn flag(&self, column: &str) -> Result<bool, LedgerError> {
        self.row.flag(column)
    }

    pub(crate) fn optional_number(&self, column: &str) -> Result<Option<i64>, LedgerError> {
        self.row.optional_number(column)
    }

    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>, LedgerError> {
        self.row.optional_text(column)
    }

    pub(crate) fn optional_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        self.row.optional_bytes(column)
    }

    /// Reads a column that holds the name of an enum's variant or another parsed value.
    pub(crate) fn parse<T: std::str::FromStr>(&self, column: &str) -> Result<T, LedgerError> {
        let text = self.text(column)?;
        text.parse().map_err(|_| {
            LedgerError::corrupt(format!("unexpected {text:?} in column {column} of {} id {}", self.table, self.id))
        })
    }

    fn null(&self, column: &str) -> LedgerError {
        LedgerError::corrupt(format!("unexpected NULL in column {column} of {} id {}", self.table, self.id))
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_table_column_and_id() {
        let names = Arc::from(["id".to_owned(), "addon".to_owned(), "state".to_owned()]);
        let values = vec![Stored::Integer(7), Stored::Null, Stored::Text("lost".to_owned())];
        let row = Row::Sqlite(SqliteRow { names, values });
        let row = row.of("maitre_resources").unwrap();
        let error = |error: LedgerError| error.to_string();
        assert_eq!(
            row.text("addon").map_err(error),
            Err("unexpected data in the ledger: unexpected NULL in column addon of maitre_resources id 7".to_owned())
        );
        assert_eq!(
            row.parse::<i64>("state").map_err(error),
            Err("unexpected data in the ledger: unexpected \"lost\" in column state of maitre_resources id 7"
                .to_owned())
        );
        assert_eq!(row.number("plan").map_err(error), Err("unexpected data in the ledger: no column plan".to_owned()));
    }
}
