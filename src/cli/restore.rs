//! `patchwork restore`: a backup back into an empty database, of the same engine or the other.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};

use super::{Common, Outcome, block_on, database, long, output, reindex};
use crate::{
    auth::hex,
    ingest::MOST_BYTES,
    store::{
        self, Db,
        backup::{self, Head, Tail},
        dump::{self, Table},
    },
};

/// Put a backup into an empty database
#[derive(Debug, Args)]
#[command(after_help = "\
The database has to be migrated and nothing else: `patchwork migrate` makes one. Which engine the backup came from does \
not matter. The file is read to its end before anything is written, and all of it is written or nothing. Its rows are \
counted, table by table, and new ids go on after its last ones.

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
        let whole = whole(&self.file)?;
        let Whole { head, .. } = &whole;
        let total = whole.rows;
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
            let code = long::or_interrupted(async {
                load(&db, &self.file, &whole, &bar).await?;
                let left = reindex::left(&db).await?;
                reindex::through(&db, &long::bar(common, left)).await
            })
            .await?;
            bar.finish_and_clear();
            db.close().await;
            if code == ExitCode::SUCCESS && !common.is_quiet() {
                let created = output::plain(&head.created);
                output::say(&format!("Restored {total} rows, as of {created}."))?;
            }
            Ok(code)
        })
    }
}

/// How a file packed with zstd starts (RFC 8878 §3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// How long a line may be: the largest row is that of a mail of the largest size, two digits a byte.
pub(super) const MOST_LINE: u64 = 2 * MOST_BYTES + (1 << 20);

/// How long the last line may be: it has a number for each table.
const MOST_TAIL: usize = 1 << 16;

/// How many bytes of rows are written together, at most, but for a row that is larger.
const HELD: usize = 16 << 20;

/// What is known of a backup that was read to its end.
struct Whole {
    head: Head,
    tail: Tail,
    /// How many lines lie between both.
    rows: u64,
}

fn lines(file: &Path) -> anyhow::Result<impl BufRead> {
    let cannot = || format!("cannot read {}", file.display());
    let about = fs::metadata(file).with_context(cannot)?;
    // It is read twice.
    ensure!(about.is_file(), "{} is no regular file", file.display());
    let mut packed = BufReader::new(File::open(file).with_context(cannot)?);
    let start = packed.fill_buf().with_context(cannot)?;
    ensure!(
        start.starts_with(&ZSTD),
        "{} is no backup of patchwork",
        file.display()
    );
    let unpacked = zstd::Decoder::with_buffer(packed).with_context(cannot)?;
    Ok(BufReader::with_capacity(1 << 16, unpacked))
}

/// Reads all of it and says whether it is whole: the first and the last line.
fn whole(file: &Path) -> anyhow::Result<Whole> {
    let name = file.display();
    let read = scan(lines(file)?, MOST_LINE).with_context(|| format!("{name} is damaged"))?;
    let head: Head = serde_json::from_slice(&read.first)
        .with_context(|| format!("{name} is no backup of patchwork: line 1"))?;
    ensure!(
        head.patchwork_backup == backup::FORM,
        "{name} has form {}, which this version does not know",
        head.patchwork_backup
    );
    let tail: Tail = serde_json::from_slice(&read.last)
        .ok()
        .with_context(|| format!("{name} is not complete: its last line is missing"))?;
    ensure!(
        tail.sha256 == hex(&read.before_last.finalize()),
        "{name} is damaged: its digest is another"
    );
    Ok(Whole {
        head,
        tail,
        rows: read.lines.saturating_sub(2),
    })
}

/// What a look at all lines brings.
#[derive(Default)]
struct Scan {
    first: Vec<u8>,
    last: Vec<u8>,
    lines: u64,
    /// Of all lines but the last.
    before_last: Sha256,
}

