//! Lists of patches: a page of rows, and what is counted of each row. Which rows a page has is found in `find.rs`.

use std::collections::{BTreeMap, HashMap};

use sqlx::FromRow;

use super::super::{Conn, Kind, Result, Sql, Value, containing, rows::list_columns, sql};
use super::attention::{self, Signs};
use super::extent::Extent;
use super::find::Stretch;
use crate::domain::{
    CoverId, MessageId, PatchId, PersonId, ProjectId, SeriesId, StateId, TagId, Timestamp, UserId,
    check::{CheckCounts, CheckState},
    filter::{Order, PatchFilter},
    state::State,
};

/// What a list shows of a patch.
#[derive(Clone, Debug, FromRow)]
pub struct Row {
    /// Its id.
    pub id: PatchId,
    /// Its project.
    pub project_id: ProjectId,
    /// The name of its project in URLs.
    pub linkname: String,
    /// The message id.
    pub msgid: MessageId,
    /// The cleaned subject.
    pub name: String,
    /// When it was written.
    pub date: Timestamp,
    /// Whether it is put away.
    pub archived: bool,
    /// Where it stands.
    pub state_id: StateId,
    /// Its place in the series.
    pub number: Option<i64>,
    /// Who sent it.
    pub submitter_id: PersonId,
    /// The sender's name, if known.
    pub submitter_name: Option<String>,
    /// The sender's address.
    pub submitter_email: String,
    /// The series it is part of.
    pub series_id: Option<SeriesId>,
    /// The name of the series.
    pub series_name: Option<String>,
    /// The revision of the series.
    pub series_version: Option<i64>,
    /// How many patches the series announces.
    pub series_total: Option<i64>,
    /// On whose desk it lies.
    pub delegate_id: Option<UserId>,
    /// The login name of who has it on the desk.
    pub delegate: Option<String>,
    /// What its marks are asked by.
    #[sqlx(flatten)]
    pub about: About,
}

/// What is known of a patch that says where its marks are.
#[derive(Clone, Debug, Default, FromRow)]
pub struct About {
    submitter_account: Option<UserId>,
    cover_id: Option<CoverId>,
    series_minor: Option<i64>,
    check_state: Option<i64>,
    unaddressed: bool,
}

/// What is counted of a patch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Trailers, by tag.
    pub tags: HashMap<TagId, i64>,
    /// Effective checks, by result.
    pub checks: CheckCounts,
    /// Comments that ask for action.
    pub unaddressed: i64,
    /// What else says whose turn it is.
    pub signs: Signs,
}

/// Returns how long a list is, and the rows of a stretch of it. `states` are all states there are.
///
/// # Errors
/// When the database is away or refuses.
pub async fn stretch(
    conn: &mut Conn,
    filter: &PatchFilter,
    order: Order,
    states: &[State],
    stretch: Stretch,
) -> Result<(Extent, Vec<Row>)> {
    let (extent, ids) = super::find::stretch(conn, filter, order, states, stretch).await?;
    Ok((extent, rows(conn, &ids).await?))
}

/// Returns the rows of a list that is known to be short: of a series, of one person, on one desk.
///
/// # Errors
/// When the database is away or refuses.
pub async fn few(
    conn: &mut Conn,
    filter: &PatchFilter,
    order: Order,
    states: &[State],
    limit: i64,
) -> Result<Vec<Row>> {
    let (extent, stretch) = (Extent::short(filter), Stretch { limit, offset: 0 });
    let ids = super::find::ids(conn, filter, order, states, &extent, stretch).await?;
    rows(conn, &ids).await
}

/// Returns the rows of these patches, in the order of their ids here.
///
/// # Errors
/// When the database is away or refuses.
pub async fn rows(conn: &mut Conn, ids: &[PatchId]) -> Result<Vec<Row>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let mut query = sql(
        "SELECT p.id, p.project_id, pr.linkname, p.msgid, p.name, p.date, p.archived, p.state_id, p.number, p.submitter_id,
                pe.name AS submitter_name, pe.email AS submitter_email, p.series_id, s.name AS series_name,
                s.version AS series_version, s.total AS series_total, p.delegate_id, d.username AS delegate,
                pe.account_id AS submitter_account, s.cover_id, s.minor AS series_minor, p.check_state, p.unaddressed
           FROM patch p JOIN ",
    );
    // PostgreSQL would rather read all people than look up those of a page.
    query.push(match kind {
        Kind::Sqlite => "person pe ON pe.id = p.submitter_id",
        Kind::Postgres => {
            "LATERAL (SELECT name, email, account_id FROM person WHERE id = p.submitter_id LIMIT 1) pe ON TRUE"
        }
    });
    query.push(
        " JOIN project pr ON pr.id = p.project_id
           LEFT JOIN series s ON s.id = p.series_id LEFT JOIN account d ON d.id = p.delegate_id WHERE p.id",
    );
    query.among_ids(kind, ids.iter().map(|id| id.0));
    let rows: Vec<Row> = query.all(conn).await?;
    let mut rows: HashMap<PatchId, Row> = rows.into_iter().map(|row| (row.id, row)).collect();
    Ok(ids.iter().filter_map(|id| rows.remove(id)).collect())
}

