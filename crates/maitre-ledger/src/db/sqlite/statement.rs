//! Execution of statements on SQLite.

use rusqlite::ToSql;
use rusqlite::types::{Null, ToSqlOutput, ValueRef};

use crate::db::dialect::Statement;
use crate::db::row::{Row, SqliteRow};
use crate::db::value::Value;

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match *self {
            Self::Number(number) | Self::MaybeNumber(Some(number)) => number.into(),
            // read by `json_each`
            Self::Numbers(numbers) => serde_json::to_string(numbers).unwrap_or_default().into(),
            Self::Texts(texts) => serde_json::to_string(texts).unwrap_or_default().into(),
            Self::Text(Some(text)) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(Some(bytes)) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::MaybeNumber(None) | Self::Text(None) | Self::Bytes(None) => Null.into(),
            #[cfg(feature = "postgres")]
            Self::ManyBytes(_) => return Err(rusqlite::Error::InvalidQuery), // SQLite has no arrays
        })
    }
}

pub(crate) fn rows(
    connection: &rusqlite::Connection,
    statement: &Statement,
    values: &[Value<'_>],
) -> Result<Vec<Row>, rusqlite::Error> {
    let mut prepared = connection.prepare_cached(&statement.text)?;
    let mut found = prepared.query(rusqlite::params_from_iter(values))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let names = || row.as_ref().column_names().into_iter().map(ToOwned::to_owned).collect();
        let names = statement.columns.get_or_init(names);
        let values = (0..names.len()).map(|index| row.get(index)).collect::<Result<_, _>>()?;
        rows.push(Row::Sqlite(SqliteRow { names: names.clone(), values }));
    }
    Ok(rows)
}

pub(crate) fn execute(
    connection: &rusqlite::Connection,
    text: &str,
    values: &[Value<'_>],
) -> Result<u64, rusqlite::Error> {
    let changed = connection.prepare_cached(text)?.execute(rusqlite::params_from_iter(values))?;
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}
