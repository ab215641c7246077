//! `patchwork completion` and `patchwork man`: what shells and manual readers want, made from the arguments.

use std::{io, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Common, Outcome, output};

/// Print what completes commands in a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  patchwork completion bash > /usr/share/bash-completion/completions/patchwork")]
pub(super) struct Completion {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completion {
    pub(super) fn run(self) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "patchwork", &mut script);
        io::Write::write_all(&mut io::stdout().lock(), &script)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Write the manual pages into a folder
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  patchwork man /usr/local/share/man/man1")]
pub(super) struct Man {
    /// The folder, made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Man {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let folder = &self.directory;
        let cannot = || format!("cannot write to {}", folder.display());
        std::fs::create_dir_all(folder).with_context(cannot)?;
        clap_mangen::generate_to(Cli::command(), folder).with_context(cannot)?;
        if !common.is_quiet() {
            output::say(&format!("Manual pages written to {}.", folder.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
