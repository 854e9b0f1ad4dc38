//! `maitre ledger`

mod act;
mod adopt;
mod connect;
mod list;
mod maintain;
mod parked;
mod reconcile;
mod show;
mod text;

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use maitre_core::AddonId;
use maitre_ledger::{Ledger as Database, ResourceView};

use crate::color::Palette;
use crate::exit::{ExitStatus, Format};
use connect::DatabaseArgs;

/// Shows and repairs the resources, operations and jobs of a ledger.
#[derive(Args)]
pub(crate) struct Ledger {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
    Show(show::Show),
    Parked(parked::Parked),
    Stats(maintain::Stats),
    Retry(act::Retry),
    Abandon(act::Abandon),
    Deprovision(act::Deprovision),
    Erase(act::Erase),
    Adopt(adopt::Adopt),
    Reseal(maintain::Reseal),
    RaiseFences(maintain::RaiseFences),
    Migrate(maintain::Migrate),
    Reconcile(reconcile::Reconcile),
}

/// Output format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    #[default]
    Human,
    Json,
}

/// Database and output format.
#[derive(Args)]
struct CommonArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

impl Ledger {
    pub(crate) async fn run(&self, palette: Palette) -> anyhow::Result<ExitStatus> {
        match &self.command {
            Command::List(list) => list.run().await,
            Command::Show(show) => show.run(palette).await,
            Command::Parked(parked) => parked.run(palette).await,
            Command::Stats(stats) => stats.run().await,
            Command::Retry(retry) => retry.run().await,
            Command::Abandon(abandon) => abandon.run().await,
            Command::Deprovision(deprovision) => deprovision.run().await,
            Command::Erase(erase) => erase.run().await,
            Command::Adopt(adopt) => adopt.run().await,
            Command::Reseal(reseal) => reseal.run().await,
            Command::RaiseFences(raise) => raise.run().await,
            Command::Migrate(migrate) => migrate.run().await,
            Command::Reconcile(reconcile) => reconcile.run(palette).await,
        }
    }

    pub(crate) fn format(&self) -> Format {
        let common = match &self.command {
            Command::List(list) => &list.common,
            Command::Show(show) => &show.common,
            Command::Parked(parked) => &parked.common,
            Command::Stats(stats) => &stats.common,
            Command::Retry(retry) => &retry.common,
            Command::Abandon(abandon) => &abandon.common,
            Command::Deprovision(deprovision) => &deprovision.common,
            Command::Erase(erase) => &erase.common,
            Command::Adopt(adopt) => &adopt.common,
            Command::Reseal(reseal) => &reseal.common,
            Command::RaiseFences(raise) => &raise.common,
            Command::Migrate(migrate) => &migrate.common,
            Command::Reconcile(reconcile) => &reconcile.common,
        };
        match common.format {
            OutputFormat::Human => Format::Human,
            OutputFormat::Json => Format::Json,
        }
    }
}

/// Returns the resource with this key or provider id, which must belong to `addon` if one is given.
async fn find(ledger: &Database, id: &str, addon: Option<&AddonId>) -> anyhow::Result<ResourceView> {
    let Some(resource) = ledger.resource(id).await? else { bail!("the ledger has no resource {id}") };
    if let Some(addon) = addon.filter(|addon| **addon != resource.addon) {
        bail!("{id} is a resource of {}, not of {addon}", resource.addon);
    }
    Ok(resource)
}
