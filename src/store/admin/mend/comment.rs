//! Comments: hung on what they really answer.

use crate::{
    domain::{CommentId, PatchId, comment::Parent, tag::Counter},
    store::{Result, Tx, comment, search, sql, tag},
};

/// Hangs a comment on another patch or cover letter, and counts the tags of both anew.
///
/// # Errors
/// When one of them is not there, or the database is away.
pub async fn move_comment(tx: &mut Tx, id: CommentId, parent: Parent) -> Result<()> {
    let (before,): (Option<PatchId>,) = sql("SELECT patch_id FROM comment WHERE id = $1")
        .bind(id)
        .one(tx)
        .await?;
    comment::rehang(tx, id, parent).await?;
    search::settle(tx).await?;
    let mut patches: Vec<PatchId> = before.into_iter().chain(parent.split().0).collect();
    patches.sort_unstable();
    patches.dedup();
    let counter = Counter::new(&tag::all(tx).await?);
    if patches.is_empty() {
        return Ok(());
    }
    tag::recount(tx, &counter, &patches).await
}
