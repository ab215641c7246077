//! `patchwork backup`: the whole database in one file, the same from both engines.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};

use super::{Common, Outcome, block_on, database, long, output};
use crate::{
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
may read it. `patchwork restore` puts it into an empty database of either engine.

Examples:
  patchwork backup /var/backups/patchwork-$(date +%F).zst
  patchwork --database postgres://patchwork@db/patchwork restore site.zst")]
pub(super) struct Backup {
    /// The file; one that is there is replaced when the new one is complete
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// zstd's own idea of a good middle.
const LEVEL: i32 = 3;

impl Backup {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let part = partial(&self.file);
        block_on(async {
            let db = database::ready(&loaded.settings).await?;
            let written = long::or_interrupted(write(&db, common, &part, &self.file)).await;
            // It is gone already when all went well.
            let _ = fs::remove_file(&part);
            let code = written?;
            if code == ExitCode::SUCCESS {
                remember(&db).await;
            }
            db.close().await;
            Ok(code)
        })
    }
}

/// The name of what is not complete yet, in the same folder.
fn partial(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    name.into()
}

async fn write(db: &Db, common: &Common, part: &Path, file: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", file.display());
    let out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(part)
        .with_context(cannot)?;
    let mut tx = db.snapshot().await?;
    let bar = long::bar(common, backup::estimate(&mut tx).await?);
    let (out, rows) = pack(&mut tx, out, &bar).await.with_context(cannot)?;
    out.sync_all().with_context(cannot)?;
    fs::rename(part, file).with_context(cannot)?;
    bar.finish_and_clear();
    if !common.is_quiet() {
        output::say(&format!("Wrote {rows} rows to {}.", file.display()))?;
    }
    Ok(())
}

/// Writes all lines, packed, and returns the file and how many rows there are.
async fn pack(conn: &mut Conn, out: File, bar: &ProgressBar) -> anyhow::Result<(File, u64)> {
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
    let file = out
        .out
        .finish()?
        .into_inner()
        .map_err(|error| error.into_error())?;
    Ok((file, tail.rows.values().sum()))
}

struct Lines {
    out: zstd::Encoder<'static, BufWriter<File>>,
    digest: Sha256,
}

impl Lines {
    fn line(&mut self, line: &str) -> std::io::Result<()> {
        for bytes in [line.as_bytes(), b"\n"] {
            self.digest.update(bytes);
            self.out.write_all(bytes)?;
        }
        Ok(())
    }
}

/// Returns bytes as they are named in the last line.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
