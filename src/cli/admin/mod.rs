//! `patchwork admin`: sets a site up without a browser. What a page of the console does, with the same rules and the same
//! log; doing it twice does nothing the second time.

mod maintainer;
mod project;
mod rule;
mod series;
mod site;
mod state;
mod tag;
mod token;
mod user;
mod webhook;

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Common, Outcome, block_on, database, output};
use crate::{
    config::Settings,
    domain::{Project, Timestamp, User},
    store::{
        self, Conn, Tx,
        audit::{self, Action, Change},
    },
};

/// Set the site up: projects, rules, maintainers, states, tags, users, domain, tokens, webhooks, revisions of series
#[derive(Debug, Args)]
#[command(after_help = "\
What is as wanted already stays so, and is no error: a script may say it again. Every change is in the log of \
administration. --json prints one object a line.

Examples:
  patchwork admin project add tidepool --name Tidepool \\
      --list-id dev.tidepool.example.org --list-email dev@tidepool.example.org
  patchwork admin project set tidepool --web-url https://tidepool.example.org/
  patchwork admin maintainer add tidepool mara
  patchwork admin rule add tidepool 'net/*' mara --priority 5
  patchwork admin rule test tidepool net/a.c doc/b
  patchwork admin webhook add tidepool https://ci.example.org/hook \\
      --event series-completed
  patchwork admin series follow 42 17
  patchwork admin series show 42
  patchwork admin site set --domain patches.example.org")]
pub(super) struct Admin {
    /// Print JSON, one object a line
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// Projects: add, set, list
    #[command(subcommand)]
    Project(project::Project),
    /// Delegation rules: add, remove, list, test
    #[command(subcommand)]
    Rule(rule::Rule),
    /// Who maintains a project: add, remove, list
    #[command(subcommand)]
    Maintainer(maintainer::Maintainer),
    /// States of patches: add, set, remove, list
    #[command(subcommand)]
    State(state::State),
    /// Trailers that are counted: add, set, remove, list
    #[command(subcommand)]
    Tag(tag::Tag),
    /// Accounts: add, set, deactivate, list
    #[command(subcommand)]
    User(user::User),
    /// The site: set, show
    #[command(subcommand)]
    Site(site::Site),
    /// Tokens of the API: new, revoke, list
    #[command(subcommand)]
    Token(token::Token),
    /// Webhooks of a project: add, on, off, test, remove, list
    #[command(subcommand)]
    Webhook(webhook::Hook),
    /// Which revision of a series follows which: follow, find, show
    #[command(subcommand)]
    Series(series::Revisions),
}

impl Admin {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let settings = &loaded.settings;
        let said = block_on(async {
            let db = database::ready(settings).await?;
            let mut desk = Desk {
                tx: db.begin().await?,
                now: Timestamp::now(),
                settings,
                said: Vec::new(),
            };
            match self.noun {
                Noun::Project(it) => it.run(&mut desk).await?,
                Noun::Rule(it) => it.run(&mut desk).await?,
                Noun::Maintainer(it) => it.run(&mut desk).await?,
                Noun::State(it) => it.run(&mut desk).await?,
                Noun::Tag(it) => it.run(&mut desk).await?,
                Noun::User(it) => it.run(&mut desk).await?,
                Noun::Site(it) => it.run(&mut desk).await?,
                Noun::Token(it) => it.run(&mut desk).await?,
                Noun::Webhook(it) => it.run(&mut desk).await?,
                Noun::Series(it) => it.run(&mut desk).await?,
            }
            desk.tx.commit().await?;
            db.close().await;
            Ok(desk.said)
        })?;
        for said in said {
            if self.json {
                output::say(&said.object.to_string())?;
            } else if !said.is_news || !common.is_quiet() {
                output::say(&said.line)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A change under way: one transaction with its entries in the log.
struct Desk<'a> {
    tx: Tx,
    now: Timestamp,
    settings: &'a Settings,
    said: Vec<Said>,
}

/// Something to be printed after the commit.
struct Said {
    line: String,
    object: Value,
    /// That something was done, rather than what was asked for: not for the quiet.
    is_news: bool,
}

impl Desk<'_> {
    /// Prints a row of a list.
    fn list(&mut self, line: String, object: Value) {
        self.said.push(Said {
            line,
            object,
            is_news: false,
        });
    }

    /// Tells that something was done.
    fn tell(&mut self, line: impl Into<String>, object: Value) {
        self.said.push(Said {
            line: line.into(),
            object,
            is_news: true,
        });
    }

    /// Logs what was done to a thing.
    async fn log(
        &mut self,
        action: Action,
        (model, id, label): (&str, impl ToString, &str),
        changes: &[Change],
    ) -> anyhow::Result<()> {
        let entry = audit::NewEntry {
            date: self.now,
            user: None,
            username: "patchwork admin",
            address: "",
            action,
            model,
            object_id: &id.to_string(),
            object: label,
            changes,
        };
        Ok(audit::insert(&mut self.tx, &entry).await?)
    }

    async fn project(&mut self, linkname: &str) -> anyhow::Result<Project> {
        match store::project::by_linkname(&mut self.tx, linkname).await? {
            Some(project) => Ok(project),
            None => bail!("there is no project '{linkname}'"),
        }
    }

    async fn user(&mut self, username: &str) -> anyhow::Result<User> {
        user_of(&mut self.tx, username).await
    }
}

async fn user_of(conn: &mut Conn, username: &str) -> anyhow::Result<User> {
    match store::user::by_username(conn, username).await? {
        Some(user) => Ok(user),
        None => bail!("there is no user '{username}'"),
    }
}

/// Refuses what has faults.
fn sound(faults: &[String]) -> anyhow::Result<()> {
    match faults.is_empty() {
        true => Ok(()),
        false => bail!("{}", faults.join("; ")),
    }
}

/// Returns `yes` or `no`.
fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

/// Keeps the changes that are some.
fn differing(mut changes: Vec<Change>) -> Vec<Change> {
    changes.retain(|change| change.before != change.after);
    changes
}
