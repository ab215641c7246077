//! Patches as scripts search them: any filter with any other, sorted by anything, a window at a time.

use sqlx::FromRow;

use super::super::{
    Conn, Kind, Result, Sql, containing,
    search::{self, Asked, Thing},
    sql, tally,
    window::{self, Holds, Key, Part, Window, among},
};
use crate::domain::{
    MessageId, Patch, PatchBody, PatchId, PersonId, ProjectId, RelationId, SeriesId, StateId,
    Timestamp, UserId, check::CheckState,
};

/// Which patches. Several values of one field are alternatives; no value is any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Search {
    /// Of which this is true.
    pub asked: Option<Asked>,
    /// In these projects.
    pub projects: Vec<ProjectId>,
    /// In these series.
    pub series: Vec<SeriesId>,
    /// From these people.
    pub submitters: Vec<PersonId>,
    /// On the desks of these users.
    pub delegates: Vec<UserId>,
    /// In these states.
    pub states: Vec<StateId>,
    /// Put away or not.
    pub archived: Option<bool>,
    /// Written at this moment or later.
    pub since: Option<Timestamp>,
    /// Written before.
    pub before: Option<Timestamp>,
    /// With this hash.
    pub hash: Option<String>,
    /// With this message id.
    pub msgid: Option<MessageId>,
    /// With all of these in the name, ignoring case.
    pub words: Vec<String>,
}

/// What to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The id.
    Id,
    /// The name, as it is written.
    Name,
    /// The project's name in URLs.
    Project,
    /// When it was written.
    Date,
    /// The place of the state.
    State,
    /// Whether it is put away.
    Archived,
    /// The id of who sent it.
    Submitter,
    /// What the checks say together: pending, success, warning, fail.
    Check,
}

macro_rules! of_patch {
    ($row:literal, $anchor:literal, $holds:ident) => {
        (
            $row,
            concat!("(SELECT ", $anchor, " WHERE p.id = "),
            Holds::$holds,
        )
    };
}

impl Field {
    fn key(self, descending: bool) -> Option<Key> {
        let (row, anchor, holds) = match self {
            Field::Id => return None,
            Field::Name => of_patch!("p.name", "p.name FROM patch p", Text),
            Field::Project => of_patch!(
                "(SELECT pr.linkname FROM project pr WHERE pr.id = p.project_id)",
                "pr.linkname FROM patch p JOIN project pr ON pr.id = p.project_id",
                Text
            ),
            Field::Date => of_patch!("p.date", "p.date FROM patch p", Time),
            Field::State => of_patch!(
                "(SELECT st.ordering FROM state st WHERE st.id = p.state_id)",
                "st.ordering FROM patch p JOIN state st ON st.id = p.state_id",
                Int
            ),
            Field::Archived => of_patch!("p.archived", "p.archived FROM patch p", Bool),
            Field::Submitter => of_patch!("p.submitter_id", "p.submitter_id FROM patch p", Int),
            // A patch without checks waits for them.
            Field::Check => of_patch!(
                "coalesce(p.check_state, 0)",
                "coalesce(p.check_state, 0) FROM patch p",
                Int
            ),
        };
        Some(Key {
            row,
            anchor,
            holds,
            descending,
        })
    }
}

/// A patch with what lists of the API say of it.
#[derive(Clone, Debug, FromRow)]
pub struct Row {
    /// The patch.
    #[sqlx(flatten)]
    pub patch: Patch,
    /// The word of its state.
    pub state: String,
    /// The sender's name, if known.
    pub submitter_name: Option<String>,
    /// The sender's address.
    pub submitter_email: String,
    /// The login name of who has it on the desk.
    pub delegate_username: Option<String>,
    /// That user's first name.
    pub delegate_first: Option<String>,
    /// That user's last name.
    pub delegate_last: Option<String>,
    /// That user's address.
    pub delegate_email: Option<String>,
    /// The name of its series.
    pub series_name: Option<String>,
    /// When the series was sent.
    pub series_date: Option<Timestamp>,
    /// The revision of the series.
    pub series_version: Option<i64>,
    check_state: Option<i64>,
}

impl Row {
    /// Returns what the checks say together. A patch without checks waits for them.
    pub fn check(&self) -> CheckState {
        let state = self.check_state.and_then(CheckState::from_number);
        state.unwrap_or(CheckState::Pending)
    }
}

/// A patch with its texts.
#[derive(Clone, Debug, FromRow)]
pub struct Whole {
    /// What lists say of it.
    #[sqlx(flatten)]
    pub row: Row,
    /// Its texts.
    #[sqlx(flatten)]
    pub body: PatchBody,
}

const COLUMNS: &str = concat!(
    patch!(),
    ", st.slug AS state,
       pe.name AS submitter_name, pe.email AS submitter_email, d.username AS delegate_username,
       d.first_name AS delegate_first, d.last_name AS delegate_last, d.email AS delegate_email,
       s.name AS series_name, s.date AS series_date, s.version AS series_version, p.check_state"
);
const JOINS: &str = " JOIN person pe ON pe.id = p.submitter_id JOIN state st ON st.id = p.state_id
  LEFT JOIN account d ON d.id = p.delegate_id LEFT JOIN series s ON s.id = p.series_id";

