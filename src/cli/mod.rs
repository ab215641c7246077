//! The command line: one file per command. Raw arguments, then checked arguments, then work.
//!
//! To add a command: a file with its arguments and `run`, a variant of [`Command`], its line in [`Command::run`].
//! Results go to standard output, everything else to standard error. A command fails by returning an error,
//! which is told in one sentence here; 2 means wrong usage, 1 that it did not work.

mod account;
mod admin;
mod archive;
mod ask;
mod backup;
mod changepassword;
mod check;
mod collectstatic;
mod courier;
mod createproject;
mod createsuperuser;
mod createuser;
mod cron;
mod database;
mod demo;
mod deploy;
mod dumparchive;
mod dumpdata;
mod grants;
mod handover;
mod hash;
mod ingest;
mod lmtp;
mod loaddata;
mod log;
mod long;
mod manual;
mod migrate;
mod output;
mod parsearchive;
pub mod parsemail;
mod public_inbox;
mod quarantine;
mod rehash;
mod reindex;
mod relink;
mod replacerelations;
mod restore;
mod retag;
mod secret_key;
mod sendtestemail;
mod serve;
mod settings;
mod token;
mod walk;
mod watch;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    config::{Given, Loaded, Sources},
    gateway,
};

/// How every command ends: with an exit code, or an error that is told and becomes 1.
type Outcome = anyhow::Result<ExitCode>;

const EXAMPLES: &str = "\
Examples:
  patchwork demo                          a site with a sample list, to look around
  patchwork migrate                       make or update the database
  patchwork createproject tidepool --name Tidepool \\
      --list-id tidepool.lists.example.org --list-email tidepool@lists.example.org
  patchwork parsearchive linux.mbox.xz    load a list's archive
  patchwork serve                         the site, on http://127.0.0.1:8000/

Settings: Rocket.toml explains each; `patchwork settings` shows what is in force.";

/// Tracks patches sent to mailing lists.
#[derive(Debug, Parser)]
#[command(name = "patchwork", version, about, after_help = EXAMPLES, args_conflicts_with_subcommands = false)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What every command takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Common options")]
struct Common {
    /// The site's settings file [default: /etc/patchwork/patchwork.toml]
    #[arg(long, global = true, value_name = "FILE", visible_alias = "settings")]
    config: Option<PathBuf>,
    /// The database: sqlite:FILE or postgres://USER@HOST/NAME
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// A setting, such as server.port=8080; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// How much is told: 0 nothing, 1 what matters, 2 what happens, 3 how
    #[arg(short, long, global = true, value_name = "0-3", value_parser = clap::value_parser!(u8).range(0..=3))]
    verbosity: Option<u8>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, such as server.port=8080".to_owned()),
    }
}

impl Common {
    /// Reads the settings, starts the log, and warns of settings without effect. `more` is what a command's
    /// own options say.
    fn settings(&self, more: Vec<Given>) -> anyhow::Result<Loaded> {
        let loaded = self.settings_unsaid(more)?;
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        Ok(loaded)
    }

    /// Reads the settings and starts the log.
    fn settings_unsaid(&self, more: Vec<Given>) -> anyhow::Result<Loaded> {
        let loaded = self.read(more)?;
        log::start(&loaded.settings.log, self.verbosity);
        Ok(loaded)
    }

    /// Reads the settings.
    fn read(&self, more: Vec<Given>) -> anyhow::Result<Loaded> {
        let mut given: Vec<Given> = self
            .set
            .iter()
            .map(|(key, value)| Given {
                option: "--set",
                key: key.clone(),
                value: value.clone(),
            })
            .collect();
        given.extend(self.database.as_ref().map(|url| Given {
            option: "--database",
            key: "database.url".to_owned(),
            value: url.clone(),
        }));
        given.extend(more);
        Ok(Sources::of_process(self.config.clone(), given).read()?)
    }

