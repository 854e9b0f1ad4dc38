//! The `maitre` command.

mod answer;
mod check;
mod checks;
mod edit;
mod given;
mod manifest;
mod out;
mod paint;
mod sandbox;
mod send;
mod shell;
mod sign;
mod stop;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use answer::Format;
use paint::Colour;

/// Tools for vendors of add-ons on PaaS marketplaces, whatever the add-on is written in.
#[derive(Parser)]
#[command(
    name = "maitre",
    version,
    max_term_width = 110,
    after_help = "Exit status: 0 as it should be; 1 something is wrong with what was looked at; 2 it could not be looked at."
)]
struct Maitre {
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "auto|always|never"
    )]
    color: Colour,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Checks(checks::Checks),
    Manifest(manifest::ManifestArgs),
    Sandbox(sandbox::Sandbox),
    Send(send::Send),
    Sign(sign::Sign),
    Completions(shell::Completions),
    Man(shell::Man),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Maitre { color, command } = Maitre::parse();
    let paint = color.paint();
    let format = command.format();
    let answer = match command {
        Command::Check(check) => check.run(paint).await,
        Command::Checks(checks) => Ok(checks.run(paint)),
        Command::Manifest(manifest) => manifest.run(paint),
        Command::Sandbox(sandbox) => sandbox.run(paint).await,
        Command::Send(send) => send.run(paint).await,
        Command::Sign(sign) => sign.run(),
        Command::Completions(completions) => completions.run(Maitre::command()),
        Command::Man(man) => man.run(Maitre::command()),
    };
    answer::exit(answer, format, paint)
}

impl Command {
    fn format(&self) -> Format {
        match self {
            Self::Check(check) => check.format(),
            Self::Checks(checks) => checks.format(),
            Self::Manifest(manifest) => manifest.format(),
            Self::Send(send) => send.format(),
            Self::Sign(sign) => sign.format(),
            Self::Sandbox(_) | Self::Completions(_) | Self::Man(_) => Format::Human,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Maitre;

    #[test]
    fn the_options_do_not_contradict_each_other() {
        Maitre::command().debug_assert();
    }

    #[test]
    fn every_help_text_ends_with_an_example() {
        fn look(command: &clap::Command) {
            if command.has_subcommands() {
                command.get_subcommands().for_each(look);
            } else {
                let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(example.contains("maitre "), "{} shows no example", command.get_name());
            }
        }
        look(&Maitre::command());
    }
}
