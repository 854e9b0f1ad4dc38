//! Tables and rows of the first schema, as a program of commit c799378 has written them, under this program. The long form of
//! `rolling_deploy` runs both programs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use maitre_core::{
    AddonId, Backend, Deprovision, Deprovisioned, FailureKind, Listener, PlanChange, PlanChanged, Provision,
    Provisioned, Result, SignOn, SignedOn,
};
use maitre_ledger::{OperationState, State};
use sqlx::{AssertSqlSafe, Executor, Row};

use super::support::{Answer, Database, Vendor, basic, deprovision, key, plan_change, replies, short_or_long};

const SQLITE: &str = include_str!("schema_pair/sqlite.sql");
const POSTGRES: &str = include_str!("schema_pair/postgres.sql");
const ROWS: &str = include_str!("schema_pair/rows.sql");
const HISTORY: &str = "CREATE TABLE maitre_migrations (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL);
                       INSERT INTO maitre_migrations (version, applied_at) VALUES (1, 0);";

/// Keys of the rows: provisioned, deprovisioned, refused, and left by a process that was killed during the provision.
const PROVISIONED: &str = "a0000000-0000-4000-8000-000000000001";
const DEPROVISIONED: &str = "b0000000-0000-4000-8000-000000000002";
const REFUSED: &str = "c0000000-0000-4000-8000-000000000003";
const OPEN: &str = "d0000000-0000-4000-8000-000000000004";

fn addon() -> AddonId {
    AddonId::new("heroku", "tally")
}

/// Returns the provision that the rows were made by, in the order in which Heroku may send its fields.
fn provision(key: &str, plan: &str) -> Provision {
    let mut request = Provision::new(addon(), key, plan);
    request.region = Some("amazon-web-services::eu-west-1".into());
    request.parameters.insert("retention", "7d");
    request.parameters.insert("trace", "true");
    request
}

/// Creates the tables of the first schema, and its rows.
async fn create_first(database: &Database) {
    let pool = database.pool().await;
    let (schema, bytes, identity) =
        if database.is_postgres() { (POSTGRES, r"BYTEA '\x", "OVERRIDING SYSTEM VALUE") } else { (SQLITE, "X'", "") };
    pool.execute(schema).await.expect("the tables");
    pool.execute(HISTORY).await.expect("the history");
    let rows = ROWS.replace("{bytes}'", bytes).replace("{overriding}", identity);
    pool.execute(AssertSqlSafe(rows)).await.expect("the rows");
    if database.is_postgres() {
        // the rows have ids of their own: the next ones follow them
        for table in ["maitre_resources", "maitre_operations"] {
            let next = format!("SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}");
            pool.execute(AssertSqlSafe(next)).await.expect("the next id");
        }
    }
}

/// Returns the columns and functions of the ledger, and whether a row can be inserted without them.
async fn objects(database: &Database) -> BTreeMap<String, bool> {
    let select = if database.is_postgres() {
        "SELECT table_name || '.' || column_name || ' ' || data_type,
                CASE WHEN is_nullable = 'YES' OR column_default IS NOT NULL OR is_identity = 'YES' THEN 1 ELSE 0 END
         FROM information_schema.columns WHERE table_name LIKE 'maitre%'
         UNION ALL SELECT proname || '(' || pg_get_function_arguments(oid) || ')', 1 FROM pg_proc WHERE proname LIKE 'maitre%'"
    } else {
        "SELECT m.name || '.' || p.name || ' ' || p.type,
                CASE WHEN p.\"notnull\" = 0 OR p.dflt_value IS NOT NULL OR p.pk > 0 THEN 1 ELSE 0 END
         FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name LIKE 'maitre%'"
    };
    let rows = database.pool().await.fetch_all(select).await.expect("the catalog");
    rows.iter().map(|row| (row.get(0), row.get::<i32, _>(1) == 1)).collect()
}

/// Vendor that records the provisions that it receives.
#[derive(Clone)]
struct Recorder {
    vendor: Vendor,
    provisions: Arc<Mutex<Vec<Provision>>>,
}

impl Listener for Recorder {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        self.provisions.lock().expect("the provisions").push(request.clone());
        Listener::provision(&self.vendor, request).await
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        Listener::plan_change(&self.vendor, request).await
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        Listener::deprovision(&self.vendor, request).await
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        Listener::single_sign_on(&self.vendor, request).await
    }
}

