//! Checks: deleted, one by one or the old ones.

use super::uncount;
use crate::{
    domain::Timestamp,
    store::{Batch, Conn, Result, Tx, patch::change, sql, value::Many},
};

/// Deletes a check and the event that told of it.
///
/// # Errors
/// When the database is away.
pub async fn delete_check(tx: &mut Tx, id: i64) -> Result<()> {
    lock_checked(tx, &[id]).await?;
    let mut batch = Batch::default();
    uncount(
        tx,
        &mut batch,
        "SELECT project_id, category FROM event WHERE check_id = $1",
        id.into(),
    )
    .await?;
    batch.write(tx).await?;
    sql("DELETE FROM patch_check WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}

/// Locks the patches of checks that are to go, all at once.
///
/// # Errors
/// When the database is away, or the wait is too long.
pub async fn lock_checked(tx: &mut Tx, ids: &[i64]) -> Result<()> {
    let ids = Many::Ints(ids.iter().copied().map(Some).collect());
    let which = "SELECT patch_id FROM patch_check WHERE id = ANY ($1)";
    change::lock_those(tx, which, vec![ids.into()]).await
}

/// Returns checks of a kind that are older than a moment, the oldest first.
///
/// # Errors
/// When the database is away.
pub async fn old_checks(
    conn: &mut Conn,
    context: &str,
    before: Timestamp,
    most: i64,
) -> Result<Vec<i64>> {
    let rows: Vec<(i64,)> =
        sql("SELECT id FROM patch_check WHERE context = $1 AND date < $2 ORDER BY id LIMIT $3")
            .bind(context)
            .bind(before)
            .bind(most)
            .all(conn)
            .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
