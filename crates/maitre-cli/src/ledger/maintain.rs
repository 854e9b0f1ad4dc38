//! `maitre ledger stats`, `reseal`, `raise-fences` and `migrate`

use anyhow::Context as _;
use clap::Args;
use maitre_ledger::Ledger;
use serde_json::json;

use super::{CommonArgs, OutputFormat};
use crate::exit::ExitStatus;
use crate::output::println_ignoring_pipe;

/// Counts open and parked operations and jobs
#[derive(Args)]
#[command(after_help = "Examples:
  maitre ledger stats
  maitre ledger stats --format json")]
pub(super) struct Stats {
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// Encrypts every value again that another key than the first has encrypted
#[derive(Args)]
#[command(after_help = "Examples:
  MAITRE_KEY=NEW,OLD maitre ledger reseal")]
pub(super) struct Reseal {
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// Raises all fencing tokens after a restore from a backup, before the add-on is called
#[derive(Args)]
#[command(after_help = "Examples:
  maitre ledger raise-fences")]
pub(super) struct RaiseFences {
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// Creates the ledger's tables, or migrates them to this version
#[derive(Args)]
#[command(after_help = "Examples:
  DATABASE_URL=postgres://app@db/tally maitre ledger migrate")]
pub(super) struct Migrate {
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

impl Stats {
    pub(super) async fn run(&self) -> anyhow::Result<ExitStatus> {
        let ledger = self.common.database.open().await?;
        let stats = ledger.stats().await?;
        ledger.close().await;
        let age = stats.oldest_open_age.as_secs();
        let counts = [
            ("open_operations", stats.open_operations),
            ("parked_operations", stats.parked_operations),
            ("oldest_open_age_seconds", i64::try_from(age).unwrap_or(i64::MAX)),
            ("open_jobs", stats.open_jobs),
            ("parked_jobs", stats.parked_jobs),
        ];
        match self.common.format {
            OutputFormat::Json => {
                let object: serde_json::Map<_, _> =
                    counts.iter().map(|(name, count)| ((*name).to_owned(), (*count).into())).collect();
                println_ignoring_pipe!("{}", serde_json::Value::from(object));
            }
            OutputFormat::Human => {
                for (name, count) in counts {
                    println_ignoring_pipe!("{:24} {count}", name.replace('_', " "));
                }
            }
        }
        Ok(ExitStatus::Success)
    }
}

impl Reseal {
    pub(super) async fn run(&self) -> anyhow::Result<ExitStatus> {
        let ledger = self.common.database.open().await?;
        let resealed = ledger.reseal().await?;
        ledger.close().await;
        match self.common.format {
            OutputFormat::Json => println_ignoring_pipe!("{}", json!({ "resealed": resealed })),
            OutputFormat::Human => println_ignoring_pipe!("resealed values: {resealed}"),
        }
        Ok(ExitStatus::Success)
    }
}

impl RaiseFences {
    pub(super) async fn run(&self) -> anyhow::Result<ExitStatus> {
        let ledger = self.common.database.open().await?;
        let raised = ledger.raise_fences().await?;
        ledger.close().await;
        match self.common.format {
            OutputFormat::Json => println_ignoring_pipe!("{}", json!({ "raised": raised })),
            OutputFormat::Human => println_ignoring_pipe!("raised fencing tokens: {raised}"),
        }
        Ok(ExitStatus::Success)
    }
}

impl Migrate {
    pub(super) async fn run(&self) -> anyhow::Result<ExitStatus> {
        let url = &self.common.database.database_url;
        let masked = maitre_core::mask_urls(url);
        Ledger::migrate(url).await.with_context(|| format!("cannot migrate {masked}"))?;
        match self.common.format {
            OutputFormat::Json => println_ignoring_pipe!("{}", json!({ "migrated": true })),
            OutputFormat::Human => println_ignoring_pipe!("the tables have the version of this program"),
        }
        Ok(ExitStatus::Success)
    }
}
