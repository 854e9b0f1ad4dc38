//! The `maitre` command.

mod answered;
mod basic_client;
mod browser;
mod check;
mod color;
mod credential_args;
mod exit;
#[cfg(feature = "ledger")]
mod ledger;
mod manifest;
mod output;
mod overrides;
mod run;
mod sandbox;
mod send;
mod shell;
mod shutdown_signal;
mod sign;
mod target_args;
mod terminal;
mod values;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use color::ColorChoice;
use exit::Format;

/// Version of the package and commit of its source.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("MAITRE_COMMIT"), ")");

/// Tools for vendors of add-ons on PaaS marketplaces. The add-on may be written in any language.
#[derive(Parser)]
#[command(
    name = "maitre",
    version = VERSION,
    max_term_width = 110,
    after_help = "Exit status: 0 ok, 1 problems found, 2 could not run."
)]
struct Maitre {
    /// When to use colors
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "auto|always|never"
    )]
    color: ColorChoice,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    #[cfg(feature = "ledger")]
    Ledger(ledger::Ledger),
    Manifest(manifest::Manifest),
    Run(run::Run),
    Sandbox(sandbox::Sandbox),
    Send(send::Send),
    Sign(sign::Sign),
    Completions(shell::Completions),
    Man(shell::Man),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Maitre { color, command } = Maitre::parse();
    let palette = color.palette();
    let format = command.format();
    let result = match command {
        Command::Check(check) => check.run(palette).await,
        #[cfg(feature = "ledger")]
        Command::Ledger(ledger) => ledger.run(palette).await,
        Command::Manifest(manifest) => manifest.run(palette).await,
        Command::Run(run) => run.run(palette).await,
        Command::Sandbox(sandbox) => sandbox.run(palette).await,
        Command::Send(send) => send.run(palette).await,
        Command::Sign(sign) => sign.run(),
        Command::Completions(completions) => completions.run(Maitre::command()),
        Command::Man(man) => man.run(Maitre::command()),
    };
    exit::exit_code(result, format, palette)
}

impl Command {
    fn format(&self) -> Format {
        match self {
            Self::Check(check) => check.format(),
            #[cfg(feature = "ledger")]
            Self::Ledger(ledger) => ledger.format(),
            Self::Manifest(manifest) => manifest.format(),
            Self::Send(send) => send.format(),
            Self::Sign(sign) => sign.format(),
            Self::Run(_) | Self::Sandbox(_) | Self::Completions(_) | Self::Man(_) => Format::Human,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Maitre;

    #[test]
    fn command_line_definition_is_valid() {
        Maitre::command().debug_assert();
    }

    /// The terminal wraps a text to its width, which a line break in the middle of a sentence spoils.
    #[test]
    fn help_texts_have_no_hard_line_breaks() {
        fn verify(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for block in help.split("\n\n").filter(|block| !block.is_empty()) {
                let lines: Vec<_> = block.lines().collect();
                let examples = if lines[0].starts_with("Example") { &lines[1..] } else { &[] };
                let prose = lines.len() - examples.len();
                assert_eq!(prose, 1, "{}: {block}", command.get_name());
                for line in examples {
                    assert!(line.starts_with("  ") && line.chars().count() <= 80, "{}: {line}", command.get_name());
                }
            }
            command.get_subcommands().for_each(verify);
        }
        verify(&Maitre::command());
    }

    #[test]
    fn every_help_text_ends_with_an_example() {
        fn verify(command: &clap::Command) {
            if command.has_subcommands() {
                command.get_subcommands().for_each(verify);
            } else {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("maitre "), "{} shows no example", command.get_name());
            }
        }
        verify(&Maitre::command());
    }
}
