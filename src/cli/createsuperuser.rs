//! `patchwork createsuperuser`: makes an account that may do everything, asking for what is missing.

use std::{
    env,
    io::{self, IsTerminal},
    process::ExitCode,
};

use anyhow::bail;
use clap::Args;

use super::{
    Common, Outcome,
    account::{self, Account},
    block_on, database, output,
};
use crate::domain::Timestamp;

/// Compatibility: scripts that set up the Django program export these.
const PASSWORDS: &[&str] = &["PATCHWORK_PASSWORD", "DJANGO_SUPERUSER_PASSWORD"];

/// Make an account that may do everything
#[derive(Debug, Args)]
#[command(after_help = "\
With --noinput nothing is asked: name and address come from the options or from DJANGO_SUPERUSER_USERNAME and \
DJANGO_SUPERUSER_EMAIL, the password from PATCHWORK_PASSWORD or DJANGO_SUPERUSER_PASSWORD.

Examples:
  patchwork createsuperuser
  PATCHWORK_PASSWORD=\"$(cat secret)\" patchwork createsuperuser --noinput \\
      --username admin --email admin@example.org")]
pub(super) struct Createsuperuser {
    /// The login name
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// The address of the account
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Ask nothing
    #[arg(long, visible_alias = "no-input")]
    noinput: bool,
}

impl Createsuperuser {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let settings = &loaded.settings;
        let may_ask = !self.noinput && io::stdin().is_terminal();
        let username = value(
            self.username,
            "DJANGO_SUPERUSER_USERNAME",
            "--username",
            "User name",
            may_ask,
        )?;
        let email = value(
            self.email,
            "DJANGO_SUPERUSER_EMAIL",
            "--email",
            "Mail address",
            may_ask,
        )?;
        let account = Account::new(&username, &email, true)?;
        block_on(async {
            let db = database::ready(settings).await?;
            let password = account::password(PASSWORDS, may_ask)?;
            let mut tx = db.begin().await?;
            account
                .insert(&mut tx, settings, &password, Timestamp::now())
                .await?;
            tx.commit().await?;
            db.close().await;
            if !common.is_quiet() {
                output::say(&format!("Made the superuser {username}."))?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn value(
    given: Option<String>,
    variable: &str,
    option: &str,
    question: &str,
    may_ask: bool,
) -> anyhow::Result<String> {
    match given.or_else(|| env::var(variable).ok()) {
        Some(value) => Ok(value),
        None if may_ask => account::ask(question),
        None => bail!("{option} is missing"),
    }
}
