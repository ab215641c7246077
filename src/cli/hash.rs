//! `patchwork hash`: the hash of a diff, for commit hooks.

use std::{
    io::{self, Read},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use encoding_rs::WINDOWS_1252;

use super::{Outcome, output};
use crate::mail::diff_hash;

/// Print the hash of the diff on standard input
#[derive(Debug, Args)]
#[command(after_help = "\
The hash is the same for a patch that was mailed and for the commit that it became. Needs neither settings nor database.

Examples:
  git diff HEAD~ HEAD | patchwork hash
  patchwork hash < fix.patch")]
pub(super) struct Hash {}

impl Hash {
    pub(super) fn run(self) -> Outcome {
        let mut diff = Vec::new();
        io::stdin()
            .lock()
            .read_to_end(&mut diff)
            .context("cannot read standard input")?;
        // As text of mails is read: what is not UTF-8 is most often this.
        let diff = String::from_utf8(diff).unwrap_or_else(|error| {
            WINDOWS_1252
                .decode_without_bom_handling(error.as_bytes())
                .0
                .into_owned()
        });
        output::say(diff_hash(&diff).as_str())?;
        Ok(ExitCode::SUCCESS)
    }
}
