//! Comments of patches and covers.

use super::{Conn, Result, Value, rows, sql};
use crate::domain::{
    CommentId, CoverId, MessageId, PatchId, PersonId, Timestamp,
    comment::{Comment, Parent},
};

/// A comment about to be stored, under an id that was taken for it.
#[derive(Clone, Debug)]
pub struct NewComment {
    /// Its id.
    pub id: CommentId,
    /// What it answers.
    pub parent: Parent,
    /// Who wrote it.
    pub submitter: PersonId,
    /// When it was written.
    pub date: Timestamp,
    /// The message id.
    pub msgid: MessageId,
    /// All received headers.
    pub headers: String,
    /// The text.
    pub content: String,
    /// `Some(false)` when the writer asks for action.
    pub addressed: Option<bool>,
}

/// Stores comments.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(conn: &mut Conn, comments: Vec<NewComment>) -> Result<()> {
    rows::insert(
        conn,
        "comment (id, patch_id, cover_id, submitter_id, msgid, date, headers, content, addressed)",
        comments.into_iter().map(row).collect(),
        "",
    )
    .await?;
    Ok(())
}

fn row(new: NewComment) -> Vec<Value> {
    let (patch, cover) = match new.parent {
        Parent::Patch(id) => (Some(id), None),
        Parent::Cover(id) => (None, Some(id)),
    };
    vec![
        new.id.into(),
        patch.into(),
        cover.into(),
        new.submitter.into(),
        (&new.msgid).into(),
        new.date.into(),
        new.headers.into(),
        new.content.into(),
        new.addressed.into(),
    ]
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
