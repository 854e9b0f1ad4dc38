//! Errors at the start name the cause in the terms of an operator: limits, TLS, credentials, poolers.

use maitre_bench_support::{Cluster, Pooler};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AnyConnection, ConnectOptions, Connection, Executor};

use super::support::Database;

/// Server of its own, as the test changes who is admitted.
async fn server() -> Option<(Cluster, AnyConnection)> {
    let cluster = tokio::task::spawn_blocking(Cluster::start).await.expect("a server or none")?;
    sqlx::any::install_default_drivers();
    let mut admin = AnyConnection::connect(&cluster.url("postgres")).await.expect("a connection");
    for statement in [
        "CREATE ROLE limited LOGIN CONNECTION LIMIT 0",
        "CREATE ROLE keyed LOGIN PASSWORD 'correct'",
        "CREATE ROLE poor LOGIN",
        "CREATE ROLE encrypted LOGIN",
    ] {
        admin.execute(statement).await.expect("a role");
    }
    Some((cluster, admin))
}

/// Returns the message with which the ledger refuses to start.
async fn refusal(url: &str) -> String {
    Database::at(url).options().open().await.expect_err("a refused start").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cause_of_a_refused_connection_is_named() {
    let Some((cluster, _admin)) = server().await else { return };
    Database::at(&cluster.url("postgres")).migrated().await;
    let rules = "host all keyed 127.0.0.1/32 scram-sha-256\\nhostssl all encrypted 127.0.0.1/32 trust\\n\
                 host all postgres,limited,poor 127.0.0.1/32 trust";
    tokio::task::block_in_place(|| cluster.set_access(rules));
    let url = |user: &str, database: &str| cluster.url(database).replacen("postgres@", &format!("{user}@"), 1);
    for (url, cause) in [
        (url("limited", "postgres"), "the server's connection limit is reached"),
        (url("encrypted", "postgres"), "the server does not admit this user from here without TLS"),
        (format!("{}?sslmode=require", url("postgres", "postgres")), "the URL requires TLS"),
        (url("keyed:wrong", "postgres"), "the user name or the password is wrong"),
        (url("poor", "postgres"), "the user has too few privileges"),
        (url("postgres", "missing"), "the database does not exist"),
    ] {
        let error = refusal(&url).await;
        assert!(error.contains(cause), "{cause}: {error}");
        assert!(!error.contains("wrong@") && !error.contains("127.0.0.1"), "the URL may contain a password: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_be_reached_is_named() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    drop(socket);
    let error = refusal(&format!("postgres://postgres@127.0.0.1:{port}/tally")).await;
    assert!(error.contains("the server cannot be reached"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connection_limit_of_a_pooler_is_named() {
    let Some(database) = Database::postgres().await else { return };
    database.migrated().await;
    let url = database.direct_url();
    let pooler = tokio::task::spawn_blocking(move || Pooler::start_limited(&url, "transaction", 1, 1));
    let Some(pooler) = pooler.await.expect("a pooler or none") else { return };
    let url = format!("{}?prepared_statements=false", pooler.url(database.name()));
    let options: PgConnectOptions = pooler.url(database.name()).parse().expect("a URL");
    let options = options.extra_float_digits(None);
    let mut only = options.connect().await;
    while only.is_err() {
        only = options.connect().await; // the connection by which the pooler was found to run is still counted
    }
    let error = refusal(&url).await;
    assert!(error.contains("the pooler's connection limit is reached"), "{error}");
}