    /// Says whether the user wants to hear nothing but errors.
    fn is_quiet(&self) -> bool {
        self.verbosity == Some(0)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the site; also what no command means
    #[command(visible_alias = "runserver")]
    Serve(serve::Serve),
    /// Serve the site by FastCGI, for a front server
    Fastcgi(serve::FastCgi),
    /// Answer one CGI request, in the environment and on standard input
    Cgi(serve::Cgi),
    /// Make the database, or bring it up to date
    Migrate(migrate::Migrate),
    /// Look for mistakes in the settings and the database
    Check(check::Check),
    /// Show every setting and where it comes from
    Settings(settings::Settings),
    /// Print a new value for site.secret_key
    SecretKey(secret_key::SecretKey),
    /// Put states, tags and projects into the database
    Loaddata(loaddata::Loaddata),
    /// Make an account that may do everything
    Createsuperuser(createsuperuser::Createsuperuser),
    /// Make an account
    Createuser(createuser::Createuser),
    /// Make a project
    Createproject(createproject::Createproject),
    /// Set the site up: projects, rules, maintainers, states, tags, users, domain, tokens
    Admin(admin::Admin),
    /// Give an account another password
    Changepassword(changepassword::Changepassword),
    /// Make a token of the API and print it
    Token(token::Token),
    /// Print tables as JSON lines
    Dumpdata(dumpdata::Dumpdata),
    /// Read one mail
    Parsemail(parsemail::Parsemail),
    /// Read an archive: mbox, compressed or not, or Maildir
    Parsearchive(parsearchive::Parsearchive),
    /// Take mails from a mail server over LMTP
    Lmtp(lmtp::Lmtp),
    /// Take mails from Maildirs as they arrive
    Watch(watch::Watch),
    /// Read what is new in an archive that grows
    Ingest(ingest::Ingest),
    /// Deliver the spool, send notifications, and forget what has expired
    Cron(cron::Cron),
    /// Write projects as mailboxes into a tar archive
    Dumparchive(dumparchive::Dumparchive),
    /// Print the hash of the diff on standard input
    Hash(hash::Hash),
    /// Compute the hashes of diffs anew
    Rehash(rehash::Rehash),
    /// Make the index of the search anew
    Reindex(reindex::Reindex),
    /// Find out anew which series are revisions of which
    Relink(relink::Relink),
    /// Count the tags of patches anew
    Retag(retag::Retag),
    /// Put relations from a file in place of all there are
    Replacerelations(replacerelations::Replacerelations),
    /// Look after mails that could not be taken in
    Quarantine(quarantine::Quarantine),
    /// Send a mail to see whether mail goes out
    Sendtestemail(sendtestemail::Sendtestemail),
    /// Serve a site with a sample list
    Demo(demo::Demo),
    /// Write the whole database into a file
    Backup(backup::Backup),
    /// Put a backup into an empty database
    Restore(restore::Restore),
    /// Print the SQL that gives roles of PostgreSQL their rights
    Grants(grants::Grants),
    /// Write style sheets and scripts into a folder for the front server
    Collectstatic(collectstatic::Collectstatic),
    /// Print what completes commands in a shell
    Completion(manual::Completion),
    /// Write the manual pages into a folder
    Man(manual::Man),
}

impl Command {
    fn run(self, common: &Common) -> Outcome {
        match self {
            Command::Serve(args) => args.run(common),
            Command::Fastcgi(args) => args.run(common),
            Command::Cgi(args) => args.run(common),
            Command::Migrate(args) => args.run(common),
            Command::Check(args) => args.run(common),
            Command::Settings(args) => args.run(common),
            Command::SecretKey(args) => args.run(),
            Command::Loaddata(args) => args.run(common),
            Command::Createsuperuser(args) => args.run(common),
            Command::Createuser(args) => args.run(common),
            Command::Createproject(args) => args.run(common),
            Command::Admin(args) => args.run(common),
            Command::Token(args) => args.run(common),
            Command::Dumpdata(args) => args.run(common),
            Command::Parsemail(args) => args.run(common),
            Command::Parsearchive(args) => args.run(common),
            Command::Lmtp(args) => args.run(common),
            Command::Watch(args) => args.run(common),
            Command::Ingest(args) => args.run(common),
            Command::Changepassword(args) => args.run(common),
            Command::Cron(args) => args.run(common),
            Command::Dumparchive(args) => args.run(common),
            Command::Hash(args) => args.run(),
            Command::Rehash(args) => args.run(common),
            Command::Relink(args) => args.run(common),
            Command::Reindex(args) => args.run(common),
            Command::Retag(args) => args.run(common),
            Command::Replacerelations(args) => args.run(common),
            Command::Quarantine(args) => args.run(common),
            Command::Sendtestemail(args) => args.run(common),
            Command::Demo(args) => args.run(common),
            Command::Backup(args) => args.run(common),
            Command::Restore(args) => args.run(common),
            Command::Grants(args) => args.run(),
            Command::Collectstatic(args) => args.run(common),
            Command::Completion(args) => args.run(),
            Command::Man(args) => args.run(common),
        }
    }
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(gateway::arguments()) {
        Ok(cli) => cli,
        Err(error) => return parsemail::misused(error),
    };
    let command = cli
        .command
        .unwrap_or_else(|| Command::Serve(serve::Serve::default()));
    end(command.run(&cli.common))
}

/// Turns an outcome into the exit code, telling the error.
fn end(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(code) => code,
        // Whoever read our output has seen enough: `patchwork dumpdata | head`.
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::tell(&output::sentence(&error));
            ExitCode::FAILURE
        }
    }
}

/// Runs what has to wait for a database or a mail server.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let done = runtime.block_on(work);
    // Somebody may still be waiting for standard input; we are not.
    runtime.shutdown_background();
    done
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_make_sense() {
        super::Cli::command().debug_assert();
    }
}
