//! `patchwork restore`: a backup back into an empty database, of the same engine or the other.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};

use super::{Common, Outcome, backup::hex, block_on, database, long, output};
use crate::store::{
    self, Db,
    backup::{self, Head, Tail},
    dump::{self, Table},
};

/// Put a backup into an empty database
#[derive(Debug, Args)]
#[command(after_help = "\
The database has to be migrated and nothing else: `patchwork migrate` makes one. Which engine the backup came from does \
not matter. The file is read to its end before anything is written, and all of it is written or nothing.

Example:
  patchwork --database postgres://patchwork@db/patchwork migrate
  patchwork --database postgres://patchwork@db/patchwork restore site.zst")]
pub(super) struct Restore {
    /// What `patchwork backup` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Restore {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let (head, tail) = whole(&self.file)?;
        let total: u64 = tail.rows.values().sum();
        block_on(async {
            let db = database::ready_with(
                &loaded.settings,
                &store::Options {
                    // One transaction holds it all, and its last step may take long.
                    statement_timeout: None,
                    ..database::options(&loaded.settings)
                },
            )
            .await?;
            ensure!(
                head.migration == backup::last_migration(db.kind()),
                "{} was written by patchwork {} (schema {}), this is {} (schema {}): restore it with that version, then migrate",
                self.file.display(),
                head.version,
                head.migration,
                env!("CARGO_PKG_VERSION"),
                backup::last_migration(db.kind()),
            );
            let bar = long::bar(common, i64::try_from(total).unwrap_or(i64::MAX));
            let code = long::or_interrupted(load(&db, &self.file, &head, &bar)).await?;
            bar.finish_and_clear();
            db.close().await;
            if code == ExitCode::SUCCESS && !common.is_quiet() {
                output::say(&format!("Restored {total} rows, as of {}.", head.created))?;
            }
            Ok(code)
        })
    }
}

/// How a file packed with zstd starts (RFC 8878 §3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

fn lines(file: &Path) -> anyhow::Result<impl BufRead> {
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut packed = BufReader::new(opened);
    let start = packed.fill_buf()?;
    ensure!(
        start.starts_with(&ZSTD),
        "{} is no backup of patchwork",
        file.display()
    );
    let unpacked = zstd::Decoder::with_buffer(packed)?;
    Ok(BufReader::with_capacity(1 << 16, unpacked))
}

/// Reads all of it and says whether it is whole: the first and the last line.
fn whole(file: &Path) -> anyhow::Result<(Head, Tail)> {
    let no_backup = || format!("{} is no backup of patchwork", file.display());
    let damaged = || format!("{} is damaged", file.display());
    let mut input = lines(file)?;
    let mut digest = Sha256::new();
    let (mut line, mut last) = (String::new(), String::new());
    input.read_line(&mut line).with_context(damaged)?;
    let head: Head = serde_json::from_str(&line).with_context(no_backup)?;
    ensure!(
        head.patchwork_backup == backup::FORM,
        "{} has form {}, which this version does not know",
        file.display(),
        head.patchwork_backup
    );
    std::mem::swap(&mut line, &mut last);
    loop {
        line.clear();
        let read = input.read_line(&mut line).with_context(damaged)?;
        if read == 0 {
            break;
        }
        digest.update(last.as_bytes());
        std::mem::swap(&mut line, &mut last);
    }
    let tail: Tail = serde_json::from_str(&last).ok().with_context(|| {
        format!(
            "{} is not complete: its last line is missing",
            file.display()
        )
    })?;
    ensure!(
        tail.sha256 == hex(&digest.finalize()),
        "{} is damaged: its digest is another",
        file.display()
    );
    Ok((head, tail))
}

async fn load(db: &Db, file: &Path, head: &Head, bar: &ProgressBar) -> anyhow::Result<()> {
    let mut restore = backup::Restore::begin(db).await?;
    let mut held: Vec<serde_json::Value> = Vec::new();
    let mut of: Option<&'static Table> = None;
    for line in lines(file)?.lines().skip(1) {
        let row: serde_json::Value = serde_json::from_str(&line?)?;
        let Some(name) = row["table"].as_str() else {
            break; // the last line
        };
        let Some(table) = dump::table(name) else {
            bail!("there is no table '{name}' here");
        };
        if held.len() >= backup::ROWS || of.is_some_and(|of| of.name != table.name) {
            write(&mut restore, of, &mut held, bar).await?;
        }
        of = Some(table);
        held.push(row);
    }
    write(&mut restore, of, &mut held, bar).await?;
    restore.finish(head).await?;
    Ok(())
}

async fn write(
    restore: &mut backup::Restore,
    table: Option<&'static Table>,
    rows: &mut Vec<serde_json::Value>,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    if let Some(table) = table {
        restore.write(table, rows).await?;
        bar.inc(rows.len() as u64);
    }
    rows.clear();
    Ok(())
}
