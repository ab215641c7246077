//! Comments of patches and covers.

use super::{Conn, Result, sql};
use crate::domain::{
    CommentId, CoverId, MessageId, PatchId, PersonId, Timestamp,
    comment::{Comment, Parent},
};

/// A comment about to be stored.
#[derive(Clone, Debug)]
pub struct NewComment<'a> {
    /// What it answers.
    pub parent: Parent,
    /// Who wrote it.
    pub submitter: PersonId,
    /// When it was written.
    pub date: Timestamp,
    /// The message id.
    pub msgid: &'a MessageId,
    /// All received headers.
    pub headers: &'a str,
    /// The text.
    pub content: &'a str,
    /// `Some(false)` when the writer asks for action.
    pub addressed: Option<bool>,
}

/// Stores a comment and returns its id.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(conn: &mut Conn, new: &NewComment<'_>) -> Result<CommentId> {
    let (patch, cover) = match new.parent {
        Parent::Patch(id) => (Some(id), None),
        Parent::Cover(id) => (None, Some(id)),
    };
    let (id,) = sql("INSERT INTO comment (patch_id, cover_id, submitter_id, msgid, date, headers, content, addressed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id")
    .bind(patch)
    .bind(cover)
    .bind(new.submitter)
    .bind(new.msgid)
    .bind(new.date)
    .bind(new.headers)
    .bind(new.content)
    .bind(new.addressed)
    .one(conn)
    .await?;
    Ok(id)
}

const COLUMNS: &str = "SELECT c.id, c.msgid, c.date, c.submitter_id, pe.name AS submitter_name,
       pe.email AS submitter_email, c.addressed, c.content
  FROM comment c JOIN person pe ON pe.id = c.submitter_id ";

/// Returns the comments on a patch, oldest first.
///
/// # Errors
/// When the database is away or refuses.
pub async fn of_patch(conn: &mut Conn, patch: PatchId) -> Result<Vec<Comment>> {
    let mut query = sql(COLUMNS);
    query.push("WHERE c.patch_id = ").arg(patch);
    query.push(" ORDER BY c.date, c.id LIMIT 5000");
    query.all(conn).await
}

/// Returns the comments on a cover, oldest first.
///
/// # Errors
/// When the database is away or refuses.
pub async fn of_cover(conn: &mut Conn, cover: CoverId) -> Result<Vec<Comment>> {
    let mut query = sql(COLUMNS);
    query.push("WHERE c.cover_id = ").arg(cover);
    query.push(" ORDER BY c.date, c.id LIMIT 5000");
    query.all(conn).await
}
