//! Series, the message ids that lead to them, and what they depend on.

use sqlx::FromRow;

use super::{
    Batch, Conn, Kind, Result, Sql,
    search::{self, Asked, Thing},
    sql,
    tally::{self, What},
    window::{self, Holds, Key, Part, Window, among},
};
use crate::domain::{
    CoverId, MessageId, PatchId, PersonId, ProjectId, Series, SeriesId, StateId, Timestamp,
};

const SERIES: &str =
    "s.id, s.project_id, s.submitter_id, s.cover_id, s.name, s.date, s.version, s.minor, s.total";

/// A series and a mail that leads to it.
#[derive(Clone, Debug, FromRow)]
pub struct Claim {
    /// The mail.
    pub msgid: MessageId,
    /// 0 when the mail is part of the series; else how far before one of its patches it stands in the thread.
    pub distance: i64,
    /// The series.
    #[sqlx(flatten)]
    pub series: Series,
}

/// Returns the series to which mails with these ids lead.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_references(
    conn: &mut Conn,
    project: ProjectId,
    msgids: &[MessageId],
) -> Result<Vec<Claim>> {
    let mut q = sql("SELECT r.msgid, r.distance, ");
    q.push(SERIES)
        .push(" FROM series_reference r JOIN series s ON s.id = r.series_id WHERE r.project_id = ")
        .arg(project);
    q.push(" AND r.msgid")
        .among(conn.kind(), msgids.iter().map(|id| id.as_str().to_owned()));
    q.all(conn).await
}

/// Returns the series of the same project, submitter, version and total within a time.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_markers(
    conn: &mut Conn,
    like: &Series,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Series>> {
    let mut q = sql("SELECT ");
    q.push(SERIES)
        .push(" FROM series s WHERE s.project_id = ")
        .arg(like.project_id);
    q.push(" AND s.submitter_id = ")
        .arg(like.submitter_id)
        .push(" AND s.version = ")
        .arg(like.version);
    q.push(" AND s.minor = ")
        .arg(like.minor)
        .push(" AND s.total = ")
        .arg(like.total)
        .push(" AND s.date >= ")
        .arg(from)
        .push(" AND s.date <= ")
        .arg(to);
    q.all(conn).await
}

/// Stores series.
pub fn insert(batch: &mut Batch, series: Vec<Series>) {
    let row = |new: Series| {
        vec![
            new.id.into(),
            new.project_id.into(),
            new.submitter_id.into(),
            new.cover_id.into(),
            new.name.into(),
            new.date.into(),
            new.version.into(),
            new.minor.into(),
            new.total.into(),
        ]
    };
    for new in &series {
        batch.count(What::series(new.project_id), 1);
    }
    batch.add(
        "series (id, project_id, submitter_id, cover_id, name, date, version, minor, total)",
        series.into_iter().map(row).collect(),
        "",
    );
}

/// A message id that leads to a series of a project.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The project.
    pub project: ProjectId,
    /// The mail, which may be yet to come.
    pub msgid: MessageId,
    /// Its series.
    pub series: SeriesId,
    /// How far it is from the series, as [`Claim::distance`] says.
    pub distance: i64,
}

/// Records which mails lead to which series; what is nearer stays.
pub fn insert_references(batch: &mut Batch, references: &[Reference]) {
    let row = |new: &Reference| {
        vec![
            new.project.into(),
            (&new.msgid).into(),
            new.series.into(),
            new.distance.into(),
        ]
    };
    batch.add(
        "series_reference (project_id, msgid, series_id, distance)",
        references.iter().map(row).collect(),
        "ON CONFLICT (project_id, msgid, series_id) DO UPDATE SET distance = excluded.distance \
         WHERE excluded.distance < series_reference.distance",
    );
}

/// Writes what a mail that joined has changed in a series.
///
/// # Errors
/// When the database is away or refuses.
pub async fn update(conn: &mut Conn, series: &Series) -> Result<()> {
    sql("UPDATE series SET cover_id = $1, name = $2, date = $3, submitter_id = $4, version = $5, minor = $6 WHERE id = $7")
        .bind(series.cover_id)
        .bind(series.name.as_deref())
        .bind(series.date)
        .bind(series.submitter_id)
        .bind(series.version)
        .bind(series.minor)
        .bind(series.id)
        .run(conn)
        .await?;
    Ok(())
}

/// A patch at its place in a series.
#[derive(Clone, Debug, FromRow)]
pub struct Numbered {
    /// The series.
    pub series_id: SeriesId,
    /// Its place.
    pub number: i64,
    /// The patch.
    pub id: PatchId,
    /// What the first patch is called: series are named after it.
    pub name: Option<String>,
}

