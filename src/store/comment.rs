//! Comments of patches and covers.

use super::{
    Batch, Conn, Result, Sql, Tx, Value, event, patch::change, project, search, sql, tag,
    tally::What, value::Many,
};
use crate::domain::{
    CommentId, CoverId, MessageId, PatchId, PersonId, ProjectId, SeriesId, Timestamp,
    comment::{Comment, Parent},
    event::Category,
    tag::Counter,
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
pub fn insert(batch: &mut Batch, comments: Vec<NewComment>) {
    batch.add(
        "comment (id, patch_id, cover_id, submitter_id, msgid, date, headers, content, addressed)",
        comments.into_iter().map(row).collect(),
        "",
    );
}

fn row(new: NewComment) -> Vec<Value> {
    let (patch, cover) = new.parent.split();
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

/// Hangs a comment on another patch or cover; the event that told of it tells of that one.
///
/// # Errors
/// When the database is away or refuses.
pub async fn rehang(conn: &mut Conn, id: CommentId, parent: Parent) -> Result<()> {
    let (patch, cover) = parent.split();
    let category = Category::of_reply_to(parent).word();
    let mut batch = Batch::default();
    for (project, before) in event::of_comment(conn, id).await? {
        batch.count(What::event(project, before), -1);
        batch.count(What::event(project, category), 1);
    }
    batch.write(conn).await?;
    sql("UPDATE comment SET patch_id = $1, cover_id = $2 WHERE id = $3")
        .bind(patch)
        .bind(cover)
        .bind(id)
        .run(conn)
        .await?;
    sql(
        "UPDATE event SET category = $1, patch_id = $2, cover_id = $3 WHERE comment_id = $4 \
         AND category IN ('patch-comment-created', 'cover-comment-created')",
    )
    .bind(category)
    .bind(patch)
    .bind(cover)
    .bind(id)
    .run(conn)
    .await?;
    Ok(())
}

/// Returns the mails, by digest, that became comments of this patch or cover, and their headers.
///
/// # Errors
/// When the database is away or refuses.
pub async fn mails_of(conn: &mut Conn, parent: Parent) -> Result<Vec<(Vec<u8>, String)>> {
    let (patch, cover) = parent.split();
    let mut q =
        sql("SELECT m.digest, c.headers FROM comment c JOIN mail m ON m.comment_id = c.id WHERE ");
    match (patch, cover) {
        (Some(patch), _) => q.push("c.patch_id = ").arg(patch),
        (None, cover) => q.push("c.cover_id = ").arg(cover),
    };
    q.push(" ORDER BY c.id LIMIT 5000");
    q.all(conn).await
}

const COLUMNS: &str = "SELECT c.id, c.msgid, c.date, c.submitter_id, pe.name AS submitter_name,
       pe.email AS submitter_email, c.addressed, c.content
  FROM comment c JOIN person pe ON pe.id = c.submitter_id ";

/// A comment as its author's page lists it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Written {
    /// Its id.
    pub id: CommentId,
    /// When it was written.
    pub date: Timestamp,
    /// The name of the patch or cover it answers.
    pub about: String,
}

/// Returns somebody's newest comments in a project.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_author(
    conn: &mut Conn,
    project: ProjectId,
    author: PersonId,
    limit: i64,
) -> Result<Vec<Written>> {
    sql(
        "SELECT c.id, c.date, coalesce(p.name, v.name) AS about FROM comment c \
         LEFT JOIN patch p ON p.id = c.patch_id LEFT JOIN cover v ON v.id = c.cover_id \
         WHERE c.submitter_id = $1 AND coalesce(p.project_id, v.project_id) = $2 \
         ORDER BY c.date DESC, c.id DESC LIMIT $3",
    )
    .bind(author)
    .bind(project)
    .bind(limit)
    .all(conn)
    .await
}

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

