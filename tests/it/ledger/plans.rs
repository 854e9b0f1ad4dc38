//! Plans of the ledger's functions on Postgres. A connection makes them once, perhaps when the tables are empty.

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};

use super::support::Database;

/// Open operations that a batch has nothing to do with.
const OTHERS: i64 = 500;

/// Most rows that a function may read for one provision: some of them twice.
const READ: i64 = 8;

/// Begins the provisions of these numbers, which are their keys and, in a new database, their ids.
async fn begin(connection: &mut AnyConnection, from: i64, to: i64) {
    let begin = format!(
        "SELECT count(*) FROM (
             SELECT array_agg('heroku/tally'::TEXT) AS addons, array_agg(n::TEXT) AS keys, array_agg('basic'::TEXT) AS plans,
                    array_agg(''::BYTEA) AS bytes, array_agg(NULL::TEXT) AS none, array_agg(0::BIGINT) AS zeros
             FROM generate_series({from}, {to}) AS n
         ) sent, maitre_begin_provisions_v2(addons, keys, plans, bytes, bytes, none, none, none, bytes, zeros, zeros,
                                            'process', 60000, 0)"
    );
    assert_eq!(number(connection, begin).await, to - from + 1);
}

async fn complete(connection: &mut AnyConnection, id: i64) {
    let complete = format!(
        "SELECT maitre_complete_provisions_v2(ARRAY[{id}::BIGINT], ARRAY[{id}::BIGINT], ARRAY[1::BIGINT],
                                              ARRAY[NULL::TEXT], ARRAY['basic'], ARRAY[''::BYTEA], 0)"
    );
    assert_eq!(number(connection, complete).await, id);
}

async fn accept(connection: &mut AnyConnection, id: i64) {
    let accept = format!("SELECT operation FROM maitre_accept_operations_v2(ARRAY[{id}::BIGINT], ARRAY[0::BIGINT], 0)");
    assert_eq!(number(connection, accept).await, id);
}

async fn number(connection: &mut AnyConnection, select: String) -> i64 {
    sqlx::query(AssertSqlSafe(select)).fetch_one(connection).await.expect("a row").get(0)
}

/// Returns the number of rows that this connection has read from the ledger's tables.
async fn rows_read(connection: &mut AnyConnection) -> i64 {
    let read = "SELECT CAST(sum(seq_tup_read + idx_tup_fetch) AS BIGINT) FROM pg_stat_xact_user_tables
                WHERE relname IN ('maitre_resources', 'maitre_operations')";
    number(connection, read.to_owned()).await
}

#[tokio::test]
async fn a_plan_made_on_empty_tables_reads_only_the_rows_of_its_batch() {
    let Some(database) = Database::postgres().await else { return };
    database.migrated().await;
    let mut connection = AnyConnection::connect(&database.direct_url()).await.expect("a connection");
    begin(&mut connection, 1, 2).await;
    complete(&mut connection, 1).await;
    accept(&mut connection, 2).await;
    begin(&mut connection, 3, OTHERS).await;

    // the server reports what an open transaction has read
    let mut transaction = connection.begin().await.expect("a transaction");
    let start = rows_read(&mut transaction).await;
    begin(&mut transaction, OTHERS + 1, OTHERS + 1).await;
    let begun = rows_read(&mut transaction).await;
    complete(&mut transaction, OTHERS).await;
    let completed = rows_read(&mut transaction).await;
    accept(&mut transaction, OTHERS + 1).await;
    let accepted = rows_read(&mut transaction).await;
    let read = [begun - start, completed - begun, accepted - completed];
    assert!(read.iter().all(|rows| *rows <= READ), "begin, complete and accept read {read:?} rows");
}
