//! Going through patches, all or some, a page at a time: what `rehash` and `retag` share.

use std::process::ExitCode;

use clap::Args;
use indicatif::ProgressBar;

use super::{Common, Outcome, block_on, database, long, output};
use crate::{
    domain::PatchId,
    store::{self, Db},
};

/// How many ids are looked for at once.
const SOME: usize = 500;

/// The patches to go through.
#[derive(Debug, Args)]
pub(super) struct Patches {
    /// The patches [default: all]
    #[arg(value_name = "ID")]
    ids: Vec<i64>,
}

/// Does to a page of patches, after an id, what a command is for; returns the last id of the page.
pub(super) trait Page {
    /// Does it. `only` is empty for all patches.
    async fn page(
        &self,
        db: &Db,
        after: PatchId,
        only: &[PatchId],
    ) -> anyhow::Result<Option<PatchId>>;
}

impl Patches {
    /// Goes through the patches. Each page is a transaction of its own: what Ctrl-C ends may be started again.
    pub(super) fn run<P: Page>(
        self,
        common: &Common,
        begin: impl AsyncFnOnce(&Db) -> anyhow::Result<P>,
    ) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let mut ids: Vec<PatchId> = self.ids.into_iter().map(PatchId).collect();
        ids.sort_unstable();
        let code = block_on(async {
            let db = database::ready(&loaded.settings).await?;
            let last = store::patch::walk::last_id(&mut db.reader().await?).await?;
            let bar = long::bar(common, last.0);
            let code = long::or_interrupted(async {
                let page = begin(&db).await?;
                for only in chunks(&ids) {
                    through(&db, &page, only, &bar).await?;
                }
                Ok(())
            })
            .await;
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

/// Returns the ids in portions; without ids one empty portion, which means all patches.
fn chunks(ids: &[PatchId]) -> Vec<&[PatchId]> {
    match ids {
        [] => vec![ids],
        ids => ids.chunks(SOME).collect(),
    }
}

async fn through(
    db: &Db,
    page: &impl Page,
    only: &[PatchId],
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let mut after = PatchId(0);
    while let Some(last) = page.page(db, after, only).await? {
        after = last;
        long::moved(bar, last.0);
    }
    Ok(())
}