/// Returns what is counted of the patches of these rows and what says whose turn they are, in one statement.
///
/// # Errors
/// When the database is away or refuses.
pub async fn marks<'r>(
    conn: &mut Conn,
    rows: impl IntoIterator<Item = &'r Row>,
    now: Timestamp,
) -> Result<HashMap<PatchId, Marks>> {
    let rows: BTreeMap<PatchId, &Row> = rows.into_iter().map(|row| (row.id, row)).collect();
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let kind = conn.kind();
    let mut query = sql("WITH page AS ");
    match kind {
        // To look the same up once more costs SQLite less than to be told.
        Kind::Sqlite => stored_page(&mut query, kind, rows.into_keys()),
        Kind::Postgres => told_page(&mut query, rows.into_values()),
    }
    asked(conn, query, now).await
}

/// Returns the same of one patch.
///
/// # Errors
/// When the database is away or refuses.
pub async fn marks_of(conn: &mut Conn, id: PatchId, now: Timestamp) -> Result<Marks> {
    let mut query = sql("WITH page AS ");
    stored_page(&mut query, conn.kind(), [id]);
    let mut marks = asked(conn, query, now).await?;
    Ok(marks.remove(&id).unwrap_or_default())
}

/// Appends what the statement of the marks needs to know of its patches, as it is stored.
fn stored_page(query: &mut Sql, kind: Kind, ids: impl IntoIterator<Item = PatchId>) {
    query.push(
        "(SELECT p.id, p.submitter_id, pe.account_id, p.series_id, p.number, s.cover_id, s.total, s.minor, p.check_state, p.unaddressed
            FROM patch p JOIN person pe ON pe.id = p.submitter_id LEFT JOIN series s ON s.id = p.series_id WHERE p.id",
    );
    query.among_ids(kind, ids.into_iter().map(|id| id.0));
    query.push(")");
}

/// Appends the same as it was read with the rows, for PostgreSQL.
fn told_page<'r>(query: &mut Sql, rows: impl Iterator<Item = &'r Row>) {
    let told = |row: &Row| -> Vec<Value> {
        vec![
            row.id.into(),
            row.submitter_id.into(),
            row.about.submitter_account.into(),
            row.series_id.into(),
            row.number.into(),
            row.about.cover_id.into(),
            row.series_total.into(),
            row.about.series_minor.into(),
            row.about.check_state.into(),
            row.about.unaddressed.into(),
        ]
    };
    query.push("MATERIALIZED (SELECT * FROM unnest");
    list_columns(query, rows.map(told));
    query.push(
        " AS p (id, submitter_id, account_id, series_id, number, cover_id, total, minor, check_state, unaddressed))",
    );
}

/// What is counted of the patches `page`.
macro_rules! counted {
    ($checks:literal) => {
        concat!(
            " SELECT patch_id, CAST(0 AS BIGINT), tag_id, count, CAST(NULL AS TIMESTAMPTZ)
             FROM patch_tag WHERE patch_id IN (SELECT id FROM page)
         UNION ALL SELECT patch_id, CAST(1 AS BIGINT), state, count(*), CAST(NULL AS TIMESTAMPTZ) FROM (
            SELECT c.patch_id, c.state, row_number() OVER (PARTITION BY c.patch_id, c.account_id, c.context
                                                           ORDER BY c.date DESC, c.id DESC) AS age
              FROM page g CROSS JOIN ",
            $checks,
            " AND g.check_state IS NOT NULL
            ) latest WHERE age = 1 GROUP BY patch_id, state
         UNION ALL SELECT patch_id, CAST(2 AS BIGINT), CAST(0 AS BIGINT), count(*), CAST(NULL AS TIMESTAMPTZ) FROM comment
           WHERE addressed IS FALSE AND patch_id IN (SELECT id FROM page WHERE unaddressed IS TRUE) GROUP BY patch_id"
        )
    };
}

/// Reads the marks of the patches that a statement begins with.
async fn asked(conn: &mut Conn, mut query: Sql, now: Timestamp) -> Result<HashMap<PatchId, Marks>> {
    let kind = conn.kind();
    query.push(match kind {
        Kind::Sqlite => counted!("patch_check c WHERE c.patch_id = g.id"),
        // Otherwise it would rather read all checks of a small site.
        Kind::Postgres => {
            counted!(
                "LATERAL (SELECT * FROM patch_check WHERE patch_id = g.id OFFSET 0) c WHERE TRUE"
            )
        }
    });
    attention::push(&mut query, kind, now);
    let mut marks: HashMap<PatchId, Marks> = HashMap::new();
    for (patch, kind, what, count, at) in query
        .all::<(PatchId, i64, i64, i64, Option<Timestamp>)>(conn)
        .await?
    {
        let mark = marks.entry(patch).or_default();
        match (kind, CheckState::from_number(what)) {
            (0, _) => {
                mark.tags.insert(TagId(what), count);
            }
            (1, Some(state)) => mark.checks.add(state, count),
            (2, _) => mark.unaddressed += count,
            _ => mark.signs.take(kind, what == 1, at),
        }
    }
    Ok(marks)
}

/// Says whether anybody's login name contains a text, ignoring case.
///
/// # Errors
/// When the database is away or refuses.
pub async fn any_delegate_matching(conn: &mut Conn, text: &str) -> Result<bool> {
    let found: Option<(UserId,)> =
        sql("SELECT id FROM account WHERE lower(username) LIKE $1 ESCAPE '\\' LIMIT 1")
            .bind(containing(text))
            .optional(conn)
            .await?;
    Ok(found.is_some())
}
