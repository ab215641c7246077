//! `patchwork rehash`: computes the hashes of diffs anew.

use clap::Args;

use super::{
    Common, Outcome,
    walk::{Page, Patches},
};
use crate::{
    domain::{DiffHash, PatchId},
    mail::diff_hash,
    store::{self, Db, patch::walk},
};

/// Compute the hashes of diffs anew
#[derive(Debug, Args)]
#[command(after_help = "\
Commit hooks look patches up by these hashes; `patchwork hash` computes the one of a diff. Ids that are not there are \
ignored. May be interrupted and started again.

Examples:
  patchwork rehash
  patchwork rehash 17 4711")]
pub(super) struct Rehash {
    #[command(flatten)]
    patches: Patches,
}

/// Hashes a page.
struct Hashes;

impl Rehash {
    pub(super) fn run(self, common: &Common) -> Outcome {
        self.patches.run(common, async |_: &Db| Ok(Hashes))
    }
}

impl Page for Hashes {
    async fn page(
        &self,
        db: &Db,
        after: PatchId,
        only: &[PatchId],
    ) -> anyhow::Result<Option<PatchId>> {
        let patches = walk::diffs(&mut db.reader().await?, after, only).await?;
        let right = |patch: &walk::Hashed| patch.diff.as_deref().map(diff_hash);
        let wrong: Vec<(PatchId, Option<DiffHash>)> = patches
            .iter()
            .map(|patch| (patch, right(patch)))
            .filter(|(patch, right)| patch.hash != *right)
            .map(|(patch, right)| (patch.id, right))
            .collect();
        if !wrong.is_empty() {
            let mut tx = db.begin().await?;
            for (id, hash) in &wrong {
                store::patch::walk::set_hash(&mut tx, *id, hash.as_ref()).await?;
            }
            tx.commit().await?;
        }
        Ok(patches.last().map(|patch| patch.id))
    }
}
