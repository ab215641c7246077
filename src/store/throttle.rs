//! How often something was tried of late: logins, mails to an address. All nodes of a site count together.

use sha2::{Digest, Sha256};

use super::{Result, Tx, sql};
use crate::domain::Timestamp;

/// How often something was tried.
#[derive(Clone, Copy, Debug)]
pub struct Tries {
    /// How many tries there were, the last one included.
    pub count: i64,
    /// After how many seconds they are forgotten.
    pub seconds_left: i64,
}

/// Counts one more try of `what` within `minutes` of the first one. What is counted may be an address, so only its
/// digest is kept.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count(tx: &mut Tx, what: &str, minutes: i64, now: Timestamp) -> Result<Tries> {
    let (count, began): (i64, Timestamp) = sql(
        "INSERT INTO throttle (key, began, count) VALUES ($1, $2, 1) \
         ON CONFLICT (key) DO UPDATE SET \
         count = CASE WHEN throttle.began <= $3 THEN 1 ELSE throttle.count + 1 END, \
         began = CASE WHEN throttle.began <= $3 THEN excluded.began ELSE throttle.began END \
         RETURNING count, began",
    )
    .bind(key(what))
    .bind(now)
    .bind(now.plus_minutes(-minutes))
    .one(tx)
    .await?;
    let left = began.plus_minutes(minutes).0 - now.0;
    Ok(Tries {
        count,
        seconds_left: (left / 1_000_000).max(1),
    })
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

/// Takes a try of `what` back that was counted and came to nothing bad.
///
/// # Errors
/// When the database is away or refuses.
pub async fn give_back(tx: &mut Tx, what: &str) -> Result<()> {
    sql("UPDATE throttle SET count = count - 1 WHERE key = $1 AND count > 0")
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
