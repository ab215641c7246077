//! Checks: deleted, one by one or the old ones.

use super::uncount;
use crate::{
    domain::Timestamp,
    store::{Batch, Conn, Result, Tx, patch::change, sql, value::Many},
};

/// Deletes checks and the events that told of them. Their patches are locked first, all at once.
///
/// # Errors
/// When the database is away.
pub async fn delete_checks(tx: &mut Tx, ids: &[i64]) -> Result<()> {
    let which = "SELECT patch_id FROM patch_check WHERE id = ANY ($1)";
    let all = Many::ints(ids.iter().copied());
    change::lock_those(tx, which, vec![all.into()]).await?;
    for id in ids {
        delete_check(tx, *id).await?;
    }
    Ok(())
}

async fn delete_check(tx: &mut Tx, id: i64) -> Result<()> {
    let mut batch = Batch::default();
    uncount(
        tx,
        &mut batch,
        "SELECT project_id, category FROM event WHERE check_id = $1",
        id.into(),
    )
    .await?;
    // The patch before the counts, as who reports a check does.
    sql("DELETE FROM patch_check WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    batch.write(tx).await
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
