//! Patches.

/// The columns of a patch `p`.
macro_rules! patch {
    () => {
        "SELECT p.id, p.project_id, p.submitter_id, p.state_id, p.delegate_id, p.series_id, p.related_id, p.number,
       p.archived, p.date, p.msgid, p.name, p.hash, p.commit_ref, p.pull_url"
    };
}

pub mod attention;
pub mod change;
mod condition;
pub mod extent;
pub mod find;
pub mod list;
mod ranked;
pub mod reread;
pub mod rpc;
pub mod search;
pub mod todo;
pub mod walk;

use sqlx::FromRow;

use super::{Batch, Conn, Result, Value, sql, tally::What};
use crate::domain::{
    BundleId, DiffHash, MessageId, Patch, PatchBody, PatchId, PersonId, ProjectId, RelationId,
    SeriesId, StateId, Timestamp, UserId, patch,
};

/// A patch about to be stored, under an id that was taken for it; its texts follow with [`insert_bodies`].
#[derive(Clone, Debug)]
pub struct NewPatch {
    /// Its id.
    pub id: PatchId,
    /// The project of the list it came to.
    pub project: ProjectId,
    /// Who sent it.
    pub submitter: PersonId,
    /// Where it stands.
    pub state: StateId,
    /// Whose turn it is.
    pub delegate: Option<UserId>,
    /// The series it is part of, and its place there.
    pub place: Option<(SeriesId, i64)>,
    /// When it was written.
    pub date: Timestamp,
    /// The message id.
    pub msgid: MessageId,
    /// The cleaned subject.
    pub name: String,
    /// The hash of its diff.
    pub hash: Option<DiffHash>,
    /// Where to pull it from.
    pub pull_url: Option<String>,
}

/// Stores patches.
pub fn insert(batch: &mut Batch, patches: Vec<NewPatch>) {
    for new in &patches {
        batch.count(What::patch(new.project, new.state, false), 1);
    }
    batch.add(
        "patch (id, project_id, submitter_id, state_id, delegate_id, series_id, number, date, msgid, name, name_key, \
         hash, pull_url)",
        patches.into_iter().map(row).collect(),
        "",
    );
}

fn row(new: NewPatch) -> Vec<Value> {
    let (series, number) = new.place.unzip();
    vec![
        new.id.into(),
        new.project.into(),
        new.submitter.into(),
        new.state.into(),
        new.delegate.into(),
        series.into(),
        number.into(),
        new.date.into(),
        (&new.msgid).into(),
        new.name.as_str().into(),
        patch::name_key(&new.name).into(),
        new.hash.as_ref().into(),
        new.pull_url.into(),
    ]
}

/// Stores the texts of patches.
pub fn insert_bodies(batch: &mut Batch, bodies: Vec<(PatchId, PatchBody)>) {
    let row = |(id, body): (PatchId, PatchBody)| {
        vec![
            id.into(),
            body.headers.into(),
            body.content.into(),
            body.diff.into(),
        ]
    };
    batch.add(
        "patch_body (patch_id, headers, content, diff)",
        bodies.into_iter().map(row).collect(),
        "",
    );
}

/// A patch with its texts and the names behind its ids.
#[derive(Clone, Debug, FromRow)]
pub struct Detail {
    /// The patch.
    #[sqlx(flatten)]
    pub patch: Patch,
    /// Its texts.
    #[sqlx(flatten)]
    pub body: PatchBody,
    /// The submitter's name, if known.
    pub submitter_name: Option<String>,
    /// The submitter's address.
    pub submitter_email: String,
    /// The name of the state.
    pub state_name: String,
    /// Whether the state waits for somebody.
    pub action_required: bool,
    /// The login name of who has it on the desk.
    pub delegate: Option<String>,
    /// The address of who has it on the desk.
    pub delegate_email: Option<String>,
    /// The name of the series.
    pub series_name: Option<String>,
    /// The revision of the series.
    pub series_version: Option<i64>,
    /// How many patches the series announces.
    pub series_total: Option<i64>,
}

const DETAIL: &str = concat!(
    patch!(),
    ",
       coalesce(b.headers, '') AS headers, b.content, b.diff,
       pe.name AS submitter_name, pe.email AS submitter_email, st.name AS state_name, st.action_required,
       d.username AS delegate, d.email AS delegate_email,
       s.name AS series_name, s.version AS series_version, s.total AS series_total
  FROM patch p JOIN person pe ON pe.id = p.submitter_id JOIN state st ON st.id = p.state_id
  LEFT JOIN patch_body b ON b.patch_id = p.id LEFT JOIN account d ON d.id = p.delegate_id
  LEFT JOIN series s ON s.id = p.series_id "
);