/// Returns the numbered patches of these series.
///
/// # Errors
/// When the database is away or refuses.
pub async fn members(conn: &mut Conn, series: &[SeriesId]) -> Result<Vec<Numbered>> {
    let mut q = sql(
        "SELECT series_id, number, id, CASE WHEN number = 1 THEN name END AS name FROM patch \
         WHERE number IS NOT NULL AND series_id",
    );
    q.among_ids(conn.kind(), series.iter().map(|id| id.0));
    q.all(conn).await
}

/// Returns the mails announced for a series that are no patches we know.
///
/// # Errors
/// When the database is away or refuses.
pub async fn announced(conn: &mut Conn, id: SeriesId) -> Result<Vec<MessageId>> {
    let rows: Vec<(MessageId,)> = sql(
        "SELECT r.msgid FROM series_reference r WHERE r.series_id = $1 AND NOT EXISTS \
         (SELECT 1 FROM patch p WHERE p.msgid = r.msgid AND p.project_id = r.project_id)",
    )
    .bind(id)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|(msgid,)| msgid).collect())
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

/// A series that needs another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The series.
    pub from: SeriesId,
    /// What it needs.
    pub to: SeriesId,
    /// Where its mails say so: needs are told in this order.
    pub position: i64,
}

/// Records that one series needs another.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert_dependency(conn: &mut Conn, need: Need) -> Result<()> {
    sql("INSERT INTO series_dependency (from_series_id, to_series_id, position) VALUES ($1, $2, $3) \
         ON CONFLICT (from_series_id, to_series_id) DO UPDATE SET position = excluded.position \
         WHERE excluded.position < series_dependency.position")
    .bind(need.from)
    .bind(need.to)
    .bind(need.position)
    .run(conn)
    .await?;
    Ok(())
}

/// A series that needs a mail which has not come.
#[derive(Clone, Debug, FromRow)]
pub struct Unmet {
    /// The mail.
    pub msgid: MessageId,
    /// The series that needs it.
    pub series_id: SeriesId,
    /// Where its mails say so.
    pub position: i64,
}

/// Records which series need mails that have not come.
pub fn insert_unmet(batch: &mut Batch, unmet: &[(ProjectId, Unmet)]) {
    let row = |(project, unmet): &(ProjectId, Unmet)| {
        vec![
            (*project).into(),
            (&unmet.msgid).into(),
            unmet.series_id.into(),
            unmet.position.into(),
        ]
    };
    batch.add(
        "unmet_dependency (project_id, msgid, series_id, position)",
        unmet.iter().map(row).collect(),
        "ON CONFLICT (project_id, msgid, series_id) DO NOTHING",
    );
}

/// Forgets that series need these mails: they came.
///
/// # Errors
/// When the database is away or refuses.
pub async fn delete_unmet(conn: &mut Conn, project: ProjectId, msgids: &[MessageId]) -> Result<()> {
    let mut q = sql("DELETE FROM unmet_dependency WHERE project_id = ");
    q.arg(project)
        .push(" AND msgid")
        .among(conn.kind(), msgids.iter().map(|id| id.as_str().to_owned()));
    q.run(conn).await?;
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
    "SELECT s.id, s.project_id, s.submitter_id, s.cover_id, s.name, s.date, s.version, s.minor, s.total,
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

/// Which series. Several values of one field are alternatives; no value is any.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// In these projects.
    pub projects: Vec<ProjectId>,
    /// From these people.
    pub submitters: Vec<PersonId>,
    /// Sent at this moment or later.
    pub since: Option<Timestamp>,
    /// Sent before.
    pub before: Option<Timestamp>,
    /// With all of these in the name, ignoring case.
    pub words: Vec<String>,
    /// Of which this is true.
    pub asked: Option<Asked>,
}

/// What lists of series may be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The id.
    Id,
    /// The name.
    Name,
    /// When it was sent.
    Date,
    /// The id of who sent it.
    Submitter,
    /// Whether all patches are there.
    Received,
}

/// How many patches of a series are there.
macro_rules! received {
    () => {
        "(SELECT count(*) FROM patch p WHERE p.series_id = s.id)"
    };
}

impl By {
    fn key(self, descending: bool) -> Key {
        let (row, anchor, holds) = match self {
            By::Id => ("s.id", "(SELECT id FROM series WHERE id = ", Holds::Int),
            By::Name => (
                "coalesce(s.name, '')",
                "(SELECT coalesce(name, '') FROM series WHERE id = ",
                Holds::Text,
            ),
            By::Date => (
                "s.date",
                "(SELECT date FROM series WHERE id = ",
                Holds::Time,
            ),
            By::Submitter => (
                "s.submitter_id",
                "(SELECT submitter_id FROM series WHERE id = ",
                Holds::Int,
            ),
            By::Received => (
                concat!("(", received!(), " >= s.total)"),
                concat!(
                    "(SELECT ",
                    received!(),
                    " >= s.total FROM series s WHERE s.id = "
                ),
                Holds::Bool,
            ),
        };
        Key {
            row,
            anchor,
            holds,
            descending,
        }
    }
}

