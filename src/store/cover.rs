//! Cover letters.

use super::{Batch, Conn, Result, sql};
use crate::domain::{CoverId, MessageId, PersonId, ProjectId, Timestamp, cover::Cover};

/// A cover letter about to be stored, under an id that was taken for it.
#[derive(Clone, Debug)]
pub struct NewCover {
    /// Its id.
    pub id: CoverId,
    /// The project of the list it came to.
    pub project: ProjectId,
    /// Who wrote it.
    pub submitter: PersonId,
    /// When it was written.
    pub date: Timestamp,
    /// The message id.
    pub msgid: MessageId,
    /// The cleaned subject.
    pub name: String,
    /// All received headers.
    pub headers: String,
    /// The text.
    pub content: String,
}

/// Stores cover letters.
pub fn insert(batch: &mut Batch, covers: Vec<NewCover>) {
    let row = |new: NewCover| {
        vec![
            new.id.into(),
            new.project.into(),
            new.submitter.into(),
            (&new.msgid).into(),
            new.date.into(),
            new.name.into(),
            new.headers.into(),
            new.content.into(),
        ]
    };
    batch.add(
        "cover (id, project_id, submitter_id, msgid, date, name, headers, content)",
        covers.into_iter().map(row).collect(),
        "",
    );
}

/// Says whether one of these mails is a cover letter of this name by somebody else: then a mail that
/// answers it under the same name is a reply without `Re:` (`mail.md §11`).
///
/// # Errors
/// When the database is away or refuses.
pub async fn is_answered_by(
    conn: &mut Conn,
    project: ProjectId,
    covers: &[MessageId],
    name: &str,
    submitter_email: &str,
) -> Result<bool> {
    let mut statement = sql(
        "SELECT c.id FROM cover c JOIN person p ON p.id = c.submitter_id WHERE c.project_id = ",
    );
    statement
        .arg(project)
        .push(" AND c.name = ")
        .arg(name)
        .push(" AND lower(p.email) <> lower(")
        .arg(submitter_email);
    let ids = covers.iter().map(|id| id.as_str().to_owned());
    statement
        .push(") AND c.msgid")
        .among(conn.kind(), ids)
        .push(" LIMIT 1");
    let found: Option<(CoverId,)> = statement.optional(conn).await?;
    Ok(found.is_some())
}

const COLUMNS: &str =
    "SELECT o.id, o.project_id, o.msgid, o.date, o.name, o.submitter_id, pe.name AS submitter_name,
       pe.email AS submitter_email, (SELECT s.id FROM series s WHERE s.cover_id = o.id) AS series_id,
       o.headers, o.content
  FROM cover o JOIN person pe ON pe.id = o.submitter_id ";

/// Returns the covers of a project that have one of these message ids.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_message_id(
    conn: &mut Conn,
    project: ProjectId,
    ids: &[MessageId],
) -> Result<Vec<Cover>> {
    let mut query = sql(COLUMNS);
    query.push("WHERE o.project_id = ").arg(project);
    query.push(" AND o.msgid IN ").list(ids);
    query.all(conn).await
}

/// Returns the cover with this id.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_id(conn: &mut Conn, id: CoverId) -> Result<Option<Cover>> {
    let mut query = sql(COLUMNS);
    query.push("WHERE o.id = ").arg(id);
    query.optional(conn).await
}
