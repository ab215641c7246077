//! `patchwork grants`: the SQL that gives roles of PostgreSQL their rights.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::bail;
use clap::Args;

use super::Outcome;
use crate::store::grants::{Roles, script};

/// Print the SQL that gives roles of PostgreSQL their rights
#[derive(Debug, Args)]
#[command(after_help = "\
Run what it prints as the owner of the tables, again after each `patchwork migrate`: it takes nothing back that is needed. \
The role of the mail reads no password, no token and no session.

Examples:
  patchwork grants --web www-data --mail nobody | sudo -u postgres psql patchwork
  patchwork grants --psql > grant-all.postgres.sql")]
pub(super) struct Grants {
    /// The role of the site
    #[arg(long, value_name = "ROLE", default_value = "www-data")]
    web: String,
    /// The role that takes mail in
    #[arg(long, value_name = "ROLE", default_value = "nobody")]
    mail: String,
    /// The role that runs `patchwork migrate` [default: who runs the SQL]
    #[arg(long, value_name = "ROLE")]
    owner: Option<String>,
    /// Leave the names to variables of psql: web, mail, owner
    #[arg(long, conflicts_with_all = ["web", "mail", "owner"])]
    psql: bool,
}

impl Grants {
    pub(super) fn run(self) -> Outcome {
        // What the mail may not do is taken from its role, whoever else it is.
        if !self.psql && (self.mail == self.web || Some(&self.mail) == self.owner.as_ref()) {
            bail!(
                "the role of the mail, '{}', must be one of its own: it is allowed less than the site's and the owner's",
                self.mail
            );
        }
        let roles = match self.psql {
            true => Roles::variables(),
            false => Roles::named(&self.web, &self.mail, self.owner.as_deref()),
        };
        io::stdout().lock().write_all(script(&roles).as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}