#[test]
fn the_first_migration_never_changes() {
    assert_eq!(include_str!("../../../crates/maitre-ledger/migrations/sqlite/0001_ledger.sql"), SQLITE);
    assert_eq!(include_str!("../../../crates/maitre-ledger/migrations/postgres/0001_ledger.sql"), POSTGRES);
}

on_both_databases! {
    async fn a_migration_keeps_everything_that_an_older_program_uses(database: Database) {
        create_first(&database).await;
        let before = objects(&database).await;
        assert!(before.len() > 40, "{before:?}");
        database.migrated().await;
        let after = objects(&database).await;
        let table = |column: &str| column.split('.').next().unwrap_or_default().to_owned();
        let tables: Vec<_> = before.keys().map(|column| table(column)).collect();
        for (object, may_be_omitted) in &after {
            if !before.contains_key(object) && tables.contains(&table(object)) {
                assert!(may_be_omitted, "an older program inserts rows without {object}");
            }
        }
        let missing: Vec<_> = before.keys().filter(|object| !after.contains_key(*object)).collect();
        assert!(missing.is_empty(), "an older program needs {missing:?}");
    }

    async fn rows_of_an_older_program_are_replayed_and_completed(database: Database) {
        create_first(&database).await;
        database.migrated().await;
        let ledger = database.open().await;
        let recorder = Recorder { vendor: Vendor::new(database.pool().await).await, provisions: Arc::default() };
        let listener = ledger.wrap(recorder.clone());

        let Answer::Done(replay) = listener.provision(provision(PROVISIONED, "basic")).await.into() else {
            panic!("not replayed")
        };
        assert!(replay.starts_with(PROVISIONED) && replay.contains("TALLY_TOKEN"), "{replay}");
        let mut other = provision(PROVISIONED, "basic");
        other.parameters.insert("trace", "false");
        assert_eq!(Answer::from(listener.provision(other).await), Answer::Failed(FailureKind::Conflict));
        let same_plan = listener.plan_change(PlanChange::new(addon(), PROVISIONED, "premium")).await;
        assert!(Answer::from(same_plan).is_done());
        for (key, plan, kind) in
            [(DEPROVISIONED, "basic", FailureKind::Gone), (REFUSED, "gold", FailureKind::Refused)]
        {
            assert_eq!(Answer::from(listener.provision(provision(key, plan)).await), Answer::Failed(kind));
        }
        assert!(recorder.provisions.lock().unwrap().is_empty(), "replays need no call");

        // the request is the one that the older program has stored
        assert!(Answer::from(listener.provision(provision(OPEN, "premium")).await).is_done());
        let stored = recorder.provisions.lock().unwrap().pop().expect("a call");
        assert_eq!((stored.plan.as_str(), stored.name.as_deref()), ("premium", Some("acme-inc-primary")));
        assert_eq!(stored.parameters.text("retention"), Some("7d"));
        assert_eq!(stored.oauth_grant.expect("a grant").code.expose(), "c85e1234");
        for (name, value) in [
            ("callback_url", format!("https://api.heroku.com/addons/{OPEN}").into()),
            ("log_drain_token", "d.9173ea1f".into()),
            ("later", serde_json::json!({ "a": [2], "z": 1 })),
        ] {
            assert_eq!(stored.details.get(name), Some(&value), "{name}");
        }
        let resource = ledger.resource(OPEN).await.unwrap().expect("a resource");
        assert_eq!((resource.state, resource.timeline[0].state), (State::Provisioned, OperationState::Completed));
    }

    async fn migrated_tables_serve_concurrent_operations(database: Database) {
        create_first(&database).await;
        database.migrated().await;
        let ledgers = [database.open().await, database.open().await];
        let vendor = Vendor::new(database.pool().await).await;
        let calls = (0..short_or_long(40, 4_000)).map(|number| {
            let listener = ledgers[number % 2].wrap(vendor.clone());
            async move {
                let key = key();
                listener.provision(basic(&key)).await?;
                listener.plan_change(plan_change(&key, "premium")).await?;
                listener.deprovision(deprovision(&key)).await
            }
        });
        let answers = replies(calls).await;
        assert!(answers.iter().all(Answer::is_done), "{answers:?}");
        assert_eq!(vendor.duplicates().await, 0);
    }
}
