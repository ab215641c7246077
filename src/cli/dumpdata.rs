//! `patchwork dumpdata`: tables as JSON lines, the same from both engines.

use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
};

use anyhow::bail;
use clap::Args;

use super::{Common, Outcome, block_on, database};
use crate::store::dump::{self, Options, Place, TABLES, Table};

/// Print tables as JSON lines
#[derive(Debug, Args)]
#[command(after_help = "\
Rows come in the order of their primary keys, the same from SQLite and PostgreSQL: compare two databases with \
`cmp`. Received mails are named by size and digest only.

Examples:
  patchwork dumpdata state tag project > site.json
  patchwork dumpdata --stable | sha256sum")]
pub(super) struct Dumpdata {
    /// The tables [default: all]
    #[arg(value_name = "TABLE")]
    tables: Vec<String>,
    /// Leave out what differs between two loads of the same mails, and all secrets
    #[arg(long)]
    stable: bool,
    /// Show the hashes of passwords and tokens
    #[arg(long, conflicts_with = "stable")]
    secrets: bool,
}

impl Dumpdata {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let tables = checked(&self.tables)?;
        let loaded = common.settings(Vec::new())?;
        let options = Options {
            stable: self.stable,
            secrets: self.secrets,
            whole: false,
        };
        block_on(async {
            let db = database::ready(&loaded.settings).await?;
            let mut conn = db.reader().await?;
            let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
            for table in tables {
                let mut place = Place::default();
                loop {
                    let lines = table.page(&mut conn, &mut place, options).await?;
                    if lines.is_empty() {
                        break;
                    }
                    for line in lines {
                        out.write_all(line.as_bytes())?;
                        out.write_all(b"\n")?;
                    }
                }
            }
            out.flush()?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn checked(names: &[String]) -> anyhow::Result<Vec<&'static Table>> {
    if names.is_empty() {
        return Ok(TABLES.iter().collect());
    }
    let find = |name: &String| match dump::table(name) {
        Some(table) => Ok(table),
        None => {
            let all: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
            bail!("there is no table '{name}'; there are {}", all.join(", "))
        }
    };
    names.iter().map(find).collect()
}
