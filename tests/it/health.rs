//! `/live` and `/ready`: with the database, and during a shutdown.

use std::time::Duration;

use axum::Router;
use maitre::heroku::Heroku;
use maitre_core::Addon;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::ledger::support::{Database, Vendor, key, soon, until, worker};

/// Sends a GET on a connection of its own and returns status and body.
async fn get(url: String) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let reply = soon("a reply", client.get(url).send()).await.expect("a connection");
    assert_eq!(reply.headers()["cache-control"], "no-store");
    (reply.status().as_u16(), reply.text().await.unwrap())
}

const READY: &str = r#"{"status":"ready","oldest_open_operation_age_seconds":0}"#;

on_both_databases! {
    async fn a_stopping_process_is_not_ready_and_answers_its_requests(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let (running, late) = (key(), key());
        let gate = vendor.stop_at(&running);
        let lantern = Heroku::new("lantern", "password", "salt").expect("no part is empty");
        let addon = Addon::new(lantern, ledger.wrap(vendor.clone()));
        let app = Router::new().nest("/heroku", maitre::heroku(addon)).merge(maitre::health(&ledger));
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", socket.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = maitre::serve(socket, app).worker(worker(&ledger, &vendor)).ledger(ledger);
        let serving = serving.drain_delay(Duration::from_secs(5));
        let serving = tokio::spawn(serving.until(async { drop(stopped.await) }));
        let at = |path: &str| format!("{origin}{path}");
        assert_eq!(get(at("/live")).await, (200, r#"{"status":"live"}"#.to_owned()));
        assert_eq!(get(at("/ready")).await, (200, READY.to_owned()));

        let heroku = maitre_testkit::Heroku::new(&at("/heroku"), "lantern", "password", "salt");
        let call = tokio::spawn(heroku.provision("basic").uuid(&running).send());
        gate.entered().await;
        drop(stop);
        until("it is not ready", || async { get(at("/ready")).await.0 == 503 }).await;
        assert_eq!(get(at("/ready")).await, (503, r#"{"status":"shutting_down"}"#.to_owned()));
        assert_eq!(get(at("/live")).await.0, 200);
        heroku.provision("basic").uuid(&late).send().await.expect(200);
        gate.open();
        soon("the call", call).await.unwrap().expect(200);
        soon("the shutdown", serving).await.unwrap().unwrap();
    }

    async fn a_process_is_ready_only_with_its_tables(database: Database) {
        let ledger = database.ledger().await;
        let server = crate::support::Server::start(maitre::health(&ledger)).await;
        assert_eq!(get(server.url("/ready")).await, (200, READY.to_owned()));
        sqlx::Executor::execute(&database.pool().await, "DELETE FROM maitre_migrations").await.expect("no rows");
        assert_eq!(get(server.url("/ready")).await, (503, r#"{"status":"unavailable"}"#.to_owned()));
        ledger.close().await;
        assert_eq!(get(server.url("/ready")).await.0, 503);
        assert_eq!(get(server.url("/live")).await.0, 200, "it touches nothing");
    }
}
