//! What goes into a statement, and what comes out.

use crate::error::LedgerError;

/// A parameter. Each knows its type, as Postgres asks for the type of a null, too.
#[derive(Clone, Copy)]
pub(crate) enum Value<'v> {
    Number(i64),
    MaybeNumber(Option<i64>),
    Numbers(&'v [i64]),
    Text(Option<&'v str>),
    Bytes(Option<&'v [u8]>),
    #[cfg(feature = "postgres")]
    Texts(&'v [Option<&'v str>]),
    #[cfg(feature = "postgres")]
    ManyBytes(&'v [Vec<u8>]),
}

/// Parameters in a row: `values![id, plan, sealed]`.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Value::from($value)),*] };
}
pub(crate) use values;

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::MaybeNumber(number)
    }
}

impl<'v> From<&'v [i64]> for Value<'v> {
    fn from(numbers: &'v [i64]) -> Self {
        Self::Numbers(numbers)
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(text: &'v String) -> Self {
        Self::Text(Some(text))
    }
}

impl<'v> From<Option<&'v str>> for Value<'v> {
    fn from(text: Option<&'v str>) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(bytes: &'v [u8]) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl<'v> From<&'v Vec<u8>> for Value<'v> {
    fn from(bytes: &'v Vec<u8>) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl<'v> From<Option<&'v [u8]>> for Value<'v> {
    fn from(bytes: Option<&'v [u8]>) -> Self {
        Self::Bytes(bytes)
    }
}

#[cfg(feature = "postgres")]
impl<'v> From<&'v [Option<&'v str>]> for Value<'v> {
    fn from(texts: &'v [Option<&'v str>]) -> Self {
        Self::Texts(texts)
    }
}

#[cfg(feature = "postgres")]
impl<'v> From<&'v [Vec<u8>]> for Value<'v> {
    fn from(many: &'v [Vec<u8>]) -> Self {
        Self::ManyBytes(many)
    }
}

/// A row of an answer, its columns by name.
pub(crate) enum Row {
    #[cfg(feature = "sqlite")]
    Sqlite(super::sqlite::Row),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::postgres::PgRow),
}

impl Row {
    pub(crate) fn text(&self, column: &str) -> Result<String, LedgerError> {
        self.maybe_text(column)?.ok_or(LedgerError::damaged("a text that is not there"))
    }

    pub(crate) fn number(&self, column: &str) -> Result<i64, LedgerError> {
        self.maybe_number(column)?.ok_or(LedgerError::damaged("a number that is not there"))
    }

    /// SQLite stores booleans as 0 and 1.
    pub(crate) fn flag(&self, column: &str) -> Result<bool, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Ok(self.number(column)? == 1),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => Ok(sqlx::Row::try_get(row, column)?),
        }
    }

    pub(crate) fn maybe_text(&self, column: &str) -> Result<Option<String>, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => row.text(column),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => Ok(sqlx::Row::try_get(row, column)?),
        }
    }

    pub(crate) fn maybe_number(&self, column: &str) -> Result<Option<i64>, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => row.number(column),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => Ok(sqlx::Row::try_get(row, column)?),
        }
    }

    pub(crate) fn maybe_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => row.bytes(column),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => Ok(sqlx::Row::try_get(row, column)?),
        }
    }
}
