//! Sessions: browsers that are logged in. Only the digests of their cookies come here.

use sqlx::FromRow;

use super::{Conn, Kind, Result, Tx, sql, user::account};
use crate::domain::{Timestamp, UserId, user::User};

/// A session to begin.
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    /// The SHA-256 of the cookie.
    pub key_hash: &'a [u8],
    /// Who logs in.
    pub user: UserId,
    /// What the browser calls itself.
    pub agent: &'a str,
    /// The network address it comes from; may be empty.
    pub address: &'a str,
    /// When it begins.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
}

/// Begins a session.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(tx: &mut Tx, session: &NewSession<'_>) -> Result<()> {
    sql(
        "INSERT INTO session (key_hash, account_id, agent, address, created, seen, expires) \
         VALUES ($1, $2, $3, $4, $5, $5, $6)",
    )
    .bind(session.key_hash)
    .bind(session.user)
    .bind(session.agent)
    .bind(session.address)
    .bind(session.created)
    .bind(session.expires)
    .run(tx)
    .await?;
    Ok(())
}

/// A session under way.
#[derive(Clone, Debug, FromRow)]
pub struct Live {
    /// Whose it is.
    #[sqlx(flatten)]
    pub user: User,
    /// What was put into it: JSON.
    pub data: String,
    /// When its user entered the password.
    pub created: Timestamp,
    /// When it was last seen.
    pub seen: Option<Timestamp>,
}

/// Returns the session with this digest, unless it has ended.
///
/// # Errors
/// When the database is away.
pub async fn live(conn: &mut Conn, key_hash: &[u8], now: Timestamp) -> Result<Option<Live>> {
    sql(concat!(
        account!(),
        ", s.data, s.created, s.seen FROM session s JOIN account a ON a.id = s.account_id \
         WHERE s.key_hash = $1 AND s.expires > $2",
    ))
    .bind(key_hash)
    .bind(now)
    .optional(conn)
    .await
}

/// Writes what is kept in a session, and when it was seen.
///
/// # Errors
/// When the database is away or refuses.
pub async fn write(tx: &mut Tx, key_hash: &[u8], data: &str, seen: Timestamp) -> Result<()> {
    sql("UPDATE session SET data = $2, seen = $3 WHERE key_hash = $1")
        .bind(key_hash)
        .bind(data)
        .bind(seen)
        .run(tx)
        .await?;
    Ok(())
}

/// Writes down that a page was shown that told what a session kept, and with it forgets that; not what was kept since the page
/// was begun.
///
/// # Errors
/// When the database is away or refuses.
pub async fn shown(tx: &mut Tx, key_hash: &[u8], told: &str, seen: Timestamp) -> Result<()> {
    sql("UPDATE session SET data = CASE WHEN data = $2 THEN '{}' ELSE data END, seen = $3 WHERE key_hash = $1")
        .bind(key_hash)
        .bind(told)
        .bind(seen)
        .run(tx)
        .await?;
    Ok(())
}

/// Returns what is kept in a session, and keeps others from writing it.
///
/// # Errors
/// When the database is away or refuses.
pub async fn lock(tx: &mut Tx, key_hash: &[u8]) -> Result<Option<String>> {
    let mut query = sql("SELECT data FROM session WHERE key_hash = $1");
    if tx.kind() == Kind::Postgres {
        query.push(" FOR UPDATE");
    }
    let kept: Option<(String,)> = query.bind(key_hash).optional(tx).await?;
    Ok(kept.map(|(data,)| data))
}

/// Ends a session.
///
/// # Errors
/// When the database is away or refuses.
pub async fn end(tx: &mut Tx, key_hash: &[u8]) -> Result<()> {
    sql("DELETE FROM session WHERE key_hash = $1")
        .bind(key_hash)
        .run(tx)
        .await?;
    Ok(())
}

/// Ends a user's sessions, but for the one with this digest.
///
/// # Errors
/// When the database is away or refuses.
pub async fn end_others(tx: &mut Tx, user: UserId, keep: &[u8]) -> Result<u64> {
    sql("DELETE FROM session WHERE account_id = $1 AND key_hash <> $2")
        .bind(user)
        .bind(keep)
        .run(tx)
        .await
}

/// A session as its user sees it in a list.
#[derive(Clone, Debug, FromRow)]
pub struct Listed {
    /// The digest of its cookie.
    pub key_hash: Vec<u8>,
    /// What the browser calls itself.
    pub agent: String,
    /// The network address it came from.
    pub address: String,
    /// When it began.
    pub created: Timestamp,
    /// When it was last seen.
    pub seen: Option<Timestamp>,
}

/// Returns a user's sessions that have not ended, the newest first.
///
/// # Errors
/// When the database is away.
pub async fn of_user(conn: &mut Conn, user: UserId, now: Timestamp) -> Result<Vec<Listed>> {
    sql(
        "SELECT key_hash, agent, address, created, seen FROM session \
         WHERE account_id = $1 AND expires > $2 ORDER BY created DESC, key_hash",
    )
    .bind(user)
    .bind(now)
    .all(conn)
    .await
}

/// Deletes sessions that have ended, and says how many.
///
/// # Errors
/// When the database is away or refuses.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    sql("DELETE FROM session WHERE expires <= $1")
        .bind(now)
        .run(tx)
        .await
}
