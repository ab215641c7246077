//! `patchwork token`: tokens of the API: makes, lists, replaces and revokes them. A token is shown once; only its hash is
//! kept.

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};

use super::{Common, Outcome, block_on, database, output};
use crate::{
    auth,
    domain::{Timestamp, UserId, permission::Scope},
    store::{
        self, Tx,
        token::{Kept, NewToken},
    },
};

const MINUTES_A_DAY: i64 = 24 * 60;

/// Make, list, replace or revoke tokens of the API
#[derive(Debug, Args)]
#[command(after_help = "\
Without --list or --revoke a token is made and printed alone; it cannot be shown again.

Examples:
  patchwork token mara --name laptop
  patchwork token mara --name laptop --regenerate
  patchwork token mara --list
  patchwork token mara --revoke 3
  git config pw.token \\
      \"$(patchwork token bot --name ci --scope checks --expires 365)\"")]
pub(super) struct Token {
    /// Whose token
    pub(super) user: String,
    /// What its owner calls it
    #[arg(long, default_value = "")]
    pub(super) name: String,
    /// What it may do [default: write; in the place of another, what that one may]
    #[arg(long, value_enum)]
    pub(super) scope: Option<May>,
    /// After how many days it stops to work [default: never; in the place of another, when that one does]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=36_500))]
    pub(super) expires: Option<i64>,
    /// Make it in the place of those with the same name, which stop to work
    #[arg(long, conflicts_with_all = ["list", "revoke"])]
    pub(super) regenerate: bool,
    /// List the user's tokens: number, scope, when made, when it ends, name
    #[arg(long, conflicts_with_all = ["revoke", "name", "scope", "expires"])]
    pub(super) list: bool,
    /// Revoke the token with this number
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["name", "scope", "expires"])]
    pub(super) revoke: Option<i64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum May {
    /// Read what its owner may read
    Read,
    /// Read, and report results of checks
    Checks,
    /// Whatever its owner may do
    Write,
}

impl From<May> for Scope {
    fn from(may: May) -> Scope {
        match may {
            May::Read => Scope::Read,
            May::Checks => Scope::Checks,
            May::Write => Scope::Write,
        }
    }
}

impl Token {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let said = block_on(async {
            let db = database::ready(&loaded.settings).await?;
            let mut tx = db.begin().await?;
            let Some(user) = store::user::by_username(&mut tx, &self.user).await? else {
                bail!("there is no user '{}'", self.user);
            };
            let said = self.work(&mut tx, user.id).await?;
            tx.commit().await?;
            db.close().await;
            Ok(said)
        })?;
        for line in said {
            output::say(&line)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn work(&self, tx: &mut Tx, user: UserId) -> anyhow::Result<Vec<String>> {
        if let Some(number) = self.revoke {
            return match store::token::delete(tx, user, number).await? {
                true => Ok(Vec::new()),
                false => bail!("{} has no token {number}; --list shows them", self.user),
            };
        }
        let kept = store::token::of(tx, user).await?;
        if self.list {
            return Ok(kept.iter().map(line).collect());
        }
        let is_replaced = |old: &&Kept| self.regenerate && old.name == self.name;
        for old in kept.iter().filter(is_replaced) {
            store::token::delete(tx, user, old.id).await?;
        }
        let newest = kept.iter().rfind(is_replaced);
        Ok(vec![self.make(tx, user, newest).await?])
    }

    /// Makes a token; in the place of another it can do as much, and as long, unless something else is said.
    pub(super) async fn make(
        &self,
        tx: &mut Tx,
        user: UserId,
        old: Option<&Kept>,
    ) -> anyhow::Result<String> {
        let token = auth::new_token()?;
        let now = Timestamp::now();
        let said = self.scope.map(|scope| Scope::from(scope).word());
        let inherited = old.map(|old| old.scope.as_str());
        let new = NewToken {
            user,
            key_hash: &token.hash,
            name: &self.name,
            scope: said.or(inherited).unwrap_or(Scope::Write.word()),
            created: now,
            expires: match self.expires {
                Some(days) => Some(now.plus_minutes(days * MINUTES_A_DAY)),
                None => old.and_then(|old| old.expires),
            },
        };
        if new.expires.is_some_and(|expires| expires <= now) {
            bail!("the token has expired; say with --expires how long the new one is to work");
        }
        store::token::insert(tx, &new).await?;
        Ok(token.key)
    }
}

pub(super) fn line(token: &Kept) -> String {
    let ends = token.expires.map_or("never".to_owned(), Timestamp::day);
    let made = token.created.day();
    format!(
        "{:<5} {:<7} {made} {ends:<10} {}",
        token.id, token.scope, token.name
    )
    .trim_end()
    .to_owned()
}
