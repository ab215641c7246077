//! Series, the message ids that lead to them, and what they depend on.

use sqlx::FromRow;

use super::{Conn, ROWS, Result, sql};
use crate::domain::{
    CoverId, MessageId, PatchId, PersonId, ProjectId, Series, SeriesId, StateId, Timestamp,
};

/// A series that a new mail may belong to.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Candidate {
    /// The message id that led to it; none when the markers did.
    pub msgid: Option<MessageId>,
    /// The series.
    pub id: SeriesId,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its revision.
    pub version: i64,
    /// How many patches it announces.
    pub total: i64,
    /// When it began.
    pub date: Timestamp,
    /// The letter that opens it.
    pub cover_id: Option<CoverId>,
    /// Whether the mail's own place in it is taken.
    pub taken: bool,
}

/// A series about to be stored.
#[derive(Clone, Debug)]
pub struct NewSeries {
    /// The project of the list it came to.
    pub project: ProjectId,
    /// Who sent it.
    pub submitter: PersonId,
    /// When its first mail was written.
    pub date: Timestamp,
    /// The revision.
    pub version: i64,
    /// How many patches it announces.
    pub total: i64,
}

const CANDIDATE: &str = "s.id, s.name, s.version, s.total, s.date, s.cover_id, \
    EXISTS (SELECT 1 FROM patch p WHERE p.series_id = s.id AND p.number = ";

/// Returns the series that mails with these ids belong to; `taken` tells of the place `number`.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_references(
    conn: &mut Conn,
    project: ProjectId,
    msgids: &[MessageId],
    number: i64,
) -> Result<Vec<Candidate>> {
    let mut q = sql("SELECT r.msgid, ");
    q.push(CANDIDATE).arg(number).push(") AS taken");
    q.push(" FROM series_reference r JOIN series s ON s.id = r.series_id WHERE r.project_id = ")
        .arg(project);
    q.push(" AND r.msgid")
        .among(conn.kind(), msgids.iter().map(|id| id.as_str().to_owned()));
    q.all(conn).await
}

/// Returns the series of the same project, submitter, version and total within a time, newest first.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_markers(
    conn: &mut Conn,
    like: &NewSeries,
    number: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Candidate>> {
    let mut q = sql("SELECT CAST(NULL AS TEXT) AS msgid, ");
    q.push(CANDIDATE)
        .arg(number)
        .push(") AS taken FROM series s WHERE s.project_id = ")
        .arg(like.project);
    q.push(" AND s.submitter_id = ")
        .arg(like.submitter)
        .push(" AND s.version = ")
        .arg(like.version);
    q.push(" AND s.total = ")
        .arg(like.total)
        .push(" AND s.date >= ")
        .arg(from)
        .push(" AND s.date <= ")
        .arg(to);
    q.push(" ORDER BY s.date DESC, s.id DESC");
    q.all(conn).await
}

/// Stores a series and returns its id.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(conn: &mut Conn, new: &NewSeries) -> Result<SeriesId> {
    let (id,) = sql("INSERT INTO series (project_id, submitter_id, date, version, total) VALUES ($1, $2, $3, $4, $5) RETURNING id")
        .bind(new.project)
        .bind(new.submitter)
        .bind(new.date)
        .bind(new.version)
        .bind(new.total)
        .one(conn)
        .await?;
    Ok(id)
}

/// Records that mails with these ids belong to a series; ids recorded before keep their owner.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert_references(
    conn: &mut Conn,
    project: ProjectId,
    series: SeriesId,
    msgids: &[MessageId],
) -> Result<()> {
    for some in msgids.chunks(ROWS) {
        let mut q = sql("INSERT INTO series_reference (project_id, msgid, series_id) VALUES ");
        for (index, msgid) in some.iter().enumerate() {
            q.row(
                index == 0,
                vec![project.into(), msgid.into(), series.into()],
            );
        }
        q.push(" ON CONFLICT (project_id, msgid) DO NOTHING");
        q.run(conn).await?;
    }
    Ok(())
}

/// Gives a series its name.
///
/// # Errors
/// When the database is away or refuses.
pub async fn set_name(conn: &mut Conn, id: SeriesId, name: &str) -> Result<()> {
    sql("UPDATE series SET name = $1 WHERE id = $2")
        .bind(name)
        .bind(id)
        .run(conn)
        .await?;
    Ok(())
}