/// A series as lists of the API show it.
#[derive(Clone, Debug, FromRow)]
pub struct Row {
    /// The series and who sent it.
    #[sqlx(flatten)]
    pub sent: Sent,
    /// The message id of its cover letter.
    pub cover_msgid: Option<MessageId>,
    /// When the cover letter was written.
    pub cover_date: Option<Timestamp>,
    /// The cover letter's name.
    pub cover_name: Option<String>,
}

const ROW: &str =
    "SELECT s.id, s.project_id, s.submitter_id, s.cover_id, s.name, s.date, s.version, s.minor, s.total,
       pe.name AS submitter_name, pe.email AS submitter_email,
       o.msgid AS cover_msgid, o.date AS cover_date, o.name AS cover_name";
const JOINS: &str = "
  FROM series s JOIN person pe ON pe.id = s.submitter_id LEFT JOIN cover o ON o.id = s.cover_id ";

fn conditions(query: &mut Sql, kind: Kind, search: &Search) {
    among(query, " AND s.project_id", &search.projects);
    among(query, " AND s.submitter_id", &search.submitters);
    if let Some(since) = search.since {
        query.push(" AND s.date >= ").arg(since);
    }
    if let Some(before) = search.before {
        query.push(" AND s.date < ").arg(before);
    }
    window::words(query, kind, &["lower(s.name)"], &search.words);
    search::also(query, kind, Thing::Series, search.asked.as_ref());
}

/// Returns a window of the series searched.
///
/// # Errors
/// When the database is away or refuses.
pub async fn page(
    conn: &mut Conn,
    search: &Search,
    order: &[(By, bool)],
    window: Window,
) -> Result<Part<Row>> {
    let keys: Vec<Key> = order.iter().map(|(by, down)| by.key(*down)).collect();
    let mut query = sql(ROW);
    window::place(&mut query, conn.kind(), "s.id", &keys);
    query.push(JOINS);
    query.push("WHERE s.id IN (SELECT id FROM (SELECT s.id FROM series s WHERE TRUE");
    conditions(&mut query, conn.kind(), search);
    window::apply(&mut query, "s.id", &keys, &window);
    query.push(") page)");
    window::order(&mut query, "s.id", &keys);
    window::read(conn, query, &window).await
}

/// Returns these series, in no order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn rows(conn: &mut Conn, ids: &[SeriesId]) -> Result<Vec<Row>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let mut query = sql(ROW);
    query.push(JOINS).push("WHERE s.id");
    query.among_ids(kind, ids.iter().map(|id| id.0));
    query.all(conn).await
}

/// Returns how many series are searched, exactly. What clients ask most is counted ahead.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count(conn: &mut Conn, search: &Search) -> Result<i64> {
    let is_counted = search.submitters.is_empty()
        && search.words.is_empty()
        && search.asked.is_none()
        && search.since.is_none()
        && search.before.is_none();
    if is_counted {
        return tally::of_projects(conn, "series", &search.projects).await;
    }
    let mut query = sql("SELECT count(*) FROM series s WHERE TRUE");
    conditions(&mut query, conn.kind(), search);
    let (count,) = query.one(conn).await?;
    Ok(count)
}

/// Returns what these series need, in their order: who needs, who is needed.
///
/// # Errors
/// When the database is away or refuses.
pub async fn needs(conn: &mut Conn, ids: &[SeriesId]) -> Result<Vec<(SeriesId, SeriesId)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let ids = || ids.iter().map(|id| id.0);
    let mut query =
        sql("SELECT from_series_id, to_series_id FROM series_dependency WHERE from_series_id");
    query.among_ids(kind, ids()).push(" OR to_series_id");
    query.among_ids(kind, ids());
    query.push(" ORDER BY from_series_id, position, to_series_id");
    query.all(conn).await
}

/// Returns the mails that lead to a series, and how far they are, the nearest first.
///
/// # Errors
/// When the database is away or refuses.
pub async fn references(conn: &mut Conn, id: SeriesId) -> Result<Vec<(MessageId, i64)>> {
    sql(
        "SELECT msgid, distance FROM series_reference WHERE series_id = $1 \
         ORDER BY distance, msgid LIMIT 1000",
    )
    .bind(id)
    .all(conn)
    .await
}

/// Forgets that a mail leads to a series. Says whether it did.
///
/// # Errors
/// When the database is away or refuses.
pub async fn forget_reference(conn: &mut Conn, id: SeriesId, msgid: &str) -> Result<bool> {
    let rows = sql("DELETE FROM series_reference WHERE series_id = $1 AND msgid = $2")
        .bind(id)
        .bind(msgid)
        .run(conn)
        .await?;
    Ok(rows > 0)
}
