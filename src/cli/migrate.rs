//! `patchwork migrate`: makes the database, or brings it up to date.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::{Common, Outcome, block_on, database, output};
use crate::store::{self, migrate::Status};

/// Make the database, or bring it up to date
#[derive(Debug, Args)]
#[command(after_help = "\
It may be run at any time and by several machines at once: the first does the work, the others wait for it.

Examples:
  patchwork migrate
  patchwork migrate --plan
  patchwork migrate --check || echo 'a migration is waiting'")]
pub(super) struct Migrate {
    /// Show what there is and what is missing; change nothing
    #[arg(long)]
    plan: bool,
    /// Exit 1 if something is missing; change nothing
    #[arg(long, conflicts_with = "plan")]
    check: bool,
    // The first rows are a migration of their own; guides that ask for them are served anyway.
    #[arg(long, hide = true)]
    defaults: bool,
}

impl Migrate {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let settings = &loaded.settings;
        block_on(async {
            if self.plan && database::is_there(settings).is_err() {
                return told(store::migrate::plan_of_none(store::Kind::Sqlite));
            }
            if self.check {
                database::is_there(settings)?;
            }
            let db = database::open(settings).await?;
            if self.plan {
                return plan(&db, settings).await;
            }
            if self.check {
                return check(&db, settings).await;
            }
            let done = store::migrate::run(&db)
                .await
                .with_context(|| database::named(settings))?;
            if !common.is_quiet() {
                output::say(&match done {
                    0 => "The database is up to date.".to_owned(),
                    1 => "Applied 1 migration.".to_owned(),
                    done => format!("Applied {done} migrations."),
                })?;
            }
            db.close().await;
            Ok(ExitCode::SUCCESS)
        })
    }
}

async fn plan(db: &store::Db, settings: &crate::config::Settings) -> Outcome {
    let mut conn = database::reader(db, settings).await?;
    told(store::migrate::plan(&mut conn).await?)
}

fn told(steps: Vec<store::migrate::Step>) -> Outcome {
    for step in steps {
        let mark = if step.is_applied { 'X' } else { ' ' };
        output::say(&format!("[{mark}] {:04} {}", step.version, step.name))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn check(db: &store::Db, settings: &crate::config::Settings) -> Outcome {
    match database::status(db, settings).await? {
        Status::Current => Ok(ExitCode::SUCCESS),
        Status::Behind(missing) => {
            output::tell(&format!(
                "missing migrations: {missing}; run `patchwork migrate`"
            ));
            Ok(ExitCode::FAILURE)
        }
        Status::Ahead => Err(store::migrate::ahead().into()),
    }
}
