//! Outages of the database, as seen by a marketplace: calls that fail in an outage, and none after it.
//!
//! The long form prints the figures of docs/testing.md.

use std::time::Duration;

use maitre_testkit::Heroku;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use tokio::time::{Instant, sleep};

use crate::ledger::support::{Database, short_or_long};
use crate::saas::Saas;
use crate::support::Folder;

/// Time after which no call fails because of an outage that has ended.
const RECOVERY: Duration = Duration::from_secs(2);

/// Example on its own database, and an operator's session on the server.
struct Outages {
    heroku: Heroku,
    admin: AnyConnection,
    database: Database,
    _saas: Saas,
    _folder: Folder,
}

impl Outages {
    async fn start() -> Option<Self> {
        let database = Database::postgres().await.filter(|database| !database.is_pooled())?;
        let folder = Folder::new();
        let saas = Saas::start_on(&folder, &database.url);
        let admin = AnyConnection::connect(&database.direct_url()).await.expect("a connection");
        Some(Self { heroku: saas.heroku(), admin, database, _saas: saas, _folder: folder })
    }

    async fn execute(&mut self, statement: &str) {
        self.admin.execute(AssertSqlSafe(statement.to_owned())).await.expect("a statement of the operator");
    }

    async fn terminate_sessions(&mut self) {
        let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                         WHERE datname = current_database() AND pid <> pg_backend_pid()";
        self.execute(terminate).await;
    }

    async fn set_read_only(&mut self, action: &str) {
        let statement = format!("ALTER DATABASE {} {action}", self.database.name());
        self.execute(&statement).await;
    }

    /// Sends provisions one after the other. Returns how many failed and the longest duration.
    async fn provisions(&self, count: usize) -> (usize, Duration) {
        let (mut failed, mut longest) = (0, Duration::ZERO);
        for _ in 0..count {
            let began = Instant::now();
            failed += usize::from(self.heroku.provision("basic").await.status() != 200);
            longest = longest.max(began.elapsed());
        }
        (failed, longest)
    }

    /// Sends concurrent provisions, so that the pool has many connections.
    async fn fill_pool(&self) {
        let calls: Vec<_> = (0..12).map(|_| tokio::spawn(self.heroku.provision("basic").send())).collect();
        for call in calls {
            call.await.expect("a call");
        }
    }
}

#[tokio::test]
async fn terminated_sessions_cost_at_most_one_call() {
    let Some(mut outages) = Outages::start().await else { return };
    let (mut failed, mut after, mut longest) = (0, 0, Duration::ZERO);
    let rounds = short_or_long(2, 50);
    for _ in 0..rounds {
        outages.fill_pool().await;
        outages.terminate_sessions().await;
        let (immediately, took) = outages.provisions(12).await;
        assert!(immediately <= 1, "{immediately} calls failed");
        sleep(RECOVERY).await;
        let (later, _) = outages.provisions(6).await;
        (failed, after, longest) = (failed + immediately, after + later, longest.max(took));
    }
    println!("terminated sessions, {rounds} times: {failed} failed calls, {after} after 2 s; longest call {longest:?}");
    assert_eq!(after, 0);
}

#[tokio::test]
async fn after_a_read_only_failover_no_call_fails() {
    let Some(mut outages) = Outages::start().await else { return };
    let (mut during, mut after) = (0, 0);
    let rounds = short_or_long(1, 20);
    for _ in 0..rounds {
        outages.fill_pool().await;
        outages.set_read_only("SET default_transaction_read_only = on").await;
        outages.terminate_sessions().await;
        during += outages.provisions(12).await.0;
        outages.fill_pool().await; // with sessions that stay read-only
        outages.set_read_only("RESET default_transaction_read_only").await;
        sleep(RECOVERY).await;
        after += outages.provisions(12).await.0;
    }
    println!("read-only failover, {rounds} times: {during} failed calls while read-only, {after} after 2 s");
    assert_eq!(after, 0);
}
