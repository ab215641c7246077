//! Long work in the background: what is asked for, who works on it, how far it is.
//!
//! A worker claims a job for a while. Each step moves the job on in the transaction of its own work, and only while the
//! claim is still the worker's: a job that was stopped, or taken over by another node, undoes the step instead.

use sqlx::FromRow;

use super::{Conn, Result, Tx, rows, sql};
use crate::domain::{Timestamp, UserId};

/// How long a worker has for one step before another one takes its job over.
const MINUTES: i64 = 5;

/// How many characters of a log are kept: the beginning.
const MOST_LOG: usize = 20_000;

/// A job that was claimed.
#[derive(Clone, Debug, FromRow)]
pub struct Claimed {
    /// Its id.
    pub id: i64,
    /// The word of what is to be done.
    pub kind: String,
    /// With what: days, or a project.
    pub argument: String,
    /// Which claim this is: who has an older one has lost the job.
    pub claims: i64,
    /// How far it is.
    pub position: i64,
    /// How many things it has changed.
    pub changed: i64,
    /// What it has told so far.
    pub log: String,
    /// Who asked for it.
    #[sqlx(rename = "account_id")]
    pub user: Option<UserId>,
}

/// Asks for a job. Returns its id; one that waits for the same stays the only one.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(
    tx: &mut Tx,
    kind: &str,
    argument: &str,
    user: Option<UserId>,
    now: Timestamp,
) -> Result<i64> {
    let known: Option<(i64,)> = sql(
        "SELECT id FROM job WHERE kind = $1 AND argument = $2 AND status = 'waiting' AND position = 0 ORDER BY id LIMIT 1",
    )
    .bind(kind)
    .bind(argument)
    .optional(tx)
    .await?;
    if let Some((id,)) = known {
        return Ok(id);
    }
    let (id,) = sql(
        "INSERT INTO job (kind, argument, account_id, created) VALUES ($1, $2, $3, $4) RETURNING id",
    )
    .bind(kind)
    .bind(argument)
    .bind(user)
    .bind(now)
    .one(tx)
    .await?;
    Ok(id)
}

/// Says whether a job can be claimed.
///
/// # Errors
/// When the database is away.
pub async fn is_waiting(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let (is_waiting,): (bool,) = sql(
        "SELECT (EXISTS (SELECT 1 FROM job WHERE status = 'waiting') \
         OR EXISTS (SELECT 1 FROM job WHERE status = 'running' AND claimed_until < $1))",
    )
    .bind(now)
    .one(conn)
    .await?;
    Ok(is_waiting)
}

/// Claims the oldest job that nobody works on: one that waits, or one whose worker has not been heard of.
///
/// # Errors
/// When the database is away or refuses.
pub async fn claim(tx: &mut Tx, now: Timestamp) -> Result<Option<Claimed>> {
    let found: Option<(i64, i64)> = sql(
        "SELECT id, claims FROM job WHERE status = 'waiting' OR (status = 'running' AND claimed_until < $1) \
         ORDER BY id LIMIT 1",
    )
    .bind(now)
    .optional(tx)
    .await?;
    let Some((id, claims)) = found else {
        return Ok(None);
    };
    // Whoever claims it at the same time finds another number of claims.
    sql(
        "UPDATE job SET status = 'running', claims = claims + 1, claimed_until = $3 WHERE id = $1 AND claims = $2 \
         AND (status = 'waiting' OR (status = 'running' AND claimed_until < $4)) \
         RETURNING id, kind, argument, claims, position, changed, log, account_id",
    )
    .bind(id)
    .bind(claims)
    .bind(now.plus_minutes(MINUTES))
    .bind(now)
    .optional(tx)
    .await
}

/// Writes how far a job is, in the transaction of the step. Says whether the job is still the worker's: if not, the step
/// must not be committed.
///
/// # Errors
/// When the database is away or refuses.
pub async fn moved(tx: &mut Tx, job: &Claimed, goal: i64, now: Timestamp) -> Result<bool> {
    let rows = sql(
        "UPDATE job SET position = $3, goal = $4, changed = $5, log = $6, claimed_until = $7 \
         WHERE id = $1 AND claims = $2 AND status = 'running'",
    )
    .bind(job.id)
    .bind(job.claims)
    .bind(job.position)
    .bind(goal.max(job.position))
    .bind(job.changed)
    .bind(job.log.chars().take(MOST_LOG).collect::<String>())
    .bind(now.plus_minutes(MINUTES))
    .run(tx)
    .await?;
    Ok(rows > 0)
}

/// Ends a job: well, or with what went wrong.
///
/// # Errors
/// When the database is away or refuses.
pub async fn end(tx: &mut Tx, job: &Claimed, fault: Option<&str>, now: Timestamp) -> Result<bool> {
    let log = match fault {
        Some(fault) => format!("{}{fault}\n", job.log),
        None => job.log.clone(),
    };
    let rows = sql(
        "UPDATE job SET status = $3, finished = $4, log = $5, claimed_until = NULL \
         WHERE id = $1 AND claims = $2 AND status = 'running'",
    )
    .bind(job.id)
    .bind(job.claims)
    .bind(if fault.is_some() { "failed" } else { "done" })
    .bind(now)
    .bind(log.chars().take(MOST_LOG).collect::<String>())
    .run(tx)
    .await?;
    Ok(rows > 0)
}

/// Lets a job go that its worker cannot go on with: another one takes it up where it is.
///
/// # Errors
/// When the database is away or refuses.
pub async fn let_go(tx: &mut Tx, job: &Claimed) -> Result<()> {
    sql("UPDATE job SET status = 'waiting', claimed_until = NULL WHERE id = $1 AND claims = $2 AND status = 'running'")
        .bind(job.id)
        .bind(job.claims)
        .run(tx)
        .await?;
    Ok(())
}

/// Stops a job that waits or runs. Says whether there was something to stop.
///
/// # Errors
/// When the database is away or refuses.
pub async fn stop(tx: &mut Tx, id: i64, now: Timestamp) -> Result<bool> {
    let rows = sql(
        "UPDATE job SET status = 'stopped', finished = $2, claimed_until = NULL \
         WHERE id = $1 AND status IN ('waiting', 'running')",
    )
    .bind(id)
    .bind(now)
    .run(tx)
    .await?;
    Ok(rows > 0)
}

/// Lets a job that was stopped or failed go on where it ended. Says whether it had ended so.
///
/// # Errors
/// When the database is away or refuses.
pub async fn resume(tx: &mut Tx, id: i64) -> Result<bool> {
    let rows = sql("UPDATE job SET status = 'waiting', finished = NULL WHERE id = $1 AND status IN ('stopped', 'failed')")
        .bind(id)
        .run(tx)
        .await?;
    Ok(rows > 0)
}

/// Returns a job's log and how far it is: status, position, goal.
///
/// # Errors
/// When the database is away.
pub async fn progress(conn: &mut Conn, id: i64) -> Result<Option<(String, i64, i64, String)>> {
    sql("SELECT status, position, goal, log FROM job WHERE id = $1")
        .bind(id)
        .optional(conn)
        .await
}

/// Remembers that something that is run regularly was done: `cron`, `backup`.
///
/// # Errors
/// When the database is away or refuses.
pub async fn beat(tx: &mut Tx, name: &str, now: Timestamp) -> Result<()> {
    rows::insert(
        tx,
        "pulse (name, date)",
        vec![vec![name.into(), now.into()]],
        "ON CONFLICT (name) DO UPDATE SET date = excluded.date",
    )
    .await?;
    Ok(())
}
