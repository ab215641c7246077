//! `patchwork quarantine`: lists, shows, retries and drops mails that could not be taken in.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Common, Outcome, block_on, database, output, output::plain, parsemail::intake};
use crate::{
    config::Settings,
    domain::{ListId, QuarantineId, Timestamp},
    ingest::{self, Outcome as Became, spool},
    mail::header::Block,
    store::{self, Db, quarantine::Entry},
};

/// Look after mails that could not be taken in
#[derive(Debug, Args)]
#[command(after_help = "\
A mail that exceeds a limit, or over which this program or a statement of its own fails, is set aside whole. Nothing \
there is lost; after an update or with a larger limit it can be tried again.

Examples:
  patchwork quarantine list
  patchwork quarantine show 3
  patchwork quarantine show 3 --raw > mail
  patchwork quarantine retry --all --set mail.intake.max_bytes=64MiB
  patchwork quarantine retry --spool
  patchwork quarantine drop 3 4 --yes")]
pub(super) struct Quarantine {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List what was set aside, the oldest first
    List {
        /// Print one JSON object a line instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Show why a mail was set aside, and its headers
    Show {
        /// Which mail
        id: i64,
        /// Print the mail itself, byte for byte, and nothing else
        #[arg(long)]
        raw: bool,
    },
    /// Deliver mails again; what can be taken in now leaves the quarantine
    #[command(override_usage = "patchwork quarantine retry <IDS>... | --all | --spool")]
    Retry {
        /// Which mails
        #[arg(required_unless_present_any = ["all", "spool"], conflicts_with_all = ["all", "spool"])]
        ids: Vec<i64>,
        /// All of them
        #[arg(long, conflicts_with = "spool")]
        all: bool,
        /// Deliver what waits in mail.intake.spool instead
        #[arg(long)]
        spool: bool,
    },
    /// Forget mails for good
    Drop {
        /// Which mails
        #[arg(required = true)]
        ids: Vec<i64>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Quarantine {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let settings = &loaded.settings;
        let is_quiet = common.is_quiet();
        block_on(async {
            let db = database::ready(settings).await?;
            let done = match self.action {
                Action::List { json } => list(&db, json, is_quiet).await,
                Action::Show { id, raw } => show(&db, QuarantineId(id), raw).await,
                Action::Retry { spool: true, .. } => retry_spool(&db, settings, is_quiet).await,
                Action::Retry { ids, all, .. } => retry(&db, settings, &ids, all, is_quiet).await,
                Action::Drop { ids, yes } => drop_all(&db, &ids, yes, is_quiet).await,
            };
            db.close().await;
            done
        })
    }
}

async fn list(db: &Db, is_json: bool, is_quiet: bool) -> Outcome {
    let entries = store::quarantine::all(&mut db.reader().await?).await?;
    if is_json {
        for entry in &entries {
            output::say(&object(entry).to_string())?;
        }
    } else if entries.is_empty() {
        tell(is_quiet, "Nothing is in quarantine.")?;
    } else {
        let head = ["ID", "RECEIVED", "PROJECT", "MESSAGE-ID", "BYTES", "REASON"];
        let head = head.map(str::to_owned).to_vec();
        let rows: Vec<_> = std::iter::once(head)
            .chain(entries.iter().map(row))
            .collect();
        output::table(&rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn object(entry: &Entry) -> serde_json::Value {
    json!({
        "id": entry.id.0,
        "project": entry.project,
        "list_id": Some(&entry.list_id).filter(|list| !list.is_empty()),
        "msgid": Some(&entry.msgid).filter(|msgid| !msgid.is_empty()),
        "kind": entry.kind,
        "reason": entry.reason,
        "received": entry.received.iso(),
        "tries": entry.tries,
        "last_try": entry.last_try.iso(),
        "size": entry.size,
    })
}

fn row(entry: &Entry) -> Vec<String> {
    vec![
        entry.id.to_string(),
        entry.received.iso(),
        plain(place(entry)),
        plain(or_dash(&entry.msgid)),
        entry.size.to_string(),
        format!("{}: {}", entry.kind, output::cut(&plain(&entry.reason))),
    ]
}

/// The project a mail is for, or the list that was named for it.
fn place(entry: &Entry) -> &str {
    match &entry.project {
        Some(project) => project,
        None => or_dash(&entry.list_id),
    }
}

fn or_dash(text: &str) -> &str {
    match text {
        "" => "-",
        text => text,
    }
}

async fn show(db: &Db, id: QuarantineId, is_raw: bool) -> Outcome {
    let mut conn = db.reader().await?;
    let entry = found(&mut conn, id).await?;
    let raw = store::quarantine::bytes(&mut conn, id).await?;
    if is_raw {
        let mut out = io::stdout().lock();
        out.write_all(&raw)?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let about = [
        ("id", entry.id.to_string()),
        ("received", entry.received.iso()),
        ("project", place(&entry).to_owned()),
        ("message id", or_dash(&entry.msgid).to_owned()),
        ("bytes", entry.size.to_string()),
        ("reason", format!("{}: {}", entry.kind, entry.reason)),
        (
            "tries",
            format!("{}, the last {}", entry.tries, entry.last_try.iso()),
        ),
    ];
    let rows: Vec<_> = about
        .map(|(name, value)| vec![name.to_owned(), plain(&value)])
        .into();
    output::table(&rows)?;
    output::say("")?;
    for line in Block::split(&raw).stored().lines() {
        output::say(&plain(line))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn found(conn: &mut store::Conn, id: QuarantineId) -> anyhow::Result<Entry> {
    let entry = store::quarantine::by_id(conn, id).await?;
    entry.with_context(|| format!("there is no mail {id} in quarantine"))
}

/// Returns the entries of these ids; one that is not there is a mistake before anything is done.
async fn all_found(db: &Db, ids: &[i64]) -> anyhow::Result<Vec<Entry>> {
    let mut conn = db.reader().await?;
    let mut entries: Vec<Entry> = Vec::with_capacity(ids.len());
    for id in ids {
        if entries.iter().all(|entry| entry.id.0 != *id) {
            entries.push(found(&mut conn, QuarantineId(*id)).await?);
        }
    }
    Ok(entries)
}

async fn retry(db: &Db, settings: &Settings, ids: &[i64], all: bool, is_quiet: bool) -> Outcome {
    let entries = match all {
        true => store::quarantine::all(&mut db.reader().await?).await?,
        false => all_found(db, ids).await?,
    };
    if entries.is_empty() {
        tell(is_quiet, "Nothing is in quarantine.")?;
    }
    let mut stay = false;
    for entry in entries {
        let became = retry_one(db, settings, &entry).await?;
        stay |= matches!(became, Became::Quarantined { .. });
        tell(is_quiet, &format!("{}: {}", entry.id, told(&became)))?;
    }
    Ok(code(stay))
}

/// Delivers a mail again. Killed between the two commits, the next try finds a duplicate and tidies up.
async fn retry_one(db: &Db, settings: &Settings, entry: &Entry) -> anyhow::Result<Became> {
    let raw = store::quarantine::bytes(&mut db.reader().await?, entry.id).await?;
    let list = Some(entry.list_id.as_str()).filter(|list| !list.is_empty());
    let list = list.map(ListId::new);
    let now = Timestamp::now();
    let became = ingest::receive(db, &raw, list.as_ref(), &intake(settings), now)
        .await
        .with_context(|| database::named(settings))?;
    if !matches!(became, Became::Quarantined { .. }) {
        delete(db, entry.id).await?;
    }
    Ok(became)
}

async fn delete(db: &Db, id: QuarantineId) -> store::Result<bool> {
    let mut tx = db.begin().await?;
    let was_there = store::quarantine::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(was_there)
}

fn told(became: &Became) -> String {
    match became {
        Became::Patch(id) => format!("stored as patch {id}"),
        Became::Cover(id) => format!("stored as cover letter {id}"),
        Became::Comment(id) => format!("stored as comment {id}"),
        Became::Duplicate(_) => "stored before".to_owned(),
        Became::Ignored(why) => format!("nothing to store: {}", why.word()),
        Became::Invalid(reason) => format!("not a mail that can be used: {}", plain(reason)),
        Became::Quarantined { id, reason } => {
            format!("in quarantine as {id}: {}", plain(reason))
        }
    }
}

fn code(is_trouble: bool) -> ExitCode {
    match is_trouble {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

async fn retry_spool(db: &Db, settings: &Settings, is_quiet: bool) -> Outcome {
    let Some(folder) = settings.spool() else {
        bail!("there is no spool: mail.intake.spool is empty");
    };
    let report = deliver_spool(db, settings, folder).await?;
    for (file, became) in &report.outcomes {
        tell(is_quiet, &format!("{file}: {}", told(became)))?;
    }
    if report.outcomes.is_empty() && report.trouble.is_empty() {
        tell(is_quiet, "Nothing waits in the spool.")?;
    }
    Ok(code(!report.trouble.is_empty()))
}

/// Delivers the mails that came while the database was away, and tells of those that stay.
pub(super) async fn deliver_spool(
    db: &Db,
    settings: &Settings,
    folder: &Path,
) -> anyhow::Result<spool::Report> {
    let report = spool::deliver(db, folder, &intake(settings))
        .await
        .map_err(|error| match error {
            spool::Error::Folder { .. } => error.into(),
            spool::Error::Database(error) => {
                anyhow::Error::new(error).context(database::named(settings))
            }
        })?;
    for (file, why) in &report.trouble {
        output::tell(&format!("{file} stays in the spool: {why}"));
    }
    Ok(report)
}

async fn drop_all(db: &Db, ids: &[i64], is_sure: bool, is_quiet: bool) -> Outcome {
    let entries = all_found(db, ids).await?;
    if !is_sure && !confirmed(&entries)? {
        tell(is_quiet, "Nothing was dropped.")?;
        return Ok(ExitCode::FAILURE);
    }
    for entry in entries {
        delete(db, entry.id).await?;
        tell(is_quiet, &format!("{}: dropped", entry.id))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks whether to go on; without somebody to ask, it has to be said beforehand.
fn confirmed(entries: &[Entry]) -> anyhow::Result<bool> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        bail!("what is dropped is gone for good: say --yes");
    }
    for entry in entries {
        output::say(&row(entry).join("  "))?;
    }
    eprint!("Drop {} for good? [y/N] ", entries.len());
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn tell(is_quiet: bool, line: &str) -> io::Result<()> {
    match is_quiet {
        true => Ok(()),
        false => output::say(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mails_hold_cannot_move_the_cursor() {
        assert_eq!(plain("a\tb\x1b[2J\u{9b}c"), "a b\u{fffd}[2J\u{fffd}c");
    }
}
