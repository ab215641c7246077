//! `patchwork reindex`: makes the index of texts anew.

use std::process::ExitCode;

use clap::Args;
use indicatif::ProgressBar;

use super::{Common, Outcome, block_on, database, long, output};
use crate::{
    ingest::job,
    store::{self, Db, search},
};

/// Make the index of the search anew
#[derive(Debug, Args)]
#[command(after_help = "\
Mails are indexed as they come, and after a change; this is for an index that has to be made of what was there before, \
and for mails that were loaded with --search-later. It goes on where the last one was interrupted; one that came to its end is begun anew. The site may be served meanwhile: what \
is indexed stays until it is replaced.

Examples:
  patchwork reindex
  patchwork reindex --anew")]
pub(super) struct Reindex {
    /// Begin anew even if the last one was interrupted
    #[arg(long)]
    anew: bool,
}

impl Reindex {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let code = block_on(async {
            let db = database::ready(&loaded.settings).await?;
            if self.anew || left(&db).await? == 0 {
                let mut tx = db.begin().await?;
                search::begin_anew(&mut tx).await?;
                tx.commit().await?;
            }
            let bar = long::bar(common, left(&db).await?);
            let code = long::or_interrupted(through(&db, &bar)).await;
            bar.finish_and_clear();
            db.close().await;
            code
        })?;
        if code == ExitCode::SUCCESS && !common.is_quiet() {
            output::say("done")?;
        }
        Ok(code)
    }
}

/// Returns how many mails are to be indexed, at most.
pub(super) async fn left(db: &Db) -> store::Result<i64> {
    let mut conn = db.reader().await?;
    Ok(search::left(&mut conn).await? + search::waiting(&mut conn).await?)
}

/// Indexes all that is left; each step is a transaction of its own.
pub(super) async fn through(db: &Db, bar: &ProgressBar) -> anyhow::Result<()> {
    let begin = search::left(&mut db.reader().await?).await?;
    while step(db).await? {
        let left = search::left(&mut db.reader().await?).await?;
        long::moved(bar, begin - left);
    }
    // Of those that wait there may be millions: they are not counted after each step.
    loop {
        match job::settle_some(db).await? {
            0 => return Ok(()),
            settled => bar.inc(settled as u64),
        }
    }
}

async fn step(db: &Db) -> store::Result<bool> {
    let minute = std::time::Duration::from_secs(60);
    store::patience::patiently(minute, store::Error::is_contention, || async {
        let mut tx = db.begin().await?;
        let is_more = search::step(&mut tx).await?;
        tx.commit().await?;
        Ok(is_more)
    })
    .await
}
