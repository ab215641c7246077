//! Second factors of accounts: the secret shared with a device, codes for when it is lost, and browsers that gave the
//! password and not yet the code. Of what lets somebody in only digests come here, but for the secret, which must be read.

use super::{Conn, Result, Tx, sql};
use crate::domain::{Timestamp, User, UserId};

/// A secret, and the last step of time whose code was used.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Kept {
    /// What the device knows, too.
    pub secret: Vec<u8>,
    /// Codes up to that step are used up.
    pub last_step: i64,
}

/// Gives an account a second factor in place of the one it has, and codes for when the device is lost.
///
/// # Errors
/// When the database is away or refuses.
pub async fn set(
    tx: &mut Tx,
    user: UserId,
    kept: &Kept,
    codes: &[Vec<u8>],
    now: Timestamp,
) -> Result<()> {
    end(tx, user).await?;
    sql("INSERT INTO second_factor (account_id, secret, created, last_step) VALUES ($1, $2, $3, $4)")
        .bind(user)
        .bind(kept.secret.clone())
        .bind(now)
        .bind(kept.last_step)
        .run(tx)
        .await?;
    sql("UPDATE account SET has_second_factor = TRUE WHERE id = $1")
        .bind(user)
        .run(tx)
        .await?;
    replace_codes(tx, user, codes).await
}

/// Ends the second factor of an account, and says whether it had one.
///
/// # Errors
/// When the database is away or refuses.
pub async fn end(tx: &mut Tx, user: UserId) -> Result<bool> {
    for statement in [
        "DELETE FROM recovery_code WHERE account_id = $1",
        "DELETE FROM pending_login WHERE account_id = $1",
        "UPDATE account SET has_second_factor = FALSE WHERE id = $1",
    ] {
        sql(statement).bind(user).run(tx).await?;
    }
    let rows = sql("DELETE FROM second_factor WHERE account_id = $1")
        .bind(user)
        .run(tx)
        .await?;
    Ok(rows > 0)
}

/// Gives an account other codes for when the device is lost.
///
/// # Errors
/// When the database is away or refuses.
pub async fn replace_codes(tx: &mut Tx, user: UserId, codes: &[Vec<u8>]) -> Result<()> {
    sql("DELETE FROM recovery_code WHERE account_id = $1")
        .bind(user)
        .run(tx)
        .await?;
    for code in codes {
        sql("INSERT INTO recovery_code (account_id, code_hash) VALUES ($1, $2)")
            .bind(user)
            .bind(code.clone())
            .run(tx)
            .await?;
    }
    Ok(())
}

/// Returns the second factor of an account.
///
/// # Errors
/// When the database is away.
pub async fn of(conn: &mut Conn, user: UserId) -> Result<Option<Kept>> {
    sql("SELECT secret, last_step FROM second_factor WHERE account_id = $1")
        .bind(user)
        .optional(conn)
        .await
}

/// Returns how many codes for a lost device are left.
///
/// # Errors
/// When the database is away.
pub async fn codes_left(conn: &mut Conn, user: UserId) -> Result<i64> {
    let (count,) = sql("SELECT count(*) FROM recovery_code WHERE account_id = $1")
        .bind(user)
        .one(conn)
        .await?;
    Ok(count)
}

/// Uses up the code of a step and all before it, and says whether nobody else had.
///
/// # Errors
/// When the database is away or refuses.
pub async fn use_step(tx: &mut Tx, user: UserId, step: i64) -> Result<bool> {
    let rows =
        sql("UPDATE second_factor SET last_step = $2 WHERE account_id = $1 AND last_step < $2")
            .bind(user)
            .bind(step)
            .run(tx)
            .await?;
    Ok(rows > 0)
}

/// Uses up a code for a lost device, and says whether it was one.
///
/// # Errors
/// When the database is away or refuses.
pub async fn use_code(tx: &mut Tx, user: UserId, code_hash: &[u8]) -> Result<bool> {
    let rows = sql("DELETE FROM recovery_code WHERE account_id = $1 AND code_hash = $2")
        .bind(user)
        .bind(code_hash)
        .run(tx)
        .await?;
    Ok(rows > 0)
}

/// Keeps that a browser gave the password of an account.
///
/// # Errors
/// When the database is away or refuses.
pub async fn begin_login(
    tx: &mut Tx,
    key_hash: &[u8],
    user: UserId,
    expires: Timestamp,
) -> Result<()> {
    sql("INSERT INTO pending_login (key_hash, account_id, expires) VALUES ($1, $2, $3)")
        .bind(key_hash)
        .bind(user)
        .bind(expires)
        .run(tx)
        .await?;
    Ok(())
}

/// Returns whose password a browser gave, if that was of late and the account is active.
///
/// # Errors
/// When the database is away.
pub async fn waiting(conn: &mut Conn, key_hash: &[u8], now: Timestamp) -> Result<Option<User>> {
    let row: Option<(UserId,)> =
        sql("SELECT account_id FROM pending_login WHERE key_hash = $1 AND expires > $2")
            .bind(key_hash)
            .bind(now)
            .optional(conn)
            .await?;
    let Some((id,)) = row else { return Ok(None) };
    let user = super::user::by_id(conn, id).await?;
    Ok(user.filter(|user| user.is_active))
}

/// Forgets that a browser gave a password.
///
/// # Errors
/// When the database is away or refuses.
pub async fn end_login(tx: &mut Tx, key_hash: &[u8]) -> Result<()> {
    sql("DELETE FROM pending_login WHERE key_hash = $1")
        .bind(key_hash)
        .run(tx)
        .await?;
    Ok(())
}

/// Forgets browsers that never gave the code, and says how many.
///
/// # Errors
/// When the database is away or refuses.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    sql("DELETE FROM pending_login WHERE expires <= $1")
        .bind(now)
        .run(tx)
        .await
}
