//! `patchwork changepassword`: gives an account another password.

use std::{env, process::ExitCode};

use anyhow::{Context, bail};
use clap::Args;

use super::{Common, Outcome, account, block_on, database, output};
use crate::{auth, store};

/// Give an account another password
#[derive(Debug, Args)]
#[command(after_help = "\
Asks on a terminal; elsewhere the password comes from PATCHWORK_PASSWORD or is the first line of standard input. \
All browsers of the account are logged out.

Examples:
  patchwork changepassword mara
  patchwork changepassword mara < /run/secrets/password")]
pub(super) struct Changepassword {
    /// The login name [default: who runs this]
    #[arg(value_name = "NAME")]
    username: Option<String>,
}

impl Changepassword {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let username = match self.username.or_else(myself) {
            Some(username) => username,
            None => bail!("name the user whose password it is"),
        };
        block_on(async {
            let db = database::ready(&loaded.settings).await?;
            let mut conn = db.reader().await?;
            let user = store::user::by_username(&mut conn, &username)
                .await?
                .with_context(|| format!("there is no user '{username}'"))?;
            drop(conn);
            let password = account::password_or_line(&["PATCHWORK_PASSWORD"])?;
            let hash = auth::hash_password(&password)?;
            let mut tx = db.begin().await?;
            store::user::set_password(&mut tx, user.id, &hash).await?;
            tx.commit().await?;
            db.close().await;
            if !common.is_quiet() {
                output::say(&format!("Changed the password of {username}."))?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// Compatibility: the account of the same name as the one on this machine.
fn myself() -> Option<String> {
    ["LOGNAME", "USER"]
        .iter()
        .find_map(|name| env::var(name).ok())
}
