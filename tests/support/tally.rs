//! Whether the counts that are kept are what there is to count.

use patchwork::store::{Db, sql, tally};

type Count = (i64, String, String, i64, bool, i64);

async fn counts(conn: &mut patchwork::store::Conn) -> Vec<Count> {
    sql(
        "SELECT project_id, kind, category, state_id, archived, count FROM tally WHERE count <> 0 \
         ORDER BY project_id, kind, category, state_id, archived",
    )
    .all(conn)
    .await
    .expect("counts")
}

/// Fails when counting anew gives something else; leaves the database as it was.
pub async fn is_right(db: &Db) {
    let mut tx = db.begin().await.expect("a transaction");
    let kept = counts(&mut tx).await;
    tally::recount(&mut tx).await.expect("a count");
    let counted = counts(&mut tx).await;
    drop(tx);
    assert_eq!(kept, counted);
}