/// Goes through all lines and keeps hardly anything: a few bytes can be packed that would fill any memory.
fn scan(mut input: impl BufRead, most: u64) -> io::Result<Scan> {
    let mut scan = Scan::default();
    let mut digest = Sha256::new();
    loop {
        let before = digest.clone();
        let mut kept = Vec::new();
        let length = line(&mut input, most, |some| {
            digest.update(some);
            let room = MOST_TAIL.saturating_sub(kept.len());
            kept.extend_from_slice(&some[..some.len().min(room)]);
        })
        .map_err(|error| at(scan.lines + 1, error))?;
        if length == 0 {
            return Ok(scan);
        }
        scan.lines += 1;
        scan.before_last = before;
        if scan.lines == 1 {
            scan.first.clone_from(&kept);
        }
        scan.last = kept;
    }
}

fn at(number: u64, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("line {number}: {error}"))
}

/// Reads a line piece by piece and returns how long it is, its end included; 0: there is none.
fn line(input: &mut impl BufRead, most: u64, mut take: impl FnMut(&[u8])) -> io::Result<u64> {
    let mut length = 0;
    loop {
        let some = input.fill_buf()?;
        let end = some.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(some.len(), |end| end + 1);
        length += used as u64;
        if length > most {
            let told = format!("it has more than {most} bytes, which no row has");
            return Err(io::Error::new(io::ErrorKind::InvalidData, told));
        }
        take(&some[..used]);
        input.consume(used);
        if end.is_some() || used == 0 {
            return Ok(length);
        }
    }
}

async fn load(db: &Db, file: &Path, whole: &Whole, bar: &ProgressBar) -> anyhow::Result<()> {
    let mut restore = backup::Restore::begin(db).await?;
    let mut held = Held::default();
    let mut input = lines(file)?;
    let mut text = Vec::new();
    for number in 1..whole.rows + 2 {
        text.clear();
        let damaged = || format!("{} is damaged: line {number}", file.display());
        line(&mut input, MOST_LINE, |some| text.extend_from_slice(some)).with_context(damaged)?;
        if number == 1 {
            continue; // the head
        }
        let row: serde_json::Value = serde_json::from_slice(&text).with_context(damaged)?;
        let Some(name) = row["table"].as_str() else {
            bail!("{}: it names no table", damaged());
        };
        let Some(table) = dump::table(name) else {
            bail!("{}: there is no table '{name}' here", damaged());
        };
        if held.is_full() || held.of.is_some_and(|of| of.name != table.name) {
            held.write(&mut restore, bar).await?;
        }
        held.of = Some(table);
        held.bytes += text.len();
        held.rows.push(row);
    }
    held.write(&mut restore, bar).await?;
    restore.finish(&whole.head, &whole.tail).await?;
    Ok(())
}

/// Rows of one table that are to be written together.
#[derive(Default)]
struct Held {
    of: Option<&'static Table>,
    rows: Vec<serde_json::Value>,
    bytes: usize,
}

impl Held {
    fn is_full(&self) -> bool {
        self.rows.len() >= backup::ROWS || self.bytes >= HELD
    }

    async fn write(
        &mut self,
        restore: &mut backup::Restore,
        bar: &ProgressBar,
    ) -> anyhow::Result<()> {
        if let Some(table) = self.of {
            restore.write(table, &self.rows).await?;
            bar.inc(self.rows.len() as u64);
        }
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_and_none_is_endless() {
        let scanned = scan(&b"head\nrow\ntail\n"[..], 5).expect("three lines");
        assert_eq!(
            (&*scanned.first, &*scanned.last),
            (&b"head\n"[..], &b"tail\n"[..])
        );
        assert_eq!(scanned.lines, 3);
        assert_eq!(
            scanned.before_last.finalize(),
            Sha256::digest(b"head\nrow\n")
        );
        let endless = BufReader::new(io::Read::chain(&b"head\n"[..], io::repeat(b'x')));
        let told = scan(endless, 100_000).err().expect("an error").to_string();
        assert_eq!(
            told,
            "line 2: it has more than 100000 bytes, which no row has"
        );
    }
}
