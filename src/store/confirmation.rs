//! Confirmations: keys that were mailed to prove that an address is somebody's (`domain.md §1.18`).

use sqlx::FromRow;

use super::{Conn, Result, Tx, sql};
use crate::domain::{Timestamp, UserId, confirmation::Kind};

/// A confirmation to be kept.
#[derive(Clone, Debug)]
pub struct NewConfirmation<'a> {
    /// What it is for.
    pub kind: Kind,
    /// The address it is mailed to.
    pub email: &'a str,
    /// Whose it is.
    pub user: Option<UserId>,
    /// The digest of its key.
    pub key_digest: &'a str,
    /// When it is mailed.
    pub date: Timestamp,
}

/// Keeps a confirmation, in place of one for the same that nobody has answered.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(tx: &mut Tx, new: &NewConfirmation<'_>) -> Result<()> {
    sql(
        "DELETE FROM email_confirmation WHERE type = $1 AND lower(email) = lower($2) \
         AND account_id IS NOT DISTINCT FROM $3 AND active",
    )
    .bind(new.kind.word())
    .bind(new.email)
    .bind(new.user)
    .run(tx)
    .await?;
    sql(
        "INSERT INTO email_confirmation (type, email, account_id, key_digest, date) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(new.kind.word())
    .bind(new.email)
    .bind(new.user)
    .bind(new.key_digest)
    .bind(new.date)
    .run(tx)
    .await?;
    Ok(())
}

/// A confirmation.
#[derive(Clone, Debug, FromRow)]
pub struct Kept {
    /// Its number.
    pub id: i64,
    /// The word of what it is for.
    #[sqlx(rename = "type")]
    pub kind: String,
    /// The address it was mailed to.
    pub email: String,
    /// Whose it is.
    #[sqlx(rename = "account_id")]
    pub user: Option<UserId>,
    /// When it was mailed.
    pub date: Timestamp,
    /// Whether it waits for its answer.
    pub active: bool,
}

/// Returns the confirmation whose key has this digest.
///
/// # Errors
/// When the database is away.
pub async fn by_digest(conn: &mut Conn, key_digest: &str) -> Result<Option<Kept>> {
    sql("SELECT id, type, email, account_id, date, active FROM email_confirmation WHERE key_digest = $1")
        .bind(key_digest)
        .optional(conn)
        .await
}

/// Returns a confirmation.
///
/// # Errors
/// When the database is away.
pub async fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Kept>> {
    sql("SELECT id, type, email, account_id, date, active FROM email_confirmation WHERE id = $1")
        .bind(id)
        .optional(conn)
        .await
}

/// Uses a confirmation up, and says whether nobody else had.
///
/// # Errors
/// When the database is away or refuses.
pub async fn use_up(tx: &mut Tx, id: i64) -> Result<bool> {
    let rows = sql("UPDATE email_confirmation SET active = FALSE WHERE id = $1 AND active")
        .bind(id)
        .run(tx)
        .await?;
    Ok(rows > 0)
}

/// Returns the addresses that a user has asked for since a moment and not confirmed, with the word of what for.
///
/// # Errors
/// When the database is away.
pub async fn pending(
    conn: &mut Conn,
    user: UserId,
    since: Timestamp,
) -> Result<Vec<(String, String)>> {
    sql(
        "SELECT email, type FROM email_confirmation WHERE account_id = $1 AND active AND date > $2 \
         AND type IN ('userperson', 'primary') ORDER BY date, id",
    )
    .bind(user)
    .bind(since)
    .all(conn)
    .await
}

/// Forgets a user's confirmations of a kind.
///
/// # Errors
/// When the database is away or refuses.
pub async fn forget(tx: &mut Tx, user: UserId, kind: Kind) -> Result<()> {
    sql("DELETE FROM email_confirmation WHERE account_id = $1 AND type = $2")
        .bind(user)
        .bind(kind.word())
        .run(tx)
        .await?;
    Ok(())
}

/// How much had expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Confirmations.
    pub confirmations: u64,
    /// Accounts that nobody had confirmed.
    pub accounts: u64,
}

/// Deletes confirmations that are used or older than `limit`, and with them accounts that were registered, never
/// confirmed and never entered. An account that was switched off stays, so does every person and patch.
///
/// # Errors
/// When the database is away or refuses.
pub async fn expire(tx: &mut Tx, limit: Timestamp) -> Result<Expired> {
    // Who has reported a check was let in after all.
    let accounts = sql(
        "DELETE FROM account WHERE registration_pending AND NOT is_active AND last_login IS NULL \
         AND EXISTS (SELECT 1 FROM email_confirmation c \
                      WHERE c.account_id = account.id AND c.type = 'registration' AND c.date < $1) \
         AND NOT EXISTS (SELECT 1 FROM email_confirmation c \
                      WHERE c.account_id = account.id AND c.active AND c.date >= $1) \
         AND NOT EXISTS (SELECT 1 FROM patch_check k WHERE k.account_id = account.id)",
    )
    .bind(limit);
    // Their confirmations go with them, and would not be counted.
    let confirmations =
        sql("SELECT count(*) FROM email_confirmation WHERE date < $1 OR NOT active")
            .bind(limit)
            .one::<(i64,)>(tx)
            .await?;
    let accounts = accounts.run(tx).await?;
    sql("DELETE FROM email_confirmation WHERE date < $1 OR NOT active")
        .bind(limit)
        .run(tx)
        .await?;
    Ok(Expired {
        confirmations: u64::try_from(confirmations.0).unwrap_or_default(),
        accounts,
    })
}
