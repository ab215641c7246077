//! `patchwork replacerelations`: puts the relations of a file in place of all there are.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;

use super::{Common, Outcome, block_on, database, long, output};
use crate::{
    domain::PatchId,
    store::{self, Db},
};

/// How many mistakes of a file are told.
const MAX_FAULTS: usize = 5;

/// Put relations from a file in place of all there are
#[derive(Debug, Args)]
#[command(after_help = "\
Each line is a relation: the ids of its patches, separated by blanks. Ids that are not there are ignored; of several \
lines with the same patch the last one gets it. All or nothing: with a mistake in the file nothing changes.

Examples:
  patchwork replacerelations relations.txt
  printf '17 18\\n20 21 22\\n' > new && patchwork replacerelations new")]
pub(super) struct Replacerelations {
    /// The file
    #[arg(value_name = "FILE")]
    infile: PathBuf,
}

impl Replacerelations {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let name = self.infile.display().to_string();
        let mut count = 0;
        let code = block_on(async {
            let file = File::open(&self.infile).with_context(|| format!("cannot read {name}"))?;
            let db = database::ready(&loaded.settings).await?;
            let code = long::or_interrupted(async {
                count = replace(&db, BufReader::new(file), &name).await?;
                Ok(())
            })
            .await;
            db.close().await;
            code
        })?;
        if code == ExitCode::SUCCESS && !common.is_quiet() {
            output::say(&format!("Ingested {count} relations"))?;
        }
        Ok(code)
    }
}

/// Replaces all relations in one transaction, and returns how many there are then.
async fn replace(db: &Db, mut file: impl BufRead, name: &str) -> anyhow::Result<i64> {
    let mut tx = db.begin().await?;
    store::relation::delete_all(&mut tx).await?;
    let mut faults = Vec::new();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = file
            .read_until(b'\n', &mut line)
            .with_context(|| format!("cannot read {name}"))?;
        if read == 0 {
            break;
        }
        match relation(&String::from_utf8_lossy(&line)) {
            // After a mistake the rest is only looked at.
            Ok(patches) if faults.is_empty() => {
                store::relation::replace(&mut tx, &patches).await?;
            }
            Ok(_) => {}
            Err(word) => faults.push(format!(
                "line {number}: '{}' is no patch id",
                output::cut(&word)
            )),
        }
    }
    if !faults.is_empty() {
        bail!("{name} was not used: {}", told(&faults));
    }
    let count = store::relation::tidy(&mut tx).await?;
    tx.commit().await?;
    Ok(count)
}

/// Reads a line, or returns the first word of it that is no id.
fn relation(line: &str) -> Result<Vec<PatchId>, String> {
    let id = |word: &str| {
        let number = word.parse::<u32>().map(i64::from);
        number.map(PatchId).map_err(|_| word.to_owned())
    };
    line.split_whitespace().map(id).collect()
}

fn told(faults: &[String]) -> String {
    let shown = faults.iter().take(MAX_FAULTS).cloned();
    let mut told = shown.collect::<Vec<_>>().join("; ");
    if faults.len() > MAX_FAULTS {
        told.push_str(&format!("; and {} more", faults.len() - MAX_FAULTS));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_ids_and_blanks() {
        assert_eq!(
            relation(" 1\t22 3\r\n"),
            Ok(vec![PatchId(1), PatchId(22), PatchId(3)])
        );
        assert_eq!(relation("\n"), Ok(vec![]));
        assert_eq!(relation("1 x 2 y"), Err("x".to_owned()));
        assert_eq!(relation("-1"), Err("-1".to_owned()));
    }
}
