//! `patchwork hash`: the hash of a diff, for commit hooks.

use std::{
    io::{self, Read},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;
use encoding_rs::WINDOWS_1252;

use super::{Outcome, output};
use crate::{ingest::MOST_BYTES, mail::diff_hash};

/// Print the hash of the diff on standard input
#[derive(Debug, Args)]
#[command(after_help = "\
The hash is the same for a patch that was mailed and for the commit that it became. It takes a bare diff: what stands \
around the diff in a mail or in the output of `git format-patch` would count. Needs neither settings nor database.

Examples:
  git diff HEAD~ HEAD | patchwork hash
  git show --format= v1.0 | patchwork hash")]
pub(super) struct Hash {}

impl Hash {
    pub(super) fn run(self) -> Outcome {
        let mut diff = Vec::new();
        let read = io::stdin()
            .lock()
            .take(MOST_BYTES + 1)
            .read_to_end(&mut diff);
        read.context("cannot read standard input")?;
        if diff.len() as u64 > MOST_BYTES {
            bail!("the diff has more than {MOST_BYTES} bytes");
        }
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
