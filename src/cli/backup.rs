//! `patchwork backup`: the whole database in one file, the same from both engines.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, ensure};
use clap::Args;
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};
use tokio::signal::unix::{SignalKind, signal};

use super::{Common, Outcome, block_on, database, long, output, restore::MOST_LINE};
use crate::{
    auth::hex,
    domain::Timestamp,
    store::{
        self, Conn, Db,
        backup::{self, Tail},
        dump::{Place, TABLES},
    },
};

/// Write the whole database into a file
#[derive(Debug, Args)]
#[command(after_help = "\
The site goes on meanwhile; the file holds one moment of it. It holds everything that lets people in, so only its owner \
may read it. `patchwork restore` puts it into an empty database of either engine. Devices, pipes and symbolic links are \
not replaced; what goes to standard output is kept by whoever reads it.

Examples:
  patchwork backup /var/backups/patchwork-$(date +%F).zst
  patchwork backup - | ssh vault 'cat > site.zst'
  patchwork --database postgres://patchwork@db/patchwork restore site.zst")]
pub(super) struct Backup {
    /// The file, or - for standard output; one that is there is replaced when the new one is complete
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// zstd's own idea of a good middle.
const LEVEL: i32 = 3;

/// SIGXFSZ, as Linux numbers it: a file has become larger than it may be.
const TOO_LARGE: i32 = 25;

impl Backup {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let target = Target::of(&self.file)?;
        block_on(async {
            // With somebody who listens it does not end the process: the write fails, and the part is taken away.
            let _listens = signal(SignalKind::from_raw(TOO_LARGE));
            let db = database::ready(&loaded.settings).await?;
            let written = long::or_interrupted(write(&db, common, &target)).await;
            if let Target::File { part, .. } = &target {
                // It is gone already when all went well.
                let _ = fs::remove_file(part);
            }
            let code = written?;
            if code == ExitCode::SUCCESS {
                remember(&db).await;
            }
            db.close().await;
            Ok(code)
        })
    }
}

/// Where a backup goes.
enum Target {
    Output,
    File { part: PathBuf, file: PathBuf },
}

impl Target {
    /// Says where it goes; nothing but a file, or what is not there, is replaced.
    fn of(file: &Path) -> anyhow::Result<Target> {
        if file == Path::new("-") || file == Path::new("/dev/stdout") {
            ensure!(
                !io::stdout().is_terminal(),
                "a backup is not written to a terminal"
            );
            return Ok(Target::Output);
        }
        match fs::symlink_metadata(file) {
            Ok(about) => ensure!(
                about.is_file(),
                "{} is no regular file, and is not replaced",
                file.display()
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot write {}", file.display()));
            }
        }
        Ok(Target::File {
            part: partial(file),
            file: file.to_owned(),
        })
    }
}

/// The name of what is not complete yet, in the same folder.
fn partial(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    name.into()
}

async fn write(db: &Db, common: &Common, target: &Target) -> anyhow::Result<()> {
    let mut tx = db.snapshot().await?;
    let bar = long::bar(common, backup::estimate(&mut tx).await?);
    match target {
        Target::Output => {
            let cannot = "cannot write to standard output";
            pack(&mut tx, io::stdout(), &bar).await.context(cannot)?;
        }
        Target::File { part, file } => {
            let cannot = || format!("cannot write {}", file.display());
            let rows = replace(&mut tx, part, file, &bar)
                .await
                .with_context(cannot)?;
            if !common.is_quiet() {
                bar.finish_and_clear();
                output::say(&format!("Wrote {rows} rows to {}.", file.display()))?;
            }
        }
    }
    bar.finish_and_clear();
    Ok(())
}

async fn replace(
    conn: &mut Conn,
    part: &Path,
    file: &Path,
    bar: &ProgressBar,
) -> anyhow::Result<u64> {
    let out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(part)?;
    let (out, rows) = pack(conn, out, bar).await?;
    out.sync_all()?;
    fs::rename(part, file)?;
    // The name, too, has to be there after a crash.
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(rows)
}

/// Writes all lines, packed, and returns where they went and how many rows there are.
async fn pack<W: Write>(conn: &mut Conn, out: W, bar: &ProgressBar) -> anyhow::Result<(W, u64)> {
    let mut out = Lines {
        out: zstd::Encoder::new(BufWriter::with_capacity(1 << 16, out), LEVEL)?,
        digest: Sha256::new(),
    };
    let head = backup::head(conn, Timestamp::now()).await?;
    out.line(&serde_json::to_string(&head)?)?;
    let mut tail = Tail::default();
    for table in TABLES {
        let mut place = Place::default();
        let mut rows = 0;
        loop {
            let lines = backup::page(conn, table, &mut place).await?;
            if lines.is_empty() {
                break;
            }
            for line in &lines {
                out.line(line)?;
            }
            rows += lines.len() as u64;
            bar.inc(lines.len() as u64);
        }
        tail.rows.insert(table.name.to_owned(), rows);
    }
    tail.sha256 = hex(&out.digest.clone().finalize());
    out.line(&serde_json::to_string(&tail)?)?;
    let out = out
        .out
        .finish()?
        .into_inner()
        .map_err(|error| error.into_error())?;
    Ok((out, tail.rows.values().sum()))
}

struct Lines<W: Write> {
    out: zstd::Encoder<'static, BufWriter<W>>,
    digest: Sha256,
}

impl<W: Write> Lines<W> {
    fn line(&mut self, line: &str) -> io::Result<()> {
        if line.len() as u64 >= MOST_LINE {
            return Err(io::Error::other(
                "a row is larger than any that can be restored",
            ));
        }
        for bytes in [line.as_bytes(), b"\n"] {
            self.digest.update(bytes);
            self.out.write_all(bytes)?;
        }
        Ok(())
    }
}
/// Remembers that there is a backup; one that only reads the database is as good.
async fn remember(db: &Db) {
    let beat = async {
        let mut tx = db.begin().await?;
        store::job::beat(&mut tx, "backup", Timestamp::now()).await?;
        tx.commit().await
    };
    if let Err(error) = beat.await {
        tracing::warn!("the backup is complete, but the database does not know of it: {error}");
    }
}