/// Gives a series its cover letter and the name that follows from it.
///
/// # Errors
/// When the database is away or refuses.
pub async fn set_cover(conn: &mut Conn, id: SeriesId, cover: CoverId, name: &str) -> Result<()> {
    sql("UPDATE series SET cover_id = $1, name = $2 WHERE id = $3")
        .bind(cover)
        .bind(name)
        .bind(id)
        .run(conn)
        .await?;
    Ok(())
}

/// Returns the numbered patches of a series.
///
/// # Errors
/// When the database is away or refuses.
pub async fn members(conn: &mut Conn, id: SeriesId) -> Result<Vec<(i64, PatchId)>> {
    sql("SELECT number, id FROM patch WHERE series_id = $1 AND number IS NOT NULL ORDER BY number")
        .bind(id)
        .all(conn)
        .await
}

/// Returns the name of the patch at a place of a series.
///
/// # Errors
/// When the database is away or refuses.
pub async fn patch_name(conn: &mut Conn, id: SeriesId, number: i64) -> Result<Option<String>> {
    let row: Option<(String,)> = sql("SELECT name FROM patch WHERE series_id = $1 AND number = $2")
        .bind(id)
        .bind(number)
        .optional(conn)
        .await?;
    Ok(row.map(|(name,)| name))
}

/// Says whether mails other than the series' own patches were announced for it: then a cover that
/// refers to nothing is not its cover (`mail.md §11.2`).
///
/// # Errors
/// When the database is away or refuses.
pub async fn expects_others(conn: &mut Conn, id: SeriesId) -> Result<bool> {
    let row: Option<(MessageId,)> = sql(
        "SELECT r.msgid FROM series_reference r WHERE r.series_id = $1 AND NOT EXISTS \
         (SELECT 1 FROM patch p WHERE p.msgid = r.msgid AND p.project_id = r.project_id) LIMIT 1",
    )
    .bind(id)
    .optional(conn)
    .await?;
    Ok(row.is_some())
}

/// Returns the series of patches or covers named by message id, within a project.
///
/// # Errors
/// When the database is away or refuses.
pub async fn of_submission(
    conn: &mut Conn,
    project: ProjectId,
    msgid: &MessageId,
) -> Result<Option<SeriesId>> {
    let row: Option<(SeriesId,)> = sql("SELECT series_id FROM patch WHERE msgid = $1 AND project_id = $2 AND series_id IS NOT NULL \
         UNION ALL SELECT s.id FROM cover c JOIN series s ON s.cover_id = c.id WHERE c.msgid = $1 AND c.project_id = $2 LIMIT 1")
    .bind(msgid)
    .bind(project)
    .optional(conn)
    .await?;
    Ok(row.map(|(id,)| id))
}

/// Returns the series of a patch of this project.
///
/// # Errors
/// When the database is away or refuses.
pub async fn of_patch(
    conn: &mut Conn,
    project: ProjectId,
    patch: PatchId,
) -> Result<Option<SeriesId>> {
    let row: Option<(SeriesId,)> = sql(
        "SELECT series_id FROM patch WHERE id = $1 AND project_id = $2 AND series_id IS NOT NULL",
    )
    .bind(patch)
    .bind(project)
    .optional(conn)
    .await?;
    Ok(row.map(|(id,)| id))
}

/// Returns the series that a cover of this project opens.
///
/// # Errors
/// When the database is away or refuses.
pub async fn of_cover(
    conn: &mut Conn,
    project: ProjectId,
    cover: CoverId,
) -> Result<Option<SeriesId>> {
    let row: Option<(SeriesId,)> =
        sql("SELECT id FROM series WHERE cover_id = $1 AND project_id = $2")
            .bind(cover)
            .bind(project)
            .optional(conn)
            .await?;
    Ok(row.map(|(id,)| id))
}

/// Says whether a series is one of this project.
///
/// # Errors
/// When the database is away or refuses.
pub async fn is_of(conn: &mut Conn, project: ProjectId, id: SeriesId) -> Result<bool> {
    let row: Option<(SeriesId,)> = sql("SELECT id FROM series WHERE id = $1 AND project_id = $2")
        .bind(id)
        .bind(project)
        .optional(conn)
        .await?;
    Ok(row.is_some())
}

