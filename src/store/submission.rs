//! Where a message id or an old numbered address leads: a patch, a cover or a comment, of any project.

use sqlx::FromRow;

use super::{Conn, Result, Sql, sql};
use crate::domain::{CommentId, CoverId, MessageId, PatchId, SeriesId};

/// What kind of thing a message id belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A patch.
    Patch,
    /// A cover letter.
    Cover,
    /// A comment on a patch.
    PatchComment(CommentId),
    /// A comment on a cover letter.
    CoverComment(CommentId),
}

/// Where something is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The project's name in URLs.
    pub linkname: String,
    /// The project's name.
    pub project: String,
    /// What was looked for.
    pub asked: MessageId,
    /// The message id of the patch or cover whose page shows it.
    pub msgid: MessageId,
    /// What it is.
    pub kind: Kind,
}

#[derive(FromRow)]
struct Found {
    linkname: String,
    project: String,
    asked: MessageId,
    msgid: MessageId,
    cover: bool,
    comment_id: Option<CommentId>,
}

impl From<Found> for Place {
    fn from(found: Found) -> Place {
        let kind = match (found.cover, found.comment_id) {
            (false, None) => Kind::Patch,
            (true, None) => Kind::Cover,
            (false, Some(id)) => Kind::PatchComment(id),
            (true, Some(id)) => Kind::CoverComment(id),
        };
        Place {
            linkname: found.linkname,
            project: found.project,
            asked: found.asked,
            msgid: found.msgid,
            kind,
        }
    }
}

/// Returns everything that has one of these message ids, patches first, comments last.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_message_id(conn: &mut Conn, ids: &[MessageId]) -> Result<Vec<Place>> {
    let mut query = sql(
        "SELECT pr.linkname, pr.name AS project, f.asked, f.msgid, f.cover, f.comment_id FROM (
           SELECT 0 AS rank, project_id, msgid AS asked, msgid, FALSE AS cover, CAST(NULL AS BIGINT) AS comment_id
             FROM patch WHERE msgid IN ",
    );
    query.list(ids).push(
        " UNION ALL SELECT 1, project_id, msgid, msgid, TRUE, CAST(NULL AS BIGINT) FROM cover WHERE msgid IN ",
    );
    query.list(ids).push(
        " UNION ALL SELECT 2, p.project_id, c.msgid, p.msgid, FALSE, c.id
             FROM comment c JOIN patch p ON p.id = c.patch_id WHERE c.msgid IN ",
    );
    query.list(ids).push(
        " UNION ALL SELECT 3, o.project_id, c.msgid, o.msgid, TRUE, c.id
             FROM comment c JOIN cover o ON o.id = c.cover_id WHERE c.msgid IN ",
    );
    query
        .list(ids)
        .push(") f JOIN project pr ON pr.id = f.project_id ORDER BY f.rank, pr.linkname, f.comment_id LIMIT 20");
    let found: Vec<Found> = query.all(conn).await?;
    Ok(found.into_iter().map(Place::from).collect())
}

async fn place(conn: &mut Conn, statement: Sql) -> Result<Option<Place>> {
    let found: Option<Found> = statement.optional(conn).await?;
    Ok(found.map(Place::from))
}

/// Returns where the patch with this id is shown.
///
/// # Errors
/// When the database is away or refuses.
pub async fn patch(conn: &mut Conn, id: PatchId) -> Result<Option<Place>> {
    let statement = sql(
        "SELECT pr.linkname, pr.name AS project, p.msgid AS asked, p.msgid, FALSE AS cover, CAST(NULL AS BIGINT) AS comment_id
           FROM patch p JOIN project pr ON pr.id = p.project_id WHERE p.id = $1",
    );
    place(conn, statement.bind(id)).await
}

/// Returns where a patch is shown that became a commit whose id begins so, in hexadecimal digits.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_commit(conn: &mut Conn, begin: &str) -> Result<Option<Place>> {
    let begin = begin.to_ascii_lowercase();
    let mut statement = sql(
        "SELECT pr.linkname, pr.name AS project, p.msgid AS asked, p.msgid, FALSE AS cover, CAST(NULL AS BIGINT) AS comment_id
           FROM patch p JOIN project pr ON pr.id = p.project_id WHERE p.commit_ref",
    );
    let collated = match conn.kind() {
        super::Kind::Postgres => " COLLATE \"C\"",
        super::Kind::Sqlite => "",
    };
    // What follows the last digit is a letter that no id has.
    statement.push(collated).push(" >= ").arg(begin.as_str());
    statement.push(" AND p.commit_ref").push(collated);
    statement.push(" < ").arg(format!("{begin}g"));
    statement.push(" ORDER BY p.id LIMIT 1");
    place(conn, statement).await
}

/// Returns where the cover with this id is shown.
///
/// # Errors
/// When the database is away or refuses.
pub async fn cover(conn: &mut Conn, id: CoverId) -> Result<Option<Place>> {
    let statement = sql(
        "SELECT pr.linkname, pr.name AS project, o.msgid AS asked, o.msgid, TRUE AS cover, CAST(NULL AS BIGINT) AS comment_id
           FROM cover o JOIN project pr ON pr.id = o.project_id WHERE o.id = $1",
    );
    place(conn, statement.bind(id)).await
}

/// Returns where the comment with this id is shown.
///
/// # Errors
/// When the database is away or refuses.
pub async fn comment(conn: &mut Conn, id: CommentId) -> Result<Option<Place>> {
    let statement = sql(
        "SELECT pr.linkname, pr.name AS project, c.msgid AS asked, coalesce(p.msgid, o.msgid) AS msgid,
                c.cover_id IS NOT NULL AS cover, c.id AS comment_id
           FROM comment c LEFT JOIN patch p ON p.id = c.patch_id LEFT JOIN cover o ON o.id = c.cover_id
           JOIN project pr ON pr.id = coalesce(p.project_id, o.project_id)
          WHERE c.id = $1",
    );
    place(conn, statement.bind(id)).await
}

/// Returns the linkname of the project that a series belongs to.
///
/// # Errors
/// When the database is away or refuses.
pub async fn series(conn: &mut Conn, id: SeriesId) -> Result<Option<String>> {
    let found: Option<(String,)> = sql(
        "SELECT pr.linkname FROM series s JOIN project pr ON pr.id = s.project_id WHERE s.id = $1",
    )
    .bind(id)
    .optional(conn)
    .await?;
    Ok(found.map(|(linkname,)| linkname))
}