/// Returns a window of what is searched, sorted.
///
/// # Errors
/// When the database is away or refuses.
pub async fn page(
    conn: &mut Conn,
    search: &Search,
    order: &[(Field, bool)],
    window: Window,
) -> Result<Part<Row>> {
    let keys: Vec<Key> = order
        .iter()
        .take_while(|(field, _)| *field != Field::Id)
        .filter_map(|(field, descending)| field.key(*descending))
        .collect();
    let down = order
        .iter()
        .any(|(field, descending)| *field == Field::Id && *descending);
    let keys = match (keys.is_empty(), down) {
        (true, true) => vec![ID_DOWN],
        _ => keys,
    };
    let mut query = sql(COLUMNS);
    window::place(&mut query, conn.kind(), "p.id", &keys);
    query.push(" FROM (SELECT p.id AS page_id FROM patch p WHERE TRUE");
    conditions(&mut query, conn.kind(), search);
    window::apply(&mut query, "p.id", &keys, &window);
    query
        .push(") page JOIN patch p ON p.id = page.page_id")
        .push(JOINS);
    window::order(&mut query, "p.id", &keys);
    window::read(conn, query, &window).await
}

/// The id itself as a key, where it is to run downwards.
const ID_DOWN: Key = Key {
    row: "p.id",
    anchor: "(SELECT p.id FROM patch p WHERE p.id = ",
    holds: Holds::Int,
    descending: true,
};

/// Returns these patches, in no order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn rows(conn: &mut Conn, ids: &[PatchId]) -> Result<Vec<Row>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let mut query = sql(COLUMNS);
    query.push(" FROM patch p").push(JOINS).push(" WHERE p.id");
    query.among_ids(kind, ids.iter().map(|id| id.0));
    query.all(conn).await
}

/// Returns a patch with its texts.
///
/// # Errors
/// When the database is away or refuses.
pub async fn whole(conn: &mut Conn, id: PatchId) -> Result<Option<Whole>> {
    let mut query = sql("SELECT w.*, coalesce(b.headers, '') AS headers, b.content, b.diff FROM (");
    query.push(COLUMNS).push(" FROM patch p").push(JOINS);
    query.push(" WHERE p.id = ").arg(id);
    query.push(") w LEFT JOIN patch_body b ON b.patch_id = w.id");
    query.optional(conn).await
}

/// Returns how many patches are searched, exactly. What clients ask most is counted ahead.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count(conn: &mut Conn, search: &Search) -> Result<i64> {
    let counted = Search {
        projects: search.projects.clone(),
        states: search.states.clone(),
        archived: search.archived,
        ..Search::default()
    };
    if *search == counted {
        return tally::patches(conn, &search.projects, &search.states, search.archived).await;
    }
    let mut query = sql("SELECT count(*) FROM patch p WHERE TRUE");
    conditions(&mut query, conn.kind(), search);
    let (count,): (i64,) = query.one(conn).await?;
    Ok(count)
}

fn conditions(query: &mut Sql, kind: Kind, search: &Search) {
    among(query, " AND p.project_id", &search.projects);
    among(query, " AND p.series_id", &search.series);
    among(query, " AND p.submitter_id", &search.submitters);
    among(query, " AND p.delegate_id", &search.delegates);
    among(query, " AND p.state_id", &search.states);
    if let Some(archived) = search.archived {
        query.push(" AND p.archived = ").arg(archived);
    }
    if let Some(since) = search.since {
        query.push(" AND p.date >= ").arg(since);
    }
    if let Some(before) = search.before {
        query.push(" AND p.date < ").arg(before);
    }
    if let Some(hash) = &search.hash {
        query.push(" AND p.hash = ").arg(hash);
    }
    if let Some(msgid) = &search.msgid {
        query.push(" AND p.msgid = ").arg(msgid);
    }
    search::also(query, kind, Thing::Patch, search.asked.as_ref());
    for word in &search.words {
        query.push(" AND p.name_key LIKE ").arg(containing(word));
        query.push(" ESCAPE '\\'");
    }
}

/// A patch as it is named where other things are told of.
#[derive(Clone, Debug, FromRow)]
pub struct Brief {
    /// Its id.
    pub id: PatchId,
    /// Its project.
    pub project_id: ProjectId,
    /// The message id.
    pub msgid: MessageId,
    /// When it was written.
    pub date: Timestamp,
    /// The cleaned subject.
    pub name: String,
    /// The set of patches it is related to.
    pub related_id: Option<RelationId>,
    /// The series it is part of.
    pub series_id: Option<SeriesId>,
}

const BRIEF: &str =
    "SELECT p.id, p.project_id, p.msgid, p.date, p.name, p.related_id, p.series_id FROM patch p ";

/// Returns all patches of these relations, the oldest first.
///
/// # Errors
/// When the database is away or refuses.
pub async fn related(conn: &mut Conn, relations: &[RelationId]) -> Result<Vec<Brief>> {
    if relations.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let mut query = sql(BRIEF);
    query.push("WHERE p.related_id");
    query.among_ids(kind, relations.iter().map(|id| id.0));
    query.push(" ORDER BY p.date, p.id");
    query.all(conn).await
}

/// Returns the patches with these message ids, of any project.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_message_ids(conn: &mut Conn, ids: &[MessageId]) -> Result<Vec<Brief>> {
    let mut query = sql(BRIEF);
    query
        .push("WHERE p.msgid IN ")
        .list(ids)
        .push(" ORDER BY p.id");
    query.all(conn).await
}

/// Returns all patches of these series, by number; those without one come last.
///
/// # Errors
/// When the database is away or refuses.
pub async fn of_series(conn: &mut Conn, series: &[SeriesId]) -> Result<Vec<Brief>> {
    if series.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let mut query = sql(BRIEF);
    query.push("WHERE p.series_id");
    query.among_ids(kind, series.iter().map(|id| id.0));
    query.push(" ORDER BY p.number IS NULL, p.number, p.date, p.id");
    query.all(conn).await
}

/// Returns these patches briefly, in no order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn briefs(conn: &mut Conn, ids: &[PatchId]) -> Result<Vec<Brief>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let mut query = sql(BRIEF);
    query.push("WHERE p.id");
    query.among_ids(kind, ids.iter().map(|id| id.0));
    query.all(conn).await
}
