//! `patchwork retag`: counts the tags of patches anew.

use std::time::Duration;

use clap::Args;

use super::{
    Common, Outcome,
    walk::{Page, Patches},
};
use crate::{
    domain::{PatchId, tag::Counter},
    store::{self, Db, patch::walk},
};

/// How often a page is tried when mail comes in at the same time.
const TRIES: u32 = 10;

/// Count the tags of patches anew
#[derive(Debug, Args)]
#[command(after_help = "\
Of use after a tag was added or its pattern changed. Projects that do not count tags are left alone. Ids that are not \
there are ignored. May be interrupted and started again.

Examples:
  patchwork retag
  patchwork retag 17 4711")]
pub(super) struct Retag {
    #[command(flatten)]
    patches: Patches,
}

/// Counts a page.
struct Counts(Counter);

impl Retag {
    pub(super) fn run(self, common: &Common) -> Outcome {
        self.patches.run(common, async |db: &Db| {
            let tags = store::tag::all(&mut db.reader().await?).await?;
            Ok(Counts(Counter::new(&tags)))
        })
    }
}

impl Page for Counts {
    async fn page(
        &self,
        db: &Db,
        after: PatchId,
        only: &[PatchId],
    ) -> anyhow::Result<Option<PatchId>> {
        let ids = walk::ids(&mut db.reader().await?, after, only).await?;
        let mut tries = 1;
        while let Err(error) = self.count(db, &ids).await {
            if tries == TRIES || !error.is_contention() {
                return Err(error.into());
            }
            tries += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(ids.last().copied())
    }
}

impl Counts {
    async fn count(&self, db: &Db, patches: &[PatchId]) -> store::Result<()> {
        let mut tx = db.begin().await?;
        store::tag::recount(&mut tx, &self.0, patches).await?;
        tx.commit().await
    }
}
