//! What a user's own page shows beside lists of patches: replies not seen yet, and what was decided lately.

use sqlx::FromRow;

use super::{Conn, Result, Tx, sql};
use crate::domain::{
    CommentId, EventId, MessageId, PatchId, PersonId, ProjectId, SeriesId, StateId, Timestamp,
    UserId,
};

/// A reply to something the user takes part in.
#[derive(Clone, Debug, FromRow)]
pub struct Reply {
    /// Its id.
    pub id: CommentId,
    /// When it was written.
    pub date: Timestamp,
    /// The writer's name, if known.
    pub submitter_name: Option<String>,
    /// The writer's address.
    pub submitter_email: String,
    /// The project's name in URLs.
    pub linkname: String,
    /// The message id of what it answers.
    pub msgid: MessageId,
    /// The name of what it answers.
    pub name: String,
    /// Whether it answers a cover letter.
    pub is_to_cover: bool,
    /// The text.
    pub content: String,
}

/// Returns the newest replies of others that a user has not seen, `before` that number if one is given: to what the user has sent,
/// has on the desk or has said something about. Of each kind the newest 500 are looked at.
///
/// # Errors
/// When the database is away or refuses.
pub async fn replies(
    conn: &mut Conn,
    user: UserId,
    before: Option<CommentId>,
    limit: i64,
) -> Result<Vec<Reply>> {
    sql(include_str!("dashboard/replies.sql"))
        .bind(user)
        .bind(user)
        .bind(user)
        .bind(user)
        .bind(before.map_or(i64::MAX, |id| id.0))
        .bind(limit)
        .all(conn)
        .await
}

/// Keeps that a user has seen all replies up to this one.
///
/// # Errors
/// When the database is away or refuses.
pub async fn see(tx: &mut Tx, user: UserId, newest: CommentId) -> Result<()> {
    sql(
        "UPDATE account SET replies_seen = $1 WHERE id = $2 AND replies_seen < $3 \
         AND EXISTS (SELECT 1 FROM comment WHERE id >= $4)",
    )
    .bind(newest)
    .bind(user)
    .bind(newest)
    .bind(newest)
    .run(tx)
    .await?;
    Ok(())
}

/// A patch that somebody has decided on, and that still stands so.
#[derive(Clone, Debug, FromRow)]
pub struct Decided {
    /// The event that tells of it.
    pub id: EventId,
    /// When it was.
    pub date: Timestamp,
    /// The state before.
    pub previous_state_id: StateId,
    /// The state it got.
    pub current_state_id: StateId,
    /// The patch.
    pub patch_id: PatchId,
    /// The project of the patch.
    pub project_id: ProjectId,
    /// Who sent it.
    pub submitter_id: PersonId,
    /// Who has it on the desk.
    pub delegate_id: Option<UserId>,
    /// The project's name in URLs.
    pub linkname: String,
    /// The message id of the patch.
    pub msgid: MessageId,
    /// The name of the patch.
    pub name: String,
    /// The series it is part of.
    pub series_id: Option<SeriesId>,
    /// The name of the series.
    pub series_name: Option<String>,
}

const DECIDED: &str = "SELECT e.id, e.date, e.previous_state_id, e.current_state_id, p.id AS patch_id, p.project_id,
       p.submitter_id, p.delegate_id, pr.linkname, p.msgid, p.name, p.series_id, s.name AS series_name
  FROM event e JOIN patch p ON p.id = e.patch_id AND p.state_id = e.current_state_id
  JOIN project pr ON pr.id = p.project_id LEFT JOIN series s ON s.id = p.series_id
 WHERE e.previous_state_id IS NOT NULL AND NOT EXISTS (
       SELECT 1 FROM event l WHERE l.patch_id = e.patch_id AND l.category = 'patch-state-changed' AND l.id > e.id)
   AND ";

/// Returns what a user has decided since a moment and nobody has changed since, the newest first: of the last `limit` changes of states.
///
/// # Errors
/// When the database is away or refuses.
pub async fn decided(
    conn: &mut Conn,
    user: UserId,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Decided>> {
    let mut query = sql(DECIDED);
    query
        .push(
            "e.id IN (SELECT id FROM (SELECT id FROM event WHERE category = 'patch-state-changed' AND actor_id = ",
        )
        .arg(user)
        .push(" ORDER BY id DESC LIMIT ")
        .arg(limit)
        .push(
            ") newest) AND e.current_state_id IN (SELECT id FROM state WHERE action_required = FALSE) AND e.date > ",
        )
        .arg(since)
        .push(" ORDER BY e.id DESC");
    query.all(conn).await
}

/// Returns what these events of a user tell of, where it still stands so.
///
/// # Errors
/// When the database is away or refuses.
pub async fn decisions(conn: &mut Conn, user: UserId, events: &[EventId]) -> Result<Vec<Decided>> {
    let kind = conn.kind();
    let mut query = sql(DECIDED);
    query
        .push("e.category = 'patch-state-changed' AND e.actor_id = ")
        .arg(user)
        .push(" AND e.id")
        .among_ids(kind, events.iter().map(|id| id.0))
        .push(" ORDER BY e.id");
    query.all(conn).await
}
