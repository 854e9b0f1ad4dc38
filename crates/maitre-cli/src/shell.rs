//! `maitre completions` and `maitre man`

use std::io::{Write as _, stdout};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::Shell;

use crate::answer::{Answer, Fault};

/// Prints what a shell needs to complete this command's options.
#[derive(Args)]
#[command(after_help = "Examples:
  maitre completions bash > ~/.local/share/bash-completion/completions/maitre
  maitre completions zsh > ~/.zfunc/_maitre
  maitre completions fish > ~/.config/fish/completions/maitre.fish")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, mut command: Command) -> Result<Answer, Fault> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "maitre", &mut script);
        stdout().write_all(&script).context("cannot write to standard output")?;
        Ok(Answer::Good)
    }
}

/// Prints the manual, or writes a page for each command into a folder.
#[derive(Args)]
#[command(after_help = "Examples:
  maitre man | man -l -
  maitre man --output ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// The folder, which is there
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(&self, command: Command) -> Result<Answer, Fault> {
        if let Some(folder) = &self.output {
            clap_mangen::generate_to(command, folder)
                .with_context(|| format!("cannot write into {}", folder.display()))?;
        } else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page).context("cannot write the manual")?;
            stdout().write_all(&page).context("cannot write to standard output")?;
        }
        Ok(Answer::Good)
    }
}
