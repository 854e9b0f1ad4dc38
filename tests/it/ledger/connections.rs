//! Database connections in a bad state: closed by the server, or read-only after a failover.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use maitre_core::{
    Backend, Deprovision, Deprovisioned, FailureKind, Listener, PlanChange, PlanChanged, Provision, Provisioned,
    Result, SignOn, SignedOn,
};
use maitre_ledger::DurableListener;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

use super::support::{Answer, Database, Vendor, basic, deprovision, key, plan_change, replies, soon, until};

/// Vendor without a database, so that every failure is the ledger's.
#[derive(Clone)]
struct Stateless;

impl Listener for Stateless {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        Ok(Provisioned::new(request.resource))
    }

    async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> {
        Ok(PlanChanged::new())
    }

    async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> {
        Ok(Deprovisioned::new())
    }

    async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> {
        Ok(SignedOn::redirect("/"))
    }
}

/// Session of an operator of the database server.
struct ServerAdmin {
    connection: AnyConnection,
    database: String,
}

impl ServerAdmin {
    async fn connect(database: &Database) -> Self {
        sqlx::any::install_default_drivers();
        let connection = AnyConnection::connect(&database.direct_url()).await.expect("a connection");
        Self { connection, database: database.name().to_owned() }
    }

    async fn execute(&mut self, statement: String) {
        self.connection.execute(AssertSqlSafe(statement)).await.expect("a statement of the operator");
    }

    /// Terminates all other sessions of the database.
    async fn terminate_sessions(&mut self) {
        let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                         WHERE datname = current_database() AND pid <> pg_backend_pid()";
        self.execute(terminate.to_owned()).await;
    }

    async fn set_read_only(&mut self, is_read_only: bool) {
        let action =
            if is_read_only { "SET default_transaction_read_only = on" } else { "RESET default_transaction_read_only" };
        self.execute(format!("ALTER DATABASE {} {action}", self.database)).await;
    }
}

/// Fills the pool with connections.
async fn fill_pool(listener: &DurableListener<Stateless>) {
    let calls = (0..12).map(|_| {
        let listener = listener.clone();
        async move { listener.provision(basic(&key())).await }
    });
    assert!(replies(calls).await.iter().all(Answer::is_done));
}

/// Provisions, changes and deprovisions a resource.
async fn run_all_operations(listener: &DurableListener<Stateless>) -> [Answer; 3] {
    let key = key();
    [
        listener.provision(basic(&key)).await.into(),
        listener.plan_change(plan_change(&key, "premium")).await.into(),
        listener.deprovision(deprovision(&key)).await.into(),
    ]
}

/// Returns the statements that let every change of a resource fail, and those that repair it.
fn break_writes(database: &Database) -> (&'static str, &'static str) {
    if database.is_postgres() {
        (
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'disk full'; END $$;
             CREATE TRIGGER fail BEFORE UPDATE ON maitre_resources FOR EACH ROW EXECUTE FUNCTION fail()",
            "DROP TRIGGER fail ON maitre_resources",
        )
    } else {
        (
            "CREATE TRIGGER fail BEFORE UPDATE ON maitre_resources BEGIN SELECT RAISE(ABORT, 'disk full'); END",
            "DROP TRIGGER fail",
        )
    }
}

