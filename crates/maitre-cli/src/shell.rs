//! `maitre completions` and `maitre man`

use std::io::{Write as _, stdout};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::Shell;

use crate::exit::ExitStatus;

/// Prints a completion script for a shell.
#[derive(Args)]
#[command(after_help = "Examples:
  maitre completions bash > ~/.local/share/bash-completion/completions/maitre
  maitre completions zsh > ~/.zfunc/_maitre
  maitre completions fish > ~/.config/fish/completions/maitre.fish")]
pub(crate) struct Completions {
    /// Shell to generate the script for
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, mut command: Command) -> anyhow::Result<ExitStatus> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "maitre", &mut script);
        stdout().write_all(&script).context("cannot write to standard output")?;
        Ok(ExitStatus::Success)
    }
}

/// Prints the man page, or writes one page per command into a directory.
#[derive(Args)]
#[command(after_help = "Examples:
  maitre man | man -l -
  maitre man --output ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Existing directory to write the pages to
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(&self, command: Command) -> anyhow::Result<ExitStatus> {
        if let Some(directory) = &self.output {
            clap_mangen::generate_to(command, directory)
                .with_context(|| format!("cannot write to {}", directory.display()))?;
        } else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page).context("cannot render the man page")?;
            stdout().write_all(&page).context("cannot write to standard output")?;
        }
        Ok(ExitStatus::Success)
    }
}
