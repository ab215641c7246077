//! What changes can be taken back with, for a short time.

use super::{Conn, Result, Tx, sql};
use crate::domain::{Timestamp, UserId};

/// Keeps what takes a change back, and returns the number to ask for it by.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(conn: &mut Conn, user: UserId, data: &str, now: Timestamp) -> Result<i64> {
    let (id,) =
        sql("INSERT INTO undo (account_id, created, data) VALUES ($1, $2, $3) RETURNING id")
            .bind(user)
            .bind(now)
            .bind(data)
            .one(conn)
            .await?;
    Ok(id)
}

/// Returns what a user's change is taken back with, if it was made after `since`, and forgets it.
///
/// # Errors
/// When the database is away or refuses.
pub async fn take(tx: &mut Tx, id: i64, user: UserId, since: Timestamp) -> Result<Option<String>> {
    let row: Option<(String,)> =
        sql("DELETE FROM undo WHERE id = $1 AND account_id = $2 AND created > $3 RETURNING data")
            .bind(id)
            .bind(user)
            .bind(since)
            .optional(tx)
            .await?;
    Ok(row.map(|(data,)| data))
}

/// Deletes what is older than a moment, and says how many there were.
///
/// # Errors
/// When the database is away or refuses.
pub async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    sql("DELETE FROM undo WHERE created < $1")
        .bind(before)
        .run(tx)
        .await
}
