//! Cover letters.

use super::{
    Batch, Conn, Kind, Result, Sql,
    search::{self, Asked, Thing},
    sql,
    tally::{self, What},
    window::{self, Holds, Key, Part, Window, among},
};
use crate::domain::{CoverId, MessageId, PersonId, ProjectId, SeriesId, Timestamp, cover::Cover};

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
    for new in &covers {
        batch.count(What::cover(new.project), 1);
    }
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
       o.headers, o.content";
const JOINS: &str = " FROM cover o JOIN person pe ON pe.id = o.submitter_id ";

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
    query.push(JOINS);
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
    query.push(JOINS).push("WHERE o.id = ").arg(id);
    query.optional(conn).await
}

/// Which cover letters. Several values of one field are alternatives; no value is any.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// In these projects.
    pub projects: Vec<ProjectId>,
    /// Of these series.
    pub series: Vec<SeriesId>,
    /// From these people.
    pub submitters: Vec<PersonId>,
    /// With this message id.
    pub msgid: Option<MessageId>,
    /// Written at this moment or later.
    pub since: Option<Timestamp>,
    /// Written before.
    pub before: Option<Timestamp>,
    /// With all of these in the name, ignoring case.
    pub words: Vec<String>,
    /// Of which this is true.
    pub asked: Option<Asked>,
}

/// What lists of cover letters may be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The id.
    Id,
    /// The name.
    Name,
    /// When it was written.
    Date,
    /// The id of who wrote it.
    Submitter,
}

impl By {
    fn key(self, descending: bool) -> Key {
        let (row, anchor, holds) = match self {
            By::Id => ("o.id", "(SELECT id FROM cover WHERE id = ", Holds::Int),
            By::Name => ("o.name", "(SELECT name FROM cover WHERE id = ", Holds::Text),
            By::Date => ("o.date", "(SELECT date FROM cover WHERE id = ", Holds::Time),
            By::Submitter => (
                "o.submitter_id",
                "(SELECT submitter_id FROM cover WHERE id = ",
                Holds::Int,
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

fn conditions(query: &mut Sql, kind: Kind, search: &Search) {
    among(query, " AND o.project_id", &search.projects);
    if !search.series.is_empty() {
        query.push(" AND o.id IN (SELECT cover_id FROM series WHERE cover_id IS NOT NULL");
        among(query, " AND id", &search.series);
        query.push(")");
    }
    among(query, " AND o.submitter_id", &search.submitters);
    if let Some(msgid) = &search.msgid {
        query.push(" AND o.msgid = ").arg(msgid);
    }
    if let Some(since) = search.since {
        query.push(" AND o.date >= ").arg(since);
    }
    if let Some(before) = search.before {
        query.push(" AND o.date < ").arg(before);
    }
    window::words(query, kind, &["lower(o.name)"], &search.words);
    search::also(query, kind, Thing::Cover, search.asked.as_ref());
}

/// Returns a window of the cover letters searched.
///
/// # Errors
/// When the database is away or refuses.
pub async fn page(
    conn: &mut Conn,
    search: &Search,
    order: &[(By, bool)],
    window: Window,
) -> Result<Part<Cover>> {
    let keys: Vec<Key> = order.iter().map(|(by, down)| by.key(*down)).collect();
    let mut query = sql(COLUMNS);
    window::place(&mut query, conn.kind(), "o.id", &keys);
    query.push(JOINS);
    query.push("WHERE o.id IN (SELECT id FROM (SELECT o.id FROM cover o WHERE TRUE");
    conditions(&mut query, conn.kind(), search);
    window::apply(&mut query, "o.id", &keys, &window);
    query.push(") page)");
    window::order(&mut query, "o.id", &keys);
    window::read(conn, query, &window).await
}

/// Returns how many cover letters are searched, exactly. What clients ask most is counted ahead.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count(conn: &mut Conn, search: &Search) -> Result<i64> {
    let is_counted = search.series.is_empty()
        && search.submitters.is_empty()
        && search.words.is_empty()
        && search.asked.is_none()
        && search.msgid.is_none()
        && search.since.is_none()
        && search.before.is_none();
    if is_counted {
        return tally::of_projects(conn, "cover", &search.projects).await;
    }
    let mut query = sql("SELECT count(*) FROM cover o WHERE TRUE");
    conditions(&mut query, conn.kind(), search);
    let (count,) = query.one(conn).await?;
    Ok(count)
}
