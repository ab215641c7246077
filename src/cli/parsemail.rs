//! `patchwork parsemail`, and the program `patchwork-parsemail`: reads one mail.
//!
//! Mail servers start it for every mail and judge it by its exit code: 0 is done, 75 makes them try again later.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Args, CommandFactory, FromArgMatches, Parser};

use super::{Common, Outcome, block_on, database, end, output};
use crate::{
    config::Settings,
    domain::{ListId, Timestamp},
    ingest::{self, Outcome as Became},
    store::{self, Db, Kind},
};

/// `EX_TEMPFAIL` of sysexits: try again later.
const TRY_AGAIN: u8 = 75;

/// What both helps say.
macro_rules! exits {
    () => {
        "Exits 0 when the mail was stored, was stored before, or is nothing to store; 1 when it is no usable mail; \
         75 when the database is away, which makes mail servers try again later."
    };
}

/// The end of the small program's own help.
const PROGRAM_HELP: &str = concat!(
    exits!(),
    "

Examples:
  patchwork-parsemail < mail
  patchwork-parsemail --list-id dev.tidepool.example.org mail

In /etc/aliases:
  patchwork: \"|/usr/local/bin/patchwork-parsemail --mta\""
);

/// Read one mail
#[derive(Debug, Args)]
#[command(after_help = concat!(exits!(), "

Examples:
  patchwork parsemail < mail
  patchwork parsemail --list-id dev.tidepool.example.org mail

In /etc/aliases:
  patchwork: \"|/usr/local/bin/patchwork-parsemail --mta\""))]
pub(super) struct Parsemail {
    /// The list the mail came from, whatever its headers say
    #[arg(long, value_name = "ID")]
    list_id: Option<String>,
    /// Never let the mail server bounce: exit 0, or 75 when it should try again; say nothing of what was not stored
    #[arg(long)]
    mta: bool,
    /// The file that holds the mail [default: standard input]
    #[arg(value_name = "FILE")]
    infile: Option<PathBuf>,
}

#[derive(Debug, Parser)]
#[command(name = "patchwork-parsemail", version)]
struct Program {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    args: Parsemail,
}

/// Runs the program `patchwork-parsemail`.
pub fn main() -> ExitCode {
    // Said here, as the shared arguments bring the other program's help along.
    let matches = Program::command()
        .about("Reads one mail into Patchwork")
        .after_help(PROGRAM_HELP)
        .get_matches();
    let program = Program::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    end(program.args.run(&program.common))
}

/// Ends the work on a database. What was committed is safe in an embedded one's journal; folding that into the
/// file, as closing does, would make every single mail wait twice as long. The server or a later mail does it.
async fn leave(db: Db) {
    match db.kind() {
        Kind::Sqlite => std::mem::forget(db),
        Kind::Postgres => db.close().await,
    }
}

/// No mail server passes on more; what does is not a mail, and must not fill the memory.
const MOST_BYTES: u64 = 256 << 20;

impl Parsemail {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let mta = self.mta;
        match self.receive(common) {
            // The mail is sound, we are not: nothing may be lost.
            Err(error) if mta => {
                output::tell(&output::sentence(&error));
                Ok(ExitCode::from(TRY_AGAIN))
            }
            other => other,
        }
    }

    fn receive(self, common: &Common) -> Outcome {
        // See `tell` for why nothing may be said.
        let loaded = match self.mta {
            true => common.settings_unsaid(Vec::new())?,
            false => common.settings(Vec::new())?,
        };
        let settings = &loaded.settings;
        let raw = self.read()?;
        let list = self.list_id.as_deref().map(list_id);
        let received = block_on(async {
            let options = store::Options {
                alone: true,
                ..database::options(settings)
            };
            let db = database::ready_with(settings, &options).await?;
            let now = Timestamp::now();
            let became = ingest::receive(&db, &raw, list.as_ref(), &intake(settings), now).await;
            leave(db).await;
            became.with_context(|| database::named(settings))
        });
        match received {
            Ok(became) => Ok(self.tell(&became)),
            Err(error) => {
                output::tell(&output::sentence(&error));
                Ok(ExitCode::from(TRY_AGAIN))
            }
        }
    }

    /// Reads the mail, whole also when it is larger than is taken: it is kept all the same.
    fn read(&self) -> anyhow::Result<Vec<u8>> {
        let mut raw = Vec::new();
        match self
            .infile
            .as_deref()
            .filter(|file| *file != Path::new("-"))
        {
            Some(file) => File::open(file)
                .and_then(|open| open.take(MOST_BYTES).read_to_end(&mut raw))
                .with_context(|| format!("cannot read {}", file.display()))?,
            None => {
                let mut stdin = io::stdin().lock();
                let read = stdin.by_ref().take(MOST_BYTES).read_to_end(&mut raw);
                let read = read.context("cannot read the mail from standard input")?;
                // Whoever pipes a mail takes a closed pipe for a failure.
                io::copy(&mut stdin, &mut io::sink())?;
                read
            }
        };
        Ok(raw)
    }

    fn tell(&self, became: &Became) -> ExitCode {
        let (line, code) = match became {
            Became::Patch(_) | Became::Cover(_) | Became::Comment(_) => return ExitCode::SUCCESS,
            Became::Duplicate(id) => (format!("duplicate: {id} was stored before"), 0),
            Became::Ignored(why) => (format!("nothing added: {}", why.word()), 0),
            Became::Invalid(reason) => (format!("not a mail that can be used: {reason}"), 1),
        };
        // getmail takes any byte on standard error for a failed delivery and fetches the mail for ever.
        if self.mta {
            return ExitCode::SUCCESS;
        }
        match code {
            0 => tracing::warn!("{line}"),
            _ => output::tell(&line),
        }
        ExitCode::from(code)
    }
}

/// Takes a list id as people write it, angle brackets and all.
pub(super) fn list_id(text: &str) -> ListId {
    ListId::new(text.trim().trim_matches(['<', '>']))
}

/// Returns what the settings say of the intake.
pub(super) fn intake(settings: &Settings) -> ingest::Options {
    let host = settings.site_url().and_then(|url| {
        let rest = url.split_once("://")?.1;
        rest.split('/').next().map(str::to_owned)
    });
    ingest::Options {
        max_bytes: usize::try_from(settings.mail.intake.max_bytes).unwrap_or(usize::MAX),
        hosts: host.into_iter().collect(),
    }
}
