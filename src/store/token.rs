//! Tokens of the API. Only their hashes come here.

use sqlx::FromRow;

use super::{Conn, Result, Tx, sql, user::account};
use crate::domain::{Timestamp, UserId, user::User};

/// A token to be kept.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    /// Whose it is.
    pub user: UserId,
    /// The SHA-256 of its digits.
    pub key_hash: &'a [u8],
    /// What its owner calls it.
    pub name: &'a str,
    /// What it may do: `read`, `checks` or `write`.
    pub scope: &'a str,
    /// When it is made.
    pub created: Timestamp,
    /// When it stops to work; never, if not given.
    pub expires: Option<Timestamp>,
}

/// Keeps a token.
///
/// # Errors
/// When the database is away.
pub async fn insert(conn: &mut Conn, token: &NewToken<'_>) -> Result<()> {
    sql(
        "INSERT INTO token (account_id, key_hash, name, scope, created, expires) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(token.user)
    .bind(token.key_hash)
    .bind(token.name)
    .bind(token.scope)
    .bind(token.created)
    .bind(token.expires)
    .run(conn)
    .await?;
    Ok(())
}

/// Whose token it is, and what it may do.
#[derive(Clone, Debug, FromRow)]
pub struct Owner {
    /// The account.
    #[sqlx(flatten)]
    pub user: User,
    /// The word of its scope.
    pub scope: String,
    /// The SHA-256 of the token's digits.
    pub key_hash: Vec<u8>,
    /// When it was last used, to the hour.
    pub last_used: Option<Timestamp>,
}

/// Writes down that a token was used.
///
/// # Errors
/// When the database is away or refuses.
pub async fn used(tx: &mut Tx, key_hash: &[u8], now: Timestamp) -> Result<()> {
    sql("UPDATE token SET last_used = $2 WHERE key_hash = $1")
        .bind(key_hash)
        .bind(now)
        .run(tx)
        .await?;
    Ok(())
}

/// Returns the owner of a token that has not expired.
///
/// # Errors
/// When the database is away.
pub async fn owner(conn: &mut Conn, key_hash: &[u8], now: Timestamp) -> Result<Option<Owner>> {
    sql(concat!(
        account!(),
        ", t.scope, t.key_hash, t.last_used FROM token t JOIN account a ON a.id = t.account_id \
         WHERE t.key_hash = $1 AND (t.expires IS NULL OR t.expires > $2)",
    ))
    .bind(key_hash)
    .bind(now)
    .optional(conn)
    .await
}

/// A token as its owner sees it.
#[derive(Clone, Debug, FromRow)]
pub struct Kept {
    /// Its number.
    pub id: i64,
    /// What its owner calls it.
    pub name: String,
    /// The word of its scope.
    pub scope: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops to work.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the hour.
    pub last_used: Option<Timestamp>,
}

/// Returns the tokens of a user, the oldest first.
///
/// # Errors
/// When the database is away.
pub async fn of(conn: &mut Conn, user: UserId) -> Result<Vec<Kept>> {
    sql("SELECT id, name, scope, created, expires, last_used FROM token WHERE account_id = $1 ORDER BY id")
        .bind(user)
        .all(conn)
        .await
}

/// Returns how many tokens of a user work.
///
/// # Errors
/// When the database is away.
pub async fn count(conn: &mut Conn, user: UserId, now: Timestamp) -> Result<i64> {
    let (count,) = sql(
        "SELECT count(*) FROM token WHERE account_id = $1 AND (expires IS NULL OR expires > $2)",
    )
    .bind(user)
    .bind(now)
    .one(conn)
    .await?;
    Ok(count)
}

/// Deletes a user's tokens of a name.
///
/// # Errors
/// When the database is away or refuses.
pub async fn delete_named(conn: &mut Conn, user: UserId, name: &str) -> Result<()> {
    sql("DELETE FROM token WHERE account_id = $1 AND name = $2")
        .bind(user)
        .bind(name)
        .run(conn)
        .await?;
    Ok(())
}

/// Deletes a token of a user. Says whether it was there.
///
/// # Errors
/// When the database is away.
pub async fn delete(conn: &mut Conn, user: UserId, id: i64) -> Result<bool> {
    let rows = sql("DELETE FROM token WHERE account_id = $1 AND id = $2")
        .bind(user)
        .bind(id)
        .run(conn)
        .await?;
    Ok(rows > 0)
}
