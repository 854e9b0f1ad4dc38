//! Fresh databases for tests.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use maitre_bench_support::{Cluster, Pooler};
use maitre_ledger::{Keys, Ledger, LedgerBuilder};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Connection, Executor};

pub(crate) const KEY: &str = "0101010101010101010101010101010101010101010101010101010101010101";
pub(crate) const OTHER_KEY: &str = "0202020202020202020202020202020202020202020202020202020202020202";

/// Empty database, deleted on drop.
pub(crate) struct Database {
    pub(crate) url: String,
    /// Folder of an SQLite database.
    pub(crate) folder: Option<PathBuf>,
    server: Option<String>,
}

/// Variable with the URL of the server that the tests use instead of a temporary one.
const SERVER_URL: &str = "MAITRE_POSTGRES_URL";

/// URL parameter of databases behind a pooler.
const POOLED: &str = "prepared_statements=false";

static SERVER: OnceLock<Option<(String, Option<Cluster>)>> = OnceLock::new();

/// Returns the URL of the server that all tests of this process share.
fn server() -> Option<&'static str> {
    let server = SERVER.get_or_init(|| {
        if let Ok(url) = std::env::var(SERVER_URL) {
            return Some((url, None));
        }
        let cluster = Cluster::start();
        if cluster.is_none() {
            eprintln!("\n*** NO POSTGRES: set MAITRE_POSTGRES_URL or install a server. ITS TESTS ARE SKIPPED. ***\n");
            assert!(std::env::var_os("CI").is_none(), "CI must not skip the Postgres tests");
        }
        cluster.map(|cluster| (cluster.url("postgres"), Some(cluster)))
    });
    server.as_ref().map(|(url, _)| url.as_str())
}

/// Returns the pooler in front of the shared server, if `MAITRE_TEST_PGBOUNCER` is set.
fn pooler(server: &str) -> Option<&'static Pooler> {
    static POOLER: OnceLock<Option<Pooler>> = OnceLock::new();
    let pooler = POOLER.get_or_init(|| {
        std::env::var_os("MAITRE_TEST_PGBOUNCER")?;
        Some(Pooler::start(server, "transaction", 20).expect("PgBouncer is not installed"))
    });
    pooler.as_ref()
}

/// Returns the environment by which a child process finds the shared server.
pub(super) fn child_environment() -> Option<(&'static str, &'static str)> {
    SERVER.get().and_then(Option::as_ref).map(|(url, _)| (SERVER_URL, url.as_str()))
}

async fn execute_on(url: &str, statement: String) -> Result<(), sqlx::Error> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await?;
    connection.execute(AssertSqlSafe(statement)).await?;
    connection.close().await
}

/// Returns the URL of a database on this server.
fn on_server(server: &str, name: &str) -> String {
    let (address, query) = server.split_once('?').map_or((server, None), |(address, query)| (address, Some(query)));
    let address = address.rsplit_once('/').map_or(address, |(address, _)| address);
    let query = query.map_or(String::new(), |query| format!("?{query}"));
    format!("{address}/{name}{query}")
}

impl Database {
    /// Creates an SQLite database in its own folder. [`Database::migrated`] or [`Database::ledger`] create the tables.
    pub(crate) fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(format!("maitre-sqlite-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).expect("a folder for the database");
        let url = format!("sqlite://{}", folder.join("maitre.db").display());
        Self { url, folder: Some(folder), server: None }
    }

    /// Creates a database on the shared server; `None` without a server. If `MAITRE_TEST_PGBOUNCER` is set, its URL leads
    /// through a pooler in transaction mode.
    pub(crate) async fn postgres() -> Option<Self> {
        let servers = || server().map(|server| (server, pooler(server)));
        let (server, pooler) = tokio::task::spawn_blocking(servers).await.expect("a server or none")?;
        let mut database = Self::on(server).await;
        if let Some(pooler) = pooler {
            database.url = format!("{}?{POOLED}", pooler.url(database.name()));
        }
        Some(database)
    }

    /// Returns the name of a Postgres database.
    pub(crate) fn name(&self) -> &str {
        let address = self.url.split('?').next().unwrap_or_default();
        address.rsplit_once('/').map_or(address, |(_, name)| name)
    }

    pub(crate) fn is_pooled(&self) -> bool {
        self.url.ends_with(POOLED)
    }

    /// Returns the URL that leads to the server even if the ledger's leads through a pooler.
    pub(crate) fn direct_url(&self) -> String {
        if self.is_pooled() { on_server(server().expect("a server"), self.name()) } else { self.url.clone() }
    }

    /// Creates a database on this server.
    pub(crate) async fn on(server: &str) -> Self {
        let name = format!("maitre_{}", uuid::Uuid::new_v4().simple());
        execute_on(server, format!("CREATE DATABASE {name}")).await.expect("a database");
        Self { url: on_server(server, &name), folder: None, server: Some(server.to_owned()) }
    }

    /// Returns a database that another process creates and deletes.
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), folder: None, server: None }
    }

    /// Returns the same database for another process.
    pub(crate) fn handle(&self) -> Self {
        Self::at(&self.url)
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    pub(crate) async fn migrated(&self) -> &Self {
        Ledger::migrate(&self.url).await.expect("tables");
        self
    }

    /// Returns the options of a ledger with a short backoff, so that retries run soon.
    pub(crate) fn options(&self) -> LedgerBuilder {
        let backoff = Duration::from_millis(1);
        Ledger::builder(&self.url)
            .keys(Keys::parse(KEY).expect("a key"))
            .max_attempts(12)
            .backoff(backoff, 4 * backoff)
            .duplicate_wait(Duration::from_secs(30))
    }

    /// Creates the tables and opens the ledger.
    pub(crate) async fn ledger(&self) -> Ledger {
        self.migrated().await;
        self.open().await
    }

    /// Opens another ledger on existing tables, equivalent to another process.
    pub(crate) async fn open(&self) -> Ledger {
        self.options().open().await.expect("a ledger")
    }

    /// Returns a pool for the vendor's own tables and for direct access to the ledger's.
    pub(crate) async fn pool(&self) -> AnyPool {
        sqlx::any::install_default_drivers();
        let url = if self.is_postgres() { self.direct_url() } else { format!("{}?mode=rwc", self.url) };
        let pool = sqlx::any::AnyPoolOptions::new().max_connections(4).after_connect(|connection, meta| {
            let _ = meta;
            Box::pin(async move {
                if connection.backend_name() == "SQLite" {
                    connection.execute("PRAGMA busy_timeout = 20000; PRAGMA journal_mode = WAL").await?;
                }
                Ok(())
            })
        });
        pool.connect(&url).await.expect("the vendor's pool")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
        let Some(server) = self.server.take() else { return };
        let name = self.name().to_owned();
        // uses its own runtime, as the test's may be shutting down
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let drop = execute_on(&server, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            runtime.block_on(drop).map_err(std::io::Error::other)
        });
        let _ = dropping.join();
    }
}
