//! `patchwork secret-key`: a new value for `site.secret_key`.

use std::process::ExitCode;

use clap::Args;

use super::{Outcome, output};
use crate::auth;

/// Print a new value for site.secret_key
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  echo \"SECRET_KEY = '$(patchwork secret-key)'\" \\
      >> /etc/patchwork/patchwork.toml")]
pub(super) struct SecretKey {}

impl SecretKey {
    pub(super) fn run(self) -> Outcome {
        output::say(&auth::secret_key()?)?;
        Ok(ExitCode::SUCCESS)
    }
}
