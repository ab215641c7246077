//! Mails that wait to leave: written in the transaction of their cause, claimed by whoever sends them.

use sqlx::FromRow;

use super::{Conn, Kind, Result, Tx, sql};
use crate::domain::{OutboxId, Timestamp};

/// A mail to be sent.
#[derive(Clone, Debug)]
pub struct NewMail<'a> {
    /// Who writes it.
    pub sender: &'a str,
    /// Who gets it.
    pub recipient: &'a str,
    /// Its subject.
    pub subject: &'a str,
    /// Further headers, `Name: value` a line.
    pub headers: &'a str,
    /// Its text.
    pub content: &'a str,
    /// When it is written.
    pub created: Timestamp,
}

/// Puts a mail into the outbox; it is due at once.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(conn: &mut Conn, mail: &NewMail<'_>) -> Result<()> {
    sql(
        "INSERT INTO outbox (sender, recipient, subject, headers, content, created, next_try) \
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(mail.sender)
    .bind(mail.recipient)
    .bind(mail.subject)
    .bind(mail.headers)
    .bind(mail.content)
    .bind(mail.created)
    .run(conn)
    .await?;
    Ok(())
}

/// Says whether a mail is due.
///
/// # Errors
/// When the database is away.
pub async fn is_due(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let found: Option<(OutboxId,)> =
        sql("SELECT id FROM outbox WHERE failed = FALSE AND next_try <= $1 LIMIT 1")
            .bind(now)
            .optional(conn)
            .await?;
    Ok(found.is_some())
}

/// A mail that was claimed.
#[derive(Clone, Debug, FromRow)]
pub struct Claimed {
    /// Its id.
    pub id: OutboxId,
    /// Who writes it.
    pub sender: String,
    /// Who gets it.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// Further headers, `Name: value` a line.
    pub headers: String,
    /// Its text.
    pub content: String,
    /// When it was written.
    pub created: Timestamp,
    /// How often it has been tried, this time included.
    pub tries: i64,
}

/// Claims the mail that is due for the longest time: until `until` nobody else gets it, then it is due again,
/// whatever became of who claimed it. The try is counted here, so that a mail that kills its sender is not
/// tried for ever.
///
/// # Errors
/// When the database is away or refuses.
pub async fn claim(tx: &mut Tx, now: Timestamp, until: Timestamp) -> Result<Option<Claimed>> {
    let mut query = sql("UPDATE outbox SET tries = tries + 1, next_try = ");
    query
        .arg(until)
        .push(" WHERE id = (SELECT id FROM outbox WHERE failed = FALSE AND next_try <= ");
    query.arg(now).push(" ORDER BY next_try, id LIMIT 1");
    if tx.kind() == Kind::Postgres {
        query.push(" FOR UPDATE SKIP LOCKED");
    }
    query.push(") RETURNING id, sender, recipient, subject, headers, content, created, tries");
    query.optional(tx).await
}

/// Removes a mail that has left.
///
/// # Errors
/// When the database is away or refuses.
pub async fn delete(conn: &mut Conn, id: OutboxId) -> Result<()> {
    sql("DELETE FROM outbox WHERE id = $1")
        .bind(id)
        .run(conn)
        .await?;
    Ok(())
}

/// Keeps a mail that did not leave: to be tried again at a moment, or for somebody to look at.
///
/// # Errors
/// When the database is away or refuses.
pub async fn keep(
    conn: &mut Conn,
    id: OutboxId,
    error: &str,
    next_try: Option<Timestamp>,
) -> Result<()> {
    sql("UPDATE outbox SET last_error = $2, failed = $3, next_try = coalesce($4, next_try) WHERE id = $1")
        .bind(id)
        .bind(error)
        .bind(next_try.is_none())
        .bind(next_try)
        .run(conn)
        .await?;
    Ok(())
}