/// Returns the patches of a project that have one of these message ids.
///
/// # Errors
/// When the database is away or refuses.
pub async fn detail_by_message_id(
    conn: &mut Conn,
    project: ProjectId,
    ids: &[MessageId],
) -> Result<Vec<Detail>> {
    let mut query = sql(DETAIL);
    query.push("WHERE p.project_id = ").arg(project);
    query.push(" AND p.msgid IN ").list(ids);
    query.all(conn).await
}

/// Returns the patches with these ids, in no order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn details(conn: &mut Conn, ids: &[PatchId]) -> Result<Vec<Detail>> {
    let mut query = sql(DETAIL);
    query.push("WHERE p.id");
    query.among_ids(conn.kind(), ids.iter().map(|id| id.0));
    query.all(conn).await
}

/// Returns the patches of a series up to and with place `last` (all for `None`), in order; those without
/// a place come last.
///
/// # Errors
/// When the database is away or refuses.
pub async fn details_of_series(
    conn: &mut Conn,
    series: SeriesId,
    last: Option<i64>,
) -> Result<Vec<Detail>> {
    let mut query = sql(DETAIL);
    query.push("WHERE p.series_id = ").arg(series);
    if let Some(last) = last {
        query.push(" AND p.number <= ").arg(last);
    }
    query.push(" ORDER BY p.number IS NULL, p.number, p.id LIMIT 5000");
    query.all(conn).await
}

/// Returns the patches of a bundle in its order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn details_of_bundle(conn: &mut Conn, bundle: BundleId) -> Result<Vec<Detail>> {
    let mut query = sql(DETAIL);
    query
        .push("JOIN bundle_patch bp ON bp.patch_id = p.id WHERE bp.bundle_id = ")
        .arg(bundle);
    query.push(" ORDER BY bp.position, p.id LIMIT 5000");
    query.all(conn).await
}

/// Returns the messages of these patches.
///
/// # Errors
/// When the database is away or refuses.
pub async fn messages(conn: &mut Conn, patches: &[PatchId]) -> Result<Vec<(PatchId, String)>> {
    let kind = conn.kind();
    let mut query =
        sql("SELECT patch_id, content FROM patch_body WHERE content IS NOT NULL AND patch_id");
    query.among_ids(kind, patches.iter().map(|id| id.0));
    query.all(conn).await
}

/// Returns the patches of a series that have been committed, in order: place, name and commit.
///
/// # Errors
/// When the database is away or refuses.
pub async fn committed(
    conn: &mut Conn,
    series: SeriesId,
) -> Result<Vec<(Option<i64>, String, String)>> {
    sql(
        "SELECT number, name, commit_ref FROM patch WHERE series_id = $1 AND commit_ref IS NOT NULL
          ORDER BY number IS NULL, number, id LIMIT 5000",
    )
    .bind(series)
    .all(conn)
    .await
}

/// A trailer-bearing reply to one of several patches.
#[derive(Clone, Debug, FromRow)]
pub struct Reply {
    /// The patch it answers.
    pub patch_id: PatchId,
    /// The text.
    pub content: String,
}

/// Returns the texts of all replies to these patches, oldest first: what downloads take trailers from.
///
/// # Errors
/// When the database is away or refuses.
pub async fn replies(conn: &mut Conn, patches: &[PatchId]) -> Result<Vec<Reply>> {
    let mut query =
        sql("SELECT patch_id, content FROM comment WHERE content IS NOT NULL AND patch_id IN ");
    query.list(patches.iter().copied());
    query.push(" ORDER BY date, id");
    query.all(conn).await
}

/// A patch that is related to another one.
#[derive(Clone, Debug, FromRow)]
pub struct Related {
    /// Its id.
    pub id: PatchId,
    /// Its message id.
    pub msgid: MessageId,
    /// The cleaned subject.
    pub name: String,
    /// When it was written.
    pub date: Timestamp,
    /// Its project.
    pub project_id: ProjectId,
    /// The project's name in URLs.
    pub linkname: String,
    /// The project's name.
    pub project_name: String,
    /// Where it stands.
    pub state_name: String,
}

/// Returns the patches of a relation, oldest first.
///
/// # Errors
/// When the database is away or refuses.
pub async fn related(conn: &mut Conn, relation: RelationId) -> Result<Vec<Related>> {
    sql("SELECT p.id, p.msgid, p.name, p.date, p.project_id, pr.linkname, pr.name AS project_name, st.name AS state_name
           FROM patch p JOIN project pr ON pr.id = p.project_id JOIN state st ON st.id = p.state_id
          WHERE p.related_id = $1 ORDER BY p.date, p.id LIMIT 500")
    .bind(relation)
    .all(conn)
    .await
}

/// Returns the patch with this id.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_id(conn: &mut Conn, id: PatchId) -> Result<Option<Patch>> {
    sql(concat!(patch!(), " FROM patch p WHERE p.id = $1"))
        .bind(id)
        .optional(conn)
        .await
}