/// Gives a comment another text and counts the tags of its patch anew. Says whether it was there.
///
/// # Errors
/// When the database is away or refuses.
pub async fn edit(tx: &mut Tx, id: CommentId, content: &str) -> Result<bool> {
    lock(tx, id).await?;
    let row: Option<(Option<PatchId>,)> =
        sql("UPDATE comment SET content = $2 WHERE id = $1 RETURNING patch_id")
            .bind(id)
            .bind(content.replace("\r\n", "\n"))
            .optional(tx)
            .await?;
    search::settle(tx).await?;
    recount(tx, row).await
}

/// Deletes a comment and counts the tags of its patch anew. Says whether it was there.
///
/// # Errors
/// When the database is away or refuses.
pub async fn delete(tx: &mut Tx, id: CommentId) -> Result<bool> {
    lock(tx, id).await?;
    let mut batch = Batch::default();
    for (project, category) in event::of_comment(tx, id).await? {
        batch.count(What::event(project, category), -1);
    }
    batch.write(tx).await?;
    let row: Option<(Option<PatchId>,)> =
        sql("DELETE FROM comment WHERE id = $1 RETURNING patch_id")
            .bind(id)
            .optional(tx)
            .await?;
    recount(tx, row).await
}

/// Locks the project, then the patch, before the comment, as intake does: two that go the same way never wait for each other.
async fn lock(tx: &mut Tx, id: CommentId) -> Result<()> {
    let row: Option<(ProjectId,)> = sql(
        "SELECT coalesce(p.project_id, v.project_id) FROM comment c LEFT JOIN patch p ON p.id = c.patch_id \
         LEFT JOIN cover v ON v.id = c.cover_id WHERE c.id = $1",
    )
    .bind(id)
    .optional(tx)
    .await?;
    if let Some((project,)) = row {
        project::lock(tx, project).await?;
    }
    lock_parents(tx, &[], &[id]).await
}

/// Locks patches, and those that comments hang on.
///
/// # Errors
/// When the database is away, or the wait is too long.
pub async fn lock_parents(tx: &mut Tx, patches: &[PatchId], comments: &[CommentId]) -> Result<()> {
    let patches = Many::ints(patches.iter().map(|id| id.0));
    let comments = Many::ints(comments.iter().map(|id| id.0));
    let which = "SELECT unnest($1) UNION SELECT patch_id FROM comment WHERE id = ANY ($2)";
    change::lock_those(tx, which, vec![patches.into(), comments.into()]).await
}

async fn recount(tx: &mut Tx, row: Option<(Option<PatchId>,)>) -> Result<bool> {
    let Some((patch,)) = row else {
        return Ok(false);
    };
    if let Some(patch) = patch {
        let counter = Counter::new(&tag::all(tx).await?);
        tag::recount(tx, &counter, &[patch]).await?;
    }
    Ok(true)
}

/// Returns who wrote a comment, and what it hangs on.
///
/// # Errors
/// When the database is away or refuses.
pub async fn origin(conn: &mut Conn, id: CommentId) -> Result<Option<(PersonId, Parent)>> {
    let row: Option<(PersonId, Option<PatchId>, Option<CoverId>)> =
        sql("SELECT submitter_id, patch_id, cover_id FROM comment WHERE id = $1")
            .bind(id)
            .optional(conn)
            .await?;
    Ok(row.and_then(|(author, patch, cover)| {
        let parent = patch.map(Parent::Patch).or(cover.map(Parent::Cover))?;
        Some((author, parent))
    }))
}

/// Says whether what a comment asks for is done; no event tells of it. Says whether the comment was there.
///
/// # Errors
/// When the database is away or refuses.
pub async fn set_addressed(tx: &mut Tx, id: CommentId, addressed: Option<bool>) -> Result<bool> {
    lock_parents(tx, &[], &[id]).await?;
    let rows = sql("UPDATE comment SET addressed = $2 WHERE id = $1")
        .bind(id)
        .bind(addressed)
        .run(tx)
        .await?;
    Ok(rows > 0)
}

