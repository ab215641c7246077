//! Cover letters: deleted.

use super::uncount;
use crate::{
    domain::{CoverId, ProjectId},
    store::{Batch, Result, Tx, sql, tally::What},
};

/// Deletes a cover letter with its comments and events; its series and patches stay.
///
/// # Errors
/// When the database is away.
pub async fn delete_cover(tx: &mut Tx, id: CoverId) -> Result<()> {
    let row: Option<(ProjectId,)> = sql("SELECT project_id FROM cover WHERE id = $1")
        .bind(id)
        .optional(tx)
        .await?;
    let Some((project,)) = row else {
        return Ok(());
    };
    let mut batch = Batch::default();
    batch.count(What::cover(project), -1);
    uncount(
        tx,
        &mut batch,
        "SELECT project_id, category FROM event WHERE cover_id = $1 \
         OR comment_id IN (SELECT id FROM comment WHERE cover_id = $1)",
        id.into(),
    )
    .await?;
    batch.write(tx).await?;
    sql("DELETE FROM cover WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}
