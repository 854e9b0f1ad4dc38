//! A pool of connections to Postgres, shared by many processes.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgPool, PgPoolOptions};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection as _, Executor, PgConnection};

use super::{Command, Connection, Row, Value, Words, migrations};
use crate::engine::Engine;
use crate::error::LedgerError;

pub(crate) struct Postgres {
    pool: PgPool,
    words: Words,
}

impl Postgres {
    /// A pool, if the tables are of this program's version.
    pub(super) async fn open(url: &str, connections: u32, words: &Words) -> Result<Self, LedgerError> {
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false) // it would be a round trip before each use; a dead connection costs one failure
            .connect(url)
            .await?;
        let mut connection = pool.acquire().await?;
        migrations::check(&mut Connection::postgres(&mut connection, words)).await?;
        drop(connection);
        Ok(Self { pool, words: words.clone() })
    }

    pub(super) async fn migrate(url: &str, words: &Words) -> Result<(), LedgerError> {
        let mut connection = PgConnection::connect(url).await?;
        let mut on = Connection::postgres(&mut connection, words);
        if migrations::prepare(&mut on).await.is_err() {
            migrations::prepare(&mut on).await?; // two at once: the other one has made the table by now
        }
        let mut transaction = connection.begin().await?;
        migrations::run(&mut Connection::postgres(&mut transaction, words)).await?;
        transaction.commit().await?;
        Ok(connection.close().await?)
    }

    /// One command, one transaction.
    pub(super) async fn write<C: Command>(&self, engine: &Engine, command: &C) -> Result<C::Outcome, LedgerError> {
        let mut transaction = self.pool.begin().await?;
        let outcome = command.apply(engine, &mut Connection::postgres(&mut transaction, &self.words)).await?;
        transaction.commit().await?;
        Ok(outcome)
    }

    pub(super) async fn read<C: Command>(&self, engine: &Engine, command: &C) -> Result<C::Outcome, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        command.apply(engine, &mut Connection::postgres(&mut connection, &self.words)).await
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

fn query<'q>(text: Arc<str>, values: &'q [Value<'q>]) -> Query<'q, sqlx::Postgres, PgArguments> {
    // the text is one of our own literals; see `Words`
    values.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, value| match *value {
        Value::Number(number) => query.bind(number),
        Value::Numbers(numbers) => query.bind(numbers),
        Value::Text(text) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
    })
}

pub(super) async fn rows(on: &mut PgConnection, text: Arc<str>, values: &[Value<'_>]) -> Result<Vec<Row>, sqlx::Error> {
    Ok(on.fetch_all(query(text, values)).await?.into_iter().map(Row::Postgres).collect())
}

pub(super) async fn run(on: &mut PgConnection, text: Arc<str>, values: &[Value<'_>]) -> Result<u64, sqlx::Error> {
    Ok(on.execute(query(text, values)).await?.rows_affected())
}