on_both_databases! {
    async fn a_lease_is_released_if_its_result_cannot_be_written(database: Database) {
        database.migrated().await;
        let ledger = database.options().lease_duration(Duration::from_hours(1)).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let (key, pool) = (key(), database.pool().await);
        let gate = vendor.stop_at(&key);
        let (provisioning, request) = (listener.clone(), basic(&key));
        let call = tokio::spawn(async move { provisioning.provision(request).await });
        gate.entered().await;
        let (break_writes, repair) = break_writes(&database);
        pool.execute(break_writes).await.expect("a broken table");
        gate.open();
        let answer = Answer::from(soon("the call", call).await.unwrap());
        assert_eq!(answer, Answer::Failed(FailureKind::Unavailable), "the result was not recorded");
        pool.execute(repair).await.expect("a repaired table");
        let again = Answer::from(soon("the retry", listener.provision(basic(&key))).await);
        assert!(again.is_done(), "the lease was released: {again:?}");
        assert_eq!(vendor.duplicates().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_after_all_sessions_were_terminated() {
    let Some(database) = Database::postgres().await else { return };
    let ledger = database.ledger().await;
    let listener = ledger.wrap(Stateless);
    let mut admin = ServerAdmin::connect(&database).await;
    for _ in 0..4 {
        fill_pool(&listener).await;
        admin.terminate_sessions().await;
        for _ in 0..4 {
            let answers = run_all_operations(&listener).await;
            assert!(answers.iter().all(Answer::is_done), "{answers:?}");
        }
        admin.terminate_sessions().await;
        ledger.stats().await.expect("a query is retried as well");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_while_sessions_are_terminated() {
    let Some(database) = Database::postgres().await else { return };
    if database.is_pooled() {
        return; // PgBouncer refuses all clients for a while after one of its sessions was terminated during its login
    }
    let ledger = database.ledger().await;
    let listener = ledger.wrap(Stateless);
    let mut admin = ServerAdmin::connect(&database).await;
    let (stopping, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let callers: Vec<_> = (0..6)
        .map(|_| {
            let (listener, stopping, answered) = (listener.clone(), stopping.clone(), answered.clone());
            tokio::spawn(async move {
                let mut failed = Vec::new();
                while !stopping.load(Ordering::SeqCst) {
                    let answers = run_all_operations(&listener).await;
                    answered.fetch_add(1, Ordering::SeqCst);
                    failed.extend(answers.into_iter().filter(|answer| !answer.is_done()));
                }
                failed
            })
        })
        .collect();
    for _ in 0..20 {
        // a command is tried three times, so on a busy machine it must not be interrupted more often
        let before = answered.load(Ordering::SeqCst);
        until("the callers continue", || async { answered.load(Ordering::SeqCst) >= before + 12 }).await;
        admin.terminate_sessions().await;
    }
    stopping.store(true, Ordering::SeqCst);
    for caller in callers {
        let failed = soon("a caller", caller).await.expect("a caller");
        assert!(failed.is_empty(), "{failed:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_once_a_read_only_database_is_writable_again() {
    let Some(database) = Database::postgres().await else { return };
    if database.is_pooled() {
        return; // the read-only sessions are the pooler's
    }
    let ledger = database.ledger().await;
    let listener = ledger.wrap(Stateless);
    let mut admin = ServerAdmin::connect(&database).await;
    fill_pool(&listener).await;
    admin.set_read_only(true).await;
    admin.terminate_sessions().await;
    for _ in 0..12 {
        let answer = Answer::from(listener.provision(basic(&key())).await);
        assert_eq!(answer, Answer::Failed(FailureKind::Unavailable));
    }
    let calls = (0..12).map(|_| {
        let listener = listener.clone();
        async move { listener.provision(basic(&key())).await }
    });
    let _ = replies(calls).await; // fills the pool with read-only sessions
    admin.set_read_only(false).await;
    for _ in 0..12 {
        let answers = run_all_operations(&listener).await;
        assert!(answers.iter().all(Answer::is_done), "{answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_after_another_program_has_added_a_column() {
    let Some(database) = Database::postgres().await else { return };
    let ledger = database.ledger().await;
    let listener = ledger.wrap(Stateless);
    let mut admin = ServerAdmin::connect(&database).await;
    fill_pool(&listener).await;
    for table in ["maitre_resources", "maitre_operations"] {
        run_all_operations(&listener).await; // prepares every statement
        admin.execute(format!("ALTER TABLE {table} ADD COLUMN added BIGINT")).await;
        let answers = run_all_operations(&listener).await;
        assert!(answers.iter().all(Answer::is_done), "{table}: {answers:?}");
    }
}
