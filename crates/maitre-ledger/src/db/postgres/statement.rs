//! Execution of statements on Postgres.

use std::sync::Arc;

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use crate::db::row::Row;
use crate::db::value::Value;

/// Returns a query whose statement is named and kept if it is `prepared`; otherwise it is unnamed.
fn query<'q>(text: Arc<str>, values: &'q [Value<'q>], prepared: bool) -> Query<'q, sqlx::Postgres, PgArguments> {
    // the text is one of the engine's literals; see `Dialect`
    values.iter().fold(sqlx::query(AssertSqlSafe(text)).persistent(prepared), |query, value| match *value {
        Value::Number(number) => query.bind(number),
        Value::MaybeNumber(number) => query.bind(number),
        Value::Numbers(numbers) => query.bind(numbers),
        Value::Text(text) => query.bind(text),
        Value::Texts(texts) => query.bind(texts),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::ManyBytes(many) => query.bind(many),
    })
}

pub(crate) async fn rows(
    connection: &mut PgConnection,
    text: Arc<str>,
    values: &[Value<'_>],
    prepared: bool,
) -> Result<Vec<Row>, sqlx::Error> {
    Ok(connection.fetch_all(query(text, values, prepared)).await?.into_iter().map(Row::Postgres).collect())
}

pub(crate) async fn execute(
    connection: &mut PgConnection,
    text: Arc<str>,
    values: &[Value<'_>],
    prepared: bool,
) -> Result<u64, sqlx::Error> {
    Ok(connection.execute(query(text, values, prepared)).await?.rows_affected())
}
