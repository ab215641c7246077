//! `patchwork parsemail`, and the program `patchwork-parsemail`: reads one mail.
//!
//! Mail servers start it for every mail and judge it by its exit code: 0 is done, 75 makes them keep the mail and try
//! again later. So 0 is said only when the mail is safe, and 75 for whatever goes wrong here: a mail server bounces
//! mail for any other code, and nobody's mail may bounce for trouble that is ours.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, anyhow};
use clap::{Args, CommandFactory, FromArgMatches, Parser};
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
    time::{sleep, timeout},
};

use super::{Common, Outcome, database, end, output};
use crate::{
    config::Settings,
    domain::{ListId, Timestamp},
    ingest::{
        self, MOST_BYTES, Outcome as Became,
        guard::{Panicked, contained},
        handover, spool,
    },
    store::{self, Db},
};

/// `EX_TEMPFAIL` of sysexits: try again later.
const TRY_AGAIN: u8 = 75;

/// The status that mail servers read at the start of what a command says (RFC 3463: other or undefined mail system
/// status, temporary). Postfix takes standard output and standard error for one.
const STATUS: &str = "4.3.0";

/// How long a mail may take in all: well below the 1000 s after which Postfix kills a command and bounces the mail.
const LIMIT: Duration = Duration::from_secs(300);

/// The signal of a file that grows beyond what the process may write.
const SIGXFSZ: i32 = 25;

/// How long the goodbye to a server may take; the mail is safe by then.
const GOODBYE: Duration = Duration::from_secs(2);

/// What both helps say.
macro_rules! exits {
    () => {
        "Exits 0 when the mail was stored, was stored before, is nothing to store, or was set aside (see `patchwork \
         quarantine`); 1 when it is no usable mail; 75 for any trouble of ours, such as a database that is away, which \
         makes mail servers keep the mail and try again. With mail.intake.spool set, mail that comes meanwhile waits \
         in that folder instead, and the exit is 0."
    };
}

/// The end of the small program's own help.
const PROGRAM_HELP: &str = concat!(
    exits!(),
    "

Examples:
  patchwork-parsemail < mail
  patchwork-parsemail --list-id dev.tidepool.example.org mail

In /etc/aliases (with SQLite, mailbox_size_limit = 0 in main.cf):
  patchwork: \"|/usr/local/bin/patchwork-parsemail --mta\""
);

/// Read one mail
#[derive(Debug, Args)]
#[command(after_help = concat!(exits!(), "

Examples:
  patchwork parsemail < mail
  patchwork parsemail --list-id dev.tidepool.example.org mail

In /etc/aliases (with SQLite, mailbox_size_limit = 0 in main.cf):
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
        .try_get_matches();
    match matches.and_then(|matches| Program::from_arg_matches(&matches)) {
        Ok(program) => end(program.args.run(&program.common)),
        Err(error) => misused(error),
    }
}

