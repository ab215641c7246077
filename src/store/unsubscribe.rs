//! The keys in notifications that end them (RFC 8058): each belongs to the address it was mailed to. Only digests are
//! kept, so who reads the table can use none.

use sha2::{Digest, Sha256};

use super::{Conn, Result, Tx, sql};
use crate::domain::Timestamp;

/// Keeps a key that is mailed to an address.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(tx: &mut Tx, key: &str, email: &str, now: Timestamp) -> Result<()> {
    sql("INSERT INTO unsubscribe (key_hash, email, created) VALUES ($1, $2, $3)")
        .bind(digest(key))
        .bind(email)
        .bind(now)
        .run(tx)
        .await?;
    Ok(())
}

/// Returns the address that a key was mailed to.
///
/// # Errors
/// When the database is away.
pub async fn address(conn: &mut Conn, key: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = sql("SELECT email FROM unsubscribe WHERE key_hash = $1")
        .bind(digest(key))
        .optional(conn)
        .await?;
    Ok(row.map(|(email,)| email))
}

/// Forgets keys that were mailed before a moment, and says how many.
///
/// # Errors
/// When the database is away or refuses.
pub async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    sql("DELETE FROM unsubscribe WHERE created < $1")
        .bind(before)
        .run(tx)
        .await
}

fn digest(key: &str) -> Vec<u8> {
    Sha256::digest(key.as_bytes()).to_vec()
}
