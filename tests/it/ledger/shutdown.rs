//! Shutdown: running operations are completed or released immediately to other processes.

use std::time::Duration;

use axum::Router;
use maitre::heroku::Heroku;
use maitre_core::{Addon, Backend, FailureKind};
use maitre_ledger::State;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::support::{Act, Answer, Database, RunningWorker, Vendor, basic, key, soon, until, worker};

/// Longer than any test waits, so a process that continues an operation was given its lease.
const LEASE: Duration = Duration::from_hours(1);

on_both_databases! {
    async fn unfinished_operations_are_released_to_other_processes(database: Database) {
        database.migrated().await;
        let stopping = database.options().lease_duration(LEASE).open().await.unwrap();
        let other = database.options().lease_duration(LEASE).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        let gate = vendor.stop_at(&key);
        let (listener, request) = (stopping.wrap(vendor.clone()), basic(&key));
        let call = tokio::spawn(async move { listener.provision(request).await });
        gate.entered().await;
        assert_eq!(stopping.in_flight().count(), 1);

        soon("closing", stopping.close()).await;
        let answer = Answer::from(soon("the call", call).await.unwrap());
        assert_eq!(answer, Answer::Failed(FailureKind::Unavailable));
        let _worker = RunningWorker::start(&other, &vendor);
        until("another process continues", || async {
            other.resource(&key).await.unwrap().is_some_and(|resource| resource.state == State::Provisioned)
        })
        .await;
        let timeline = other.resource(&key).await.unwrap().unwrap().timeline;
        assert_eq!(timeline[0].attempt, 1, "the interrupted attempt does not count");
        assert_eq!(vendor.duplicates().await, 0);
    }

    async fn a_stopping_server_finishes_running_operations(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let (called, taken_up) = (key(), key());
        vendor.script(&taken_up, [Act::Fail("no connection")]);
        let _ = ledger.wrap(vendor.clone()).provision(basic(&taken_up)).await;
        let gates = [vendor.stop_at(&called), vendor.stop_at(&taken_up)];

        let heroku = Heroku::new("lantern", "password", "salt").expect("no part is empty");
        let addon = Addon::new(heroku, ledger.wrap(vendor.clone()));
        let app = Router::new().nest("/heroku", maitre::heroku(addon));
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = format!("http://{}/heroku", socket.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = maitre::serve(socket, app).worker(worker(&ledger, &vendor)).ledger(ledger);
        let serving = tokio::spawn(serving.until(async { drop(stopped.await) }));

        let heroku = maitre_testkit::Heroku::new(&root, "lantern", "password", "salt");
        let call = tokio::spawn(heroku.provision("basic").uuid(&called).send());
        for gate in &gates {
            gate.entered().await;
        }
        stop.send(()).unwrap();
        until("the server accepts no connections", || async { heroku.provision("basic").try_send().await.is_err() })
            .await;
        assert!(!serving.is_finished());
        for gate in gates {
            gate.open();
        }
        soon("the answer", call).await.unwrap().expect(200);
        soon("the server", serving).await.unwrap().expect("a clean shutdown");
        assert_eq!(vendor.widget(&called).await.as_deref(), Some("basic"));
        assert_eq!(vendor.widget(&taken_up).await.as_deref(), Some("basic"));
    }

    async fn a_server_releases_unfinished_operations_at_its_deadline(database: Database) {
        database.migrated().await;
        let ledger = database.options().lease_duration(LEASE).open().await.unwrap();
        let other = database.options().lease_duration(LEASE).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let (called, taken_up) = (key(), key());
        vendor.script(&taken_up, [Act::Fail("no connection")]);
        let _ = ledger.wrap(vendor.clone()).provision(basic(&taken_up)).await;
        let gates = [vendor.stop_at(&called), vendor.stop_at(&taken_up)];
        let heroku = Heroku::new("lantern", "password", "salt").expect("no part is empty");
        let addon = Addon::new(heroku, ledger.wrap(vendor.clone()));
        let app = Router::new().nest("/heroku", maitre::heroku(addon));
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = format!("http://{}/heroku", socket.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = maitre::serve(socket, app).worker(worker(&ledger, &vendor)).ledger(ledger);
        let serving = serving.deadline(Duration::from_millis(50));
        let serving = tokio::spawn(serving.until(async { drop(stopped.await) }));
        let heroku = maitre_testkit::Heroku::new(&root, "lantern", "password", "salt");
        let call = tokio::spawn(heroku.provision("basic").uuid(&called).try_send());
        for gate in &gates {
            gate.entered().await;
        }
        stop.send(()).unwrap();
        soon("the server", serving).await.unwrap().expect("a clean shutdown");
        let _ = soon("the call", call).await.unwrap();

        let _worker = RunningWorker::start(&other, &vendor);
        for key in [called, taken_up] {
            until("another process continues", || async {
                other.resource(&key).await.unwrap().is_some_and(|resource| resource.state == State::Provisioned)
            })
            .await;
        }
        assert_eq!(vendor.duplicates().await, 0);
    }
}
