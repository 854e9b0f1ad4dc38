//! Empty databases: a SQLite file, or a database on a Postgres server.

use std::fmt;
use std::path::PathBuf;

use maitre_bench_support::serve::{Threads, runtime};
use maitre_bench_support::{Cluster, Outcome};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Place in which databases are created.
pub(crate) enum Host {
    Disk,
    Server { url: String, _cluster: Option<Cluster> },
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disk => "SQLite, a file",
            Self::Server { .. } => "Postgres, a server on this machine",
        })
    }
}

/// Returns all hosts, or the selected one.
pub(crate) fn hosts(only: Option<&str>) -> Vec<Host> {
    let mut hosts = Vec::new();
    if only != Some("postgres") {
        hosts.push(Host::Disk);
    }
    if only != Some("sqlite") {
        match std::env::var("MAITRE_POSTGRES_URL") {
            Ok(url) => hosts.push(Host::Server { url, _cluster: None }),
            Err(_) => match Cluster::start() {
                Some(cluster) => {
                    hosts.push(Host::Server { url: cluster.url("postgres"), _cluster: Some(cluster) });
                }
                None => eprintln!("no Postgres: set MAITRE_POSTGRES_URL or install a server; Postgres is skipped"),
            },
        }
    }
    hosts
}

/// Database that is removed when the value is dropped.
pub(crate) struct Database {
    pub(crate) url: String,
    folder: Option<PathBuf>,
    server: Option<(String, String)>,
}

impl Host {
    pub(crate) fn database(&self) -> Outcome<Database> {
        let name = format!("maitre_{}", uuid::Uuid::new_v4().simple());
        match self {
            Self::Disk => {
                let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
                std::fs::create_dir_all(&folder)?;
                let url = format!("sqlite://{}?mode=rwc", folder.join("bench.db").display());
                Ok(Database { url, folder: Some(folder), server: None })
            }
            Self::Server { url: server, .. } => {
                order(server, format!("CREATE DATABASE {name}"))?;
                let address = server.rsplit_once('/').map_or(server.as_str(), |(address, _)| address);
                Ok(Database { url: format!("{address}/{name}"), folder: None, server: Some((server.clone(), name)) })
            }
        }
    }
}

impl Database {
    /// Runs the cleanup that a heavy load leaves behind, which otherwise continues for minutes and disturbs the comparison.
    pub(crate) fn settle(&self) -> Outcome<()> {
        match &self.server {
            Some(_) => {
                ["VACUUM ANALYZE", "CHECKPOINT"].into_iter().try_for_each(|now| order(&self.url, now.to_owned()))
            }
            None => Ok(()),
        }
    }
}

fn order(server: &str, statement: String) -> Outcome<()> {
    runtime(Threads::One)?.block_on(async {
        let mut connection = PgConnection::connect(server).await?;
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await?;
        Ok(connection.close().await?)
    })
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
        if let Some((server, name)) = &self.server {
            let _ = order(server, format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}
