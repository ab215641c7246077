//! `patchwork parsearchive`: loads a list's archive.

use std::{
    cell::RefCell,
    io,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use clap::Args;
use indicatif::ProgressBar;
use tokio::select;

use super::{
    Common, Outcome,
    archive::{self, Archive},
    block_on, database, long, output,
    parsemail::{intake, list_id},
};
use crate::{
    domain::ListId,
    ingest::{
        self,
        archive::{Progress, Summary, load},
    },
    store::{self, Db},
};

/// How long the mails in hand may take after Ctrl-C; what is not done by then is not done at all.
const PATIENCE: Duration = Duration::from_secs(3);

/// Read an archive: mbox, compressed or not, or Maildir
#[derive(Debug, Args)]
#[command(after_help = "\
Reads .gz, .xz and .zst as they are; `-` is standard input. Mails that were stored before are left out, so the same \
archive may be loaded again, and a load that was stopped goes on where it was when it is started again. Ctrl-C ends \
after the mails in hand and prints how far it came. Mails that cannot be taken in are set aside and told of: see \
`patchwork quarantine`.

Examples:
  patchwork parsearchive tidepool.mbox.xz
  patchwork parsearchive --list-id dev.tidepool.example.org ~/Maildir
  patchwork parsearchive --search-later twenty-years.mbox.xz
  curl https://lists.example.org/archive.mbox.gz | patchwork parsearchive -")]
pub(super) struct Parsearchive {
    /// The list the mails came from, whatever their headers say
    #[arg(long, value_name = "ID")]
    list_id: Option<String>,
    /// Load faster: leave it to the background to index these mails for the search
    #[arg(long)]
    search_later: bool,
    /// The archive
    #[arg(value_name = "FILE")]
    infile: PathBuf,
}

impl Parsearchive {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let settings = &loaded.settings;
        let archive = archive::open(&self.infile)?;
        let list = self.list_id.as_deref().map(list_id);
        let bar = bar(common, archive.size);
        let end = archive.end.clone();
        let (summary, is_interrupted) = block_on(async {
            database::ready(settings).await?.close().await;
            // What a crash of the machine takes away is loaded again.
            let options = store::Options {
                bulk: true,
                // A statement is made ready once, not once for each of several connections that take turns.
                alone: true,
                ..database::options(settings)
            };
            let db = database::open_with(settings, &options)?;
            let options = ingest::Options {
                search_later: self.search_later,
                ..intake(settings)
            };
            let done = run(&db, archive, list.as_ref(), &options, &bar).await;
            let done = done.with_context(|| database::named(settings));
            let settled = db.settle().await;
            db.close().await;
            let done = done?;
            settled.with_context(|| database::named(settings))?;
            Ok(done)
        })?;
        if let Some(reason) = end.get() {
            tracing::warn!(
                "the archive ends early after {} mails: {reason}",
                summary.processed
            );
        }
        tell(common, &summary, self.search_later)?;
        Ok(match is_interrupted {
            true => ExitCode::from(long::INTERRUPTED),
            false => ExitCode::SUCCESS,
        })
    }
}

/// When what was loaded is found.
const LATER: &str = "the search finds these mails when they have been indexed: a server or `patchwork cron` does it in the \
                                background, `patchwork reindex` at once";

/// Loads an archive, showing how far it is. Returns whether Ctrl-C ended it.
pub(super) async fn run(
    db: &Db,
    archive: Archive,
    list: Option<&ListId>,
    options: &ingest::Options,
    bar: &ProgressBar,
) -> store::Result<(Summary, bool)> {
    let stop = Arc::new(AtomicBool::new(false));
    let so_far = RefCell::new(Summary::default());
    let watch = |progress: Progress<'_>| {
        bar.set_position(archive.read.load(Ordering::Relaxed));
        bar.set_message(progress.summary.processed.to_string());
        bar.suspend(|| {
            for (mail, reason) in progress.trouble {
                tracing::warn!("{}: {}", output::cut(mail), output::cut(reason));
            }
        });
        so_far.replace(progress.summary.clone());
        !stop.load(Ordering::Relaxed)
    };
    let loaded = select! {
        loaded = load(db, archive.mails, list, options, watch) => Some(loaded),
        () = interrupted(&stop) => None,
    };
    bar.finish_and_clear();
    match loaded {
        Some(summary) => Ok((summary?, stop.load(Ordering::Relaxed))),
        None => Ok((so_far.take(), true)),
    }
}

/// Asks for an end at the first Ctrl-C, and ends at the second one or when nothing comes in to be ended after.
async fn interrupted(stop: &AtomicBool) {
    if tokio::signal::ctrl_c().await.is_err() {
        // The signal keeps its default, which ends the process.
        return std::future::pending().await;
    }
    stop.store(true, Ordering::Relaxed);
    select! {
        _ = tokio::signal::ctrl_c() => {}
        () = tokio::time::sleep(PATIENCE) => {}
    }
}

/// Returns a bar that counts bytes of the archive, and mails.
fn bar(common: &Common, size: Option<u64>) -> ProgressBar {
    let form = match size {
        Some(_) => {
            "{wide_bar} {msg} mails, {bytes}/{total_bytes}, {binary_bytes_per_sec}, {eta} left"
        }
        None => "{spinner} {msg} mails, {bytes}, {binary_bytes_per_sec}",
    };
    long::formed(common, size, form).with_message("0")
}

/// Says what became of the mails, and of the search.
pub(super) fn tell(common: &Common, summary: &Summary, search_later: bool) -> io::Result<()> {
    if common.is_quiet() {
        return Ok(());
    }
    output::say(&told(summary))?;
    if search_later && summary.added() > 0 {
        output::tell(LATER);
    }
    Ok(())
}

/// Returns what became of the mails, in the form that scripts read.
fn told(summary: &Summary) -> String {
    let dropped = summary.dropped();
    // Scripts read this form; what was set aside is told of mail by mail.
    let failed = summary.errors + summary.quarantined;
    let counts = [
        (summary.covers, "cover letters"),
        (summary.patches, "patches"),
        (summary.comments, "comments"),
        (summary.duplicates, "duplicates"),
        (dropped, "dropped"),
        (failed, "errors"),
    ];
    let mut text = format!("Processed {} messages -->\n", summary.processed);
    for (count, label) in counts {
        text.push_str(&format!("  {count:4} {label}\n"));
    }
    text.push_str(&format!("Total: {} new entries", summary.added()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_the_form_of_old() {
        let summary = Summary {
            processed: 1590,
            covers: 12,
            patches: 1234,
            comments: 340,
            duplicates: 1,
            dropped: [("empty", 1), ("no-project", 1)].into(),
            errors: 0,
            quarantined: 1,
        };
        let expected = "Processed 1590 messages -->\n    12 cover letters\n  1234 patches\n   340 comments\n     \
                        1 duplicates\n     2 dropped\n     1 errors\nTotal: 1586 new entries";
        assert_eq!(told(&summary), expected);
    }
}
