//! `maitre manifest`

mod diff;
mod file;
mod lint;
mod new;
mod own_forms;
mod remote;
mod show;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use maitre_conformance::Marketplace;

use crate::color::Palette;
use crate::exit::{ExitStatus, Format};

/// Creates, validates and shows an add-on's manifest, and exchanges it with Heroku.
#[derive(Args)]
pub(crate) struct Manifest {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create a manifest with new secrets
    #[command(after_help = "Examples:
  maitre manifest new lantern --config-var LANTERN_URL
  maitre manifest new lantern --production-url https://lantern.example
  maitre manifest new lantern --url http://localhost:8300 --output -
  maitre manifest new lantern --marketplace clevercloud --output clever.json")]
    New(new::New),
    /// Validate a manifest against the marketplace's rules
    #[command(after_help = "Example:
  maitre manifest lint addon-manifest.json --strict

Exit status: 0 ok, 1 problems found (with --strict also of level should), 2 could not read the manifest.")]
    Lint {
        /// Manifest of the add-on
        #[arg(default_value = "addon-manifest.json", env = "MAITRE_MANIFEST")]
        file: PathBuf,
        /// Marketplace of the manifest: heroku, clevercloud, scalingo or cloudcontrol
        #[arg(long, value_name = "NAME", default_value = "heroku")]
        marketplace: Marketplace,
        /// Exit with status 1 also for problems of level should
        #[arg(long)]
        strict: bool,
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
    /// Show a manifest without its secrets
    #[command(after_help = "Example:
  maitre manifest show addon-manifest.json --format json")]
    Show {
        /// Manifest of the add-on
        #[arg(default_value = "addon-manifest.json", env = "MAITRE_MANIFEST")]
        file: PathBuf,
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
    #[command(after_help = "Example:
  maitre manifest diff --host http://127.0.0.1:8400 --api-key sandbox

Exit status: 0 no difference, 1 differences, 2 could not compare.")]
    Diff(remote::Diff),
    #[command(after_help = "Example:
  maitre manifest pull lantern")]
    Pull(remote::Pull),
    #[command(after_help = "Example:
  maitre manifest push addon-manifest.json")]
    Push(remote::Push),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    #[default]
    Human,
    Json,
}

impl Manifest {
    pub(crate) fn format(&self) -> Format {
        match &self.command {
            Command::Lint { format: OutputFormat::Json, .. } | Command::Show { format: OutputFormat::Json, .. } => {
                Format::Json
            }
            _ => Format::Human,
        }
    }

    pub(crate) async fn run(&self, palette: Palette) -> anyhow::Result<ExitStatus> {
        match &self.command {
            Command::New(new) => new.run(palette),
            Command::Lint { file, marketplace, strict, format } => {
                lint::lint(file, *marketplace, *strict, *format, palette)
            }
            Command::Show { file, format } => show::show(file, *format),
            Command::Diff(diff) => diff.run(palette).await,
            Command::Pull(pull) => pull.run(palette).await,
            Command::Push(push) => push.run(palette).await,
        }
    }
}