/// Records that one series needs others, after those it needs already.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert_dependencies(conn: &mut Conn, from: SeriesId, to: &[SeriesId]) -> Result<()> {
    let mut needed = to.to_vec();
    needed.retain(|id| *id != from);
    for id in needed {
        sql("INSERT INTO series_dependency (from_series_id, to_series_id, position) \
             SELECT $1, $2, coalesce(max(position), 0) + 1 FROM series_dependency WHERE from_series_id = $1 \
             ON CONFLICT (from_series_id, to_series_id) DO NOTHING")
        .bind(from)
        .bind(id)
        .run(conn)
        .await?;
    }
    Ok(())
}

/// A series with who sent it.
#[derive(Clone, Debug, FromRow)]
pub struct Sent {
    /// The series.
    #[sqlx(flatten)]
    pub series: Series,
    /// The sender's name, if known.
    pub submitter_name: Option<String>,
    /// The sender's address.
    pub submitter_email: String,
}

const COLUMNS: &str =
    "SELECT s.id, s.project_id, s.submitter_id, s.cover_id, s.name, s.date, s.version, s.total,
       pe.name AS submitter_name, pe.email AS submitter_email
  FROM series s JOIN person pe ON pe.id = s.submitter_id ";

/// Returns the series with this id.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_id(conn: &mut Conn, id: SeriesId) -> Result<Option<Sent>> {
    let mut query = sql(COLUMNS);
    query.push("WHERE s.id = ").arg(id);
    query.optional(conn).await
}

/// Returns the newest series of a person in a project, newest first: among them are the other revisions of one.
///
/// # Errors
/// When the database is away or refuses.
pub async fn of_person(conn: &mut Conn, project: ProjectId, person: PersonId) -> Result<Vec<Sent>> {
    let mut query = sql(COLUMNS);
    query.push("WHERE s.project_id = ").arg(project);
    query.push(" AND s.submitter_id = ").arg(person);
    query.push(" ORDER BY s.date DESC, s.id DESC LIMIT 300");
    query.all(conn).await
}

/// A patch or the cover of a series, as a table of contents shows it.
#[derive(Clone, Debug, FromRow)]
pub struct Member {
    /// The patch; `None` for the cover.
    pub patch_id: Option<PatchId>,
    /// The message id.
    pub msgid: MessageId,
    /// The cleaned subject.
    pub name: String,
    /// The place in the series; the cover has 0.
    pub number: Option<i64>,
    /// Where the patch stands.
    pub state_id: Option<StateId>,
}

/// Returns the cover and the patches of a series, in order; patches without a place come last.
///
/// # Errors
/// When the database is away or refuses.
pub async fn contents(conn: &mut Conn, id: SeriesId) -> Result<Vec<Member>> {
    sql("SELECT CAST(NULL AS BIGINT) AS patch_id, o.msgid, o.name, CAST(0 AS BIGINT) AS number,
                CAST(NULL AS BIGINT) AS state_id, 0 AS rank
           FROM series s JOIN cover o ON o.id = s.cover_id WHERE s.id = $1
         UNION ALL
         SELECT p.id, p.msgid, p.name, p.number, p.state_id, CASE WHEN p.number IS NULL THEN 2 ELSE 1 END
           FROM patch p WHERE p.series_id = $2
         ORDER BY 6, 4, 1 LIMIT 5000")
    .bind(id)
    .bind(id)
    .all(conn)
    .await
}

/// A series that another one needs, or that needs it.
#[derive(Clone, Debug, FromRow)]
pub struct Neighbour {
    /// The series.
    pub id: SeriesId,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its revision.
    pub version: i64,
    /// Whether the asked series needs it; else it needs the asked one.
    pub needed: bool,
}

/// Returns the series that one needs and those that need it.
///
/// # Errors
/// When the database is away or refuses.
pub async fn dependencies(conn: &mut Conn, id: SeriesId) -> Result<Vec<Neighbour>> {
    sql("SELECT s.id, s.name, s.version, TRUE AS needed, d.position
           FROM series_dependency d JOIN series s ON s.id = d.to_series_id WHERE d.from_series_id = $1
         UNION ALL
         SELECT s.id, s.name, s.version, FALSE, s.id
           FROM series_dependency d JOIN series s ON s.id = d.from_series_id WHERE d.to_series_id = $2
         ORDER BY 4 DESC, 5 LIMIT 200")
    .bind(id)
    .bind(id)
    .all(conn)
    .await
}
