//! `patchwork createuser`: makes an account.

use std::process::ExitCode;

use clap::Args;

use super::{
    Common, Outcome,
    account::{self, Account},
    block_on, database, output,
};
use crate::{domain::Timestamp, store};

/// Make an account
#[derive(Debug, Args)]
#[command(after_help = "\
The password is asked for twice; without a terminal it comes from PATCHWORK_PASSWORD.

Examples:
  patchwork createuser mara --email mara@example.org --maintainer tidepool
  PATCHWORK_PASSWORD=\"$(cat secret)\" patchwork createuser bot \\
      --email bot@example.org --noinput")]
pub(super) struct Createuser {
    /// The login name
    username: String,
    /// The address of the account
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// A project the user maintains; may be repeated
    #[arg(long, value_name = "LINKNAME")]
    maintainer: Vec<String>,
    /// Let the user do everything
    #[arg(long)]
    superuser: bool,
    /// Ask nothing: the password comes from PATCHWORK_PASSWORD
    #[arg(long, visible_alias = "no-input")]
    noinput: bool,
}

impl Createuser {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let settings = &loaded.settings;
        let account = Account::new(&self.username, &self.email, self.superuser)?;
        block_on(async {
            let db = database::ready(settings).await?;
            let mut conn = db.reader().await?;
            let projects = account::projects(&mut conn, &self.maintainer).await?;
            drop(conn);
            let password = account::password(&["PATCHWORK_PASSWORD"], !self.noinput)?;
            let mut tx = db.begin().await?;
            let id = account
                .insert(&mut tx, settings, &password, Timestamp::now())
                .await?;
            for project in projects {
                store::user::add_maintainer(&mut tx, id, project).await?;
            }
            tx.commit().await?;
            db.close().await;
            if !common.is_quiet() {
                output::say(&format!("Made the user {}.", self.username))?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}
