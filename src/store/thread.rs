//! Which mails of a thread we know, and what they became.

use super::{Conn, Result, sql};
use crate::domain::{CoverId, MessageId, PatchId, ProjectId, comment::Parent};

/// A mail we know: the patch or cover it is, or the one it is a comment of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its message id.
    pub msgid: MessageId,
    /// What a reply to it would be a comment of.
    pub parent: Parent,
    /// Whether it is a comment itself.
    pub is_comment: bool,
}

#[derive(sqlx::FromRow)]
struct Found {
    msgid: MessageId,
    patch_id: Option<PatchId>,
    cover_id: Option<CoverId>,
    is_comment: i64,
}

/// Returns what a project knows of these mails. A mail may be known more than once: as patch and as
/// cover, or as a comment of several; comments come newest first.
///
/// # Errors
/// When the database is away or refuses.
pub async fn known(
    conn: &mut Conn,
    project: ProjectId,
    msgids: &[MessageId],
) -> Result<Vec<Known>> {
    if msgids.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let ids = || msgids.iter().map(|id| id.as_str().to_owned());
    // The ids are few, they have to lead. Neither engine knows that of a young database, so the project is
    // asked in ways that no index serves.
    let mut q = sql(
        "SELECT msgid, id AS patch_id, CAST(NULL AS BIGINT) AS cover_id, \
         CAST(0 AS BIGINT) AS is_comment, id AS nr FROM patch WHERE project_id + 0 = ",
    );
    q.arg(project).push(" AND msgid").among(kind, ids());
    q.push(" UNION ALL SELECT msgid, NULL, id, 0, id FROM cover WHERE project_id + 0 = ");
    q.arg(project).push(" AND msgid").among(kind, ids());
    q.push(
        " UNION ALL SELECT c.msgid, c.patch_id, c.cover_id, 1, c.id FROM comment c WHERE \
         coalesce((SELECT p.project_id FROM patch p WHERE p.id = c.patch_id), \
         (SELECT v.project_id FROM cover v WHERE v.id = c.cover_id)) = ",
    );
    q.arg(project).push(" AND c.msgid").among(kind, ids());
    q.push(" ORDER BY is_comment, nr DESC");
    let rows: Vec<Found> = q.all(conn).await?;
    Ok(rows.into_iter().filter_map(Found::known).collect())
}

impl Found {
    fn known(self) -> Option<Known> {
        let parent = self
            .patch_id
            .map(Parent::Patch)
            .or(self.cover_id.map(Parent::Cover))?;
        Some(Known {
            msgid: self.msgid,
            parent,
            is_comment: self.is_comment == 1,
        })
    }
}
