//! How often something was tried of late: logins, mails to an address. All nodes of a site count together.

use sha2::{Digest, Sha256};

use super::{Conn, Result, Tx, sql};
use crate::domain::Timestamp;

/// Counts one more try of `what`, and returns how many there were within the last `minutes`, this one included. What
/// is counted may be an address, so only its digest is kept.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count(tx: &mut Tx, what: &str, minutes: i64, now: Timestamp) -> Result<i64> {
    let (count,) = sql(
        "INSERT INTO throttle (key, began, count) VALUES ($1, $2, 1) \
         ON CONFLICT (key) DO UPDATE SET \
         count = CASE WHEN throttle.began <= $3 THEN 1 ELSE throttle.count + 1 END, \
         began = CASE WHEN throttle.began <= $3 THEN excluded.began ELSE throttle.began END \
         RETURNING count",
    )
    .bind(key(what))
    .bind(now)
    .bind(now.plus_minutes(-minutes))
    .one(tx)
    .await?;
    Ok(count)
}

/// Returns how many tries of `what` there were within the last `minutes`.
///
/// # Errors
/// When the database is away.
pub async fn read(conn: &mut Conn, what: &str, minutes: i64, now: Timestamp) -> Result<i64> {
    let row: Option<(i64,)> = sql("SELECT count FROM throttle WHERE key = $1 AND began > $2")
        .bind(key(what))
        .bind(now.plus_minutes(-minutes))
        .optional(conn)
        .await?;
    Ok(row.map_or(0, |(count,)| count))
}

/// Forgets the tries of `what`.
///
/// # Errors
/// When the database is away or refuses.
pub async fn forget(tx: &mut Tx, what: &str) -> Result<()> {
    sql("DELETE FROM throttle WHERE key = $1")
        .bind(key(what))
        .run(tx)
        .await?;
    Ok(())
}

/// Deletes counts that began before a moment, and says how many.
///
/// # Errors
/// When the database is away or refuses.
pub async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    sql("DELETE FROM throttle WHERE began < $1")
        .bind(before)
        .run(tx)
        .await
}

fn key(what: &str) -> Vec<u8> {
    Sha256::digest(what.as_bytes()).to_vec()
}