/// Says what is wrong with the command line. Where `--mta` is in it, that is trouble of ours: a slip in an alias.
pub(super) fn misused(error: clap::Error) -> ExitCode {
    let is_mta = std::env::args_os().any(|argument| argument == "--mta");
    if !is_mta || !error.use_stderr() {
        error.exit();
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    try_again(first.trim_start_matches("error: "))
}

/// Asks the mail server to keep the mail.
fn try_again(why: &str) -> ExitCode {
    output::tell_as(STATUS, why);
    ExitCode::from(TRY_AGAIN)
}

/// How long the journal of an embedded database may grow between two mails, in bytes: whoever comes first reads
/// all of it.
const JOURNAL: u64 = 512 << 10;

/// Ends the work on a database. What was committed is safe in an embedded one's journal; folding that into the
/// file, as closing does, would make every single mail wait twice as long, so only some do it.
async fn leave(db: Db, settings: &Settings) {
    match is_folded_later(settings) {
        true => std::mem::forget(db),
        false => {
            let _ = timeout(GOODBYE, db.close()).await;
        }
    }
}

fn is_folded_later(settings: &Settings) -> bool {
    let Some(file) = settings.database_file() else {
        return false;
    };
    let mut journal = file.as_os_str().to_owned();
    journal.push("-wal");
    std::fs::metadata(journal).is_ok_and(|about| about.len() < JOURNAL)
}

/// Why there is no outcome.
enum Failure {
    /// The command line names a file that cannot be read.
    File(anyhow::Error),
    /// Anything else: trouble of ours.
    Ours(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::Ours(error)
    }
}

impl Parsemail {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let is_mta = self.mta;
        let mut common = common.clone();
        if is_mta {
            // See `tell` for why nothing may be said.
            common.verbosity.get_or_insert(0);
        }
        let done = contained(|| watched(move || self.receive(&common)));
        Ok(match done {
            Ok(Ok(code)) => code,
            Ok(Err(Failure::File(error))) if !is_mta => {
                output::tell(&output::sentence(&error));
                ExitCode::FAILURE
            }
            Ok(Err(Failure::File(error) | Failure::Ours(error))) => {
                try_again(&output::sentence(&error))
            }
            Err(panicked) => try_again(&defect(&panicked)),
        })
    }

    fn receive(&self, common: &Common) -> Result<ExitCode, Failure> {
        // First of all: whoever pipes a mail takes a closed pipe for a failure of another kind.
        let raw = self.read()?;
        if raw.is_empty() && self.mta {
            return Err(anyhow!("standard input is empty or closed: there is no mail").into());
        }
        let loaded = common.settings_unsaid(Vec::new())?;
        let settings = &loaded.settings;
        let list = self.list_id.as_deref().map(list_id);
        let now = Timestamp::now();
        let handed = settings
            .intake_socket()
            .and_then(|socket| handover::hand(socket, &raw, list.as_ref()));
        let received = match handed {
            Some(became) => Ok(became),
            None => tokio::runtime::Handle::current().block_on(stored(
                settings,
                &raw,
                list.as_ref(),
                now,
            )),
        };
        let code = match received {
            Ok(became) => self.tell(&became),
            Err(error) => {
                let why = output::sentence(&error);
                let file = put_off(settings, &raw, list.as_ref(), now, error)?;
                tracing::warn!("the mail waits in {}: {why}", file.display());
                ExitCode::SUCCESS
            }
        };
        // Not before: a mail server reads the first line.
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        Ok(code)
    }

    /// Reads the mail, whole also when it is larger than is taken: it is kept all the same.
    fn read(&self) -> Result<Vec<u8>, Failure> {
        let named = self.infile.as_deref();
        let (raw, more) = match named.filter(|file| *file != Path::new("-")) {
            Some(file) => File::open(file)
                .and_then(read_all)
                .with_context(|| format!("cannot read {}", file.display()))
                .map_err(Failure::File)?,
            None => {
                read_all(io::stdin().lock()).context("cannot read the mail from standard input")?
            }
        };
        match more {
            0 => Ok(raw),
            _ => Err(anyhow!("the mail has more than {MOST_BYTES} bytes").into()),
        }
    }

    fn tell(&self, became: &Became) -> ExitCode {
        let (line, code) = match became {
            Became::Patch(_) | Became::Cover(_) | Became::Comment(_) => return ExitCode::SUCCESS,
            Became::Duplicate(id) => (format!("duplicate: {id} was stored before"), 0),
            Became::Ignored(why) => (format!("nothing added: {}", why.word()), 0),
            Became::Invalid(reason) => (format!("not a mail that can be used: {reason}"), 1),
            Became::Quarantined { id, reason } => {
                (format!("set aside as {id} of the quarantine: {reason}"), 0)
            }
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

/// Returns what can be read, and how much there was beyond that.
fn read_all(mut input: impl Read) -> io::Result<(Vec<u8>, u64)> {
    let mut raw = Vec::new();
    input.by_ref().take(MOST_BYTES).read_to_end(&mut raw)?;
    let more = io::copy(&mut input, &mut io::sink())?;
    Ok((raw, more))
}

/// Does the work on a thread of its own, and watches: for signals, for the time it takes, for a panic.
fn watched(
    work: impl FnOnce() -> Result<ExitCode, Failure> + Send + 'static,
) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    let done = runtime.block_on(async {
        let mut signals = Signals::new().context("cannot watch for signals")?;
        // Mail servers limit the size of files; a write beyond that has to fail, not to kill.
        let _xfsz = signal(SignalKind::from_raw(SIGXFSZ)).context("cannot watch for signals")?;
        let work = spawn_blocking(|| contained(work));
        select! {
            done = work => match done {
                Ok(Ok(done)) => done,
                Ok(Err(panicked)) => Err(anyhow!(defect(&panicked)).into()),
                Err(error) => Err(anyhow!(error).into()),
            },
            name = signals.any() => Err(anyhow!("stopped by {name}").into()),
            () = sleep(LIMIT) => Err(anyhow!("not done after {} s", LIMIT.as_secs()).into()),
        }
    });
    // Work that was given up goes with the process.
    runtime.shutdown_background();
    done
}

/// The signals that end a program.
struct Signals([(&'static str, tokio::signal::unix::Signal); 3]);

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Signals([
            ("SIGTERM", signal(SignalKind::terminate())?),
            ("SIGINT", signal(SignalKind::interrupt())?),
            ("SIGHUP", signal(SignalKind::hangup())?),
        ]))
    }

    /// Waits for one of them and returns its name.
    async fn any(&mut self) -> &'static str {
        let [(term, a), (int, b), (hup, c)] = &mut self.0;
        select! {
            _ = a.recv() => term,
            _ = b.recv() => int,
            _ = c.recv() => hup,
        }
    }
}

fn defect(panicked: &Panicked) -> String {
    format!("a defect in this program: {panicked}")
}

async fn stored(
    settings: &Settings,
    raw: &[u8],
    list: Option<&ListId>,
    now: Timestamp,
) -> anyhow::Result<Became> {
    let options = store::Options {
        alone: true,
        ..database::options(settings)
    };
    let db = database::ready_with(settings, &options).await?;
    let became = ingest::receive(&db, raw, list, &intake(settings), now).await;
    leave(db, settings).await;
    became.with_context(|| database::named(settings))
}

/// Puts a mail into the spool, if there is one; otherwise the mail server keeps it.
fn put_off(
    settings: &Settings,
    raw: &[u8],
    list: Option<&ListId>,
    now: Timestamp,
    error: anyhow::Error,
) -> anyhow::Result<PathBuf> {
    let Some(folder) = settings.spool() else {
        return Err(error);
    };
    spool::put(folder, raw, list, now).map_err(|cause| {
        error.context(format!(
            "cannot write the spool {}: {cause}; and before that",
            folder.display()
        ))
    })
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
        search_later: false,
    }
}
