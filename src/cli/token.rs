//! `patchwork token`: makes a token of the API. It is shown once; only its hash is kept.

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};

use super::{Common, Outcome, block_on, database, output};
use crate::{
    auth,
    domain::Timestamp,
    store::{self, token::NewToken},
};

const MINUTES_A_DAY: i64 = 24 * 60;

/// Make a token of the API and print it
#[derive(Debug, Args)]
#[command(after_help = "\
The token is printed alone and cannot be shown again.

Examples:
  patchwork token mara --name laptop
  git config pw.token \\
      \"$(patchwork token bot --name ci --scope checks --expires 365)\"")]
pub(super) struct Token {
    /// Whose token
    user: String,
    /// What its owner calls it
    #[arg(long, default_value = "")]
    name: String,
    /// What it may do
    #[arg(long, value_enum, default_value_t = Scope::Write)]
    scope: Scope,
    /// After how many days it stops to work [default: never]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=36_500))]
    expires: Option<i64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scope {
    /// Read what its owner may read
    Read,
    /// Read, and report results of checks
    Checks,
    /// Whatever its owner may do
    Write,
}

impl Scope {
    fn word(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Checks => "checks",
            Scope::Write => "write",
        }
    }
}

impl Token {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let token = block_on(async {
            let db = database::ready(&loaded.settings).await?;
            let mut tx = db.begin().await?;
            let Some(user) = store::user::by_username(&mut tx, &self.user).await? else {
                bail!("there is no user '{}'", self.user);
            };
            let token = auth::new_token()?;
            let now = Timestamp::now();
            let new = NewToken {
                user: user.id,
                key_hash: &token.hash,
                name: &self.name,
                scope: self.scope.word(),
                created: now,
                expires: self
                    .expires
                    .map(|days| now.plus_minutes(days * MINUTES_A_DAY)),
            };
            store::token::insert(&mut tx, &new).await?;
            tx.commit().await?;
            db.close().await;
            Ok(token)
        })?;
        output::say(&token.key)?;
        Ok(ExitCode::SUCCESS)
    }
}