/// A comment with all its headers.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Whole {
    /// The comment.
    #[sqlx(flatten)]
    pub comment: Comment,
    /// All received headers.
    pub headers: String,
}

const WHOLE: &str = "SELECT c.id, c.msgid, c.date, c.submitter_id, pe.name AS submitter_name,
       pe.email AS submitter_email, c.addressed, c.content, c.headers
  FROM comment c JOIN person pe ON pe.id = c.submitter_id WHERE ";

fn whole_of(parent: Parent) -> Sql {
    let mut query = sql(WHOLE);
    match parent.split() {
        (Some(patch), _) => query.push("c.patch_id = ").arg(patch),
        (None, cover) => query.push("c.cover_id = ").arg(cover),
    };
    query
}

/// How many comments of one parent are read.
const MOST: i64 = 5000;

/// Returns the comments of a patch or a cover letter with their headers, in the order of their ids.
///
/// # Errors
/// When the database is away or refuses.
pub async fn whole(conn: &mut Conn, parent: Parent) -> Result<Vec<Whole>> {
    let mut query = whole_of(parent);
    query.push(" ORDER BY c.id LIMIT ").arg(MOST);
    query.all(conn).await
}

/// Returns a comment of a patch or a cover letter with its headers.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_id(conn: &mut Conn, parent: Parent, id: CommentId) -> Result<Option<Whole>> {
    let mut query = whole_of(parent);
    query.push(" AND c.id = ").arg(id);
    query.optional(conn).await
}

/// Returns the text of a comment, if there is the comment.
///
/// # Errors
/// When the database is away or refuses.
pub async fn text(conn: &mut Conn, id: CommentId) -> Result<Option<String>> {
    let row: Option<(Option<String>,)> = sql("SELECT content FROM comment WHERE id = $1")
        .bind(id)
        .optional(conn)
        .await?;
    Ok(row.map(|(text,)| text.unwrap_or_default()))
}

/// Says whether a patch or a cover letter has the mail of a comment as a comment.
///
/// # Errors
/// When the database is away or refuses.
pub async fn is_with(conn: &mut Conn, id: CommentId, parent: Parent) -> Result<bool> {
    let (patch, cover) = parent.split();
    let (count,): (i64,) = sql(
        "SELECT count(*) FROM comment c JOIN comment m ON m.id = $1 \
         WHERE c.msgid = m.msgid AND (c.patch_id = $2 OR c.cover_id = $3)",
    )
    .bind(id)
    .bind(patch)
    .bind(cover)
    .one(conn)
    .await?;
    Ok(count > 0)
}

/// A reply to a series that may hold trailers.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Heard {
    /// Its id.
    pub id: CommentId,
    /// The patch it answers; none for an answer to the cover letter.
    pub patch_id: Option<PatchId>,
    /// Who wrote it.
    pub submitter_id: PersonId,
    /// The writer's name, if known.
    pub submitter_name: Option<String>,
    /// The writer's address.
    pub submitter_email: String,
    /// The text.
    pub content: String,
}

/// Returns the replies to the patches of a series, and to its cover letter, in which a line may be a trailer, oldest first.
///
/// # Errors
/// When the database is away or refuses.
pub async fn heard(
    conn: &mut Conn,
    series: SeriesId,
    cover: Option<CoverId>,
) -> Result<Vec<Heard>> {
    sql(
        "SELECT c.id, c.patch_id, c.submitter_id, pe.name AS submitter_name, pe.email AS submitter_email, c.content
           FROM (SELECT c.id FROM comment c JOIN patch p ON p.id = c.patch_id
                  WHERE p.series_id = $1 AND lower(c.content) LIKE '%-by:%'
                  UNION ALL
                 SELECT c.id FROM comment c WHERE c.cover_id = $2 AND lower(c.content) LIKE '%-by:%') found
           JOIN comment c ON c.id = found.id JOIN person pe ON pe.id = c.submitter_id
          ORDER BY c.date, c.id LIMIT 5000",
    )
    .bind(series)
    .bind(cover)
    .all(conn)
    .await
}
