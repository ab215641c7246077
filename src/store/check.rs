//! Checks: what CI reported.

use sqlx::FromRow;

use super::{
    Batch, Conn, Kind, Result, Sql, Tx, event,
    lookup::{self, Column, Most, Test},
    sql,
    window::{self, Holds, Key, Part, Window, among},
};
use crate::domain::{
    CheckId, PatchId, ProjectId, Timestamp, UserId,
    check::{Check, CheckState, NewCheck},
    event::Event,
};

/// Stores a check and the event that tells of it.
///
/// # Errors
/// When the patch or the reporter is not there, or the database is away.
pub async fn insert(tx: &mut Tx, new: &NewCheck, at: Timestamp) -> Result<CheckId> {
    let (project,): (ProjectId,) = sql("SELECT project_id FROM patch WHERE id = $1")
        .bind(new.patch())
        .one(tx)
        .await?;
    let (id,) = sql(
        "INSERT INTO patch_check (patch_id, account_id, date, state, context, target_url, description) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
    )
    .bind(new.patch())
    .bind(new.reporter())
    .bind(at)
    .bind(new.state() as i64)
    .bind(new.context())
    .bind(new.target_url())
    .bind(new.description())
    .one(tx)
    .await?;
    let created = Event::check_created(project, new.patch(), id, new.reporter(), at);
    let mut batch = Batch::default();
    event::insert(&mut batch, &[created]);
    batch.write(tx).await?;
    Ok(id)
}

/// A check, and whether a newer one of the same user and context has taken its place.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// The check.
    pub check: Check,
    /// Whether it still counts.
    pub effective: bool,
}

#[derive(FromRow)]
struct Row {
    id: CheckId,
    patch_id: PatchId,
    account_id: UserId,
    username: String,
    date: Timestamp,
    state: i64,
    context: String,
    target_url: Option<String>,
    description: Option<String>,
    age: i64,
}

/// Returns the checks of a patch by context and user, newest first within each.
///
/// # Errors
/// When the database is away or refuses.
pub async fn of_patch(conn: &mut Conn, patch: PatchId) -> Result<Vec<Ranked>> {
    let rows: Vec<Row> = sql(
        "SELECT c.id, c.patch_id, c.account_id, a.username, c.date, c.state, c.context, c.target_url, c.description,
                row_number() OVER (PARTITION BY c.account_id, c.context ORDER BY c.date DESC, c.id DESC) AS age
           FROM patch_check c JOIN account a ON a.id = c.account_id
          WHERE c.patch_id = $1 ORDER BY c.context, a.username, c.date DESC, c.id DESC LIMIT 2000",
    )
    .bind(patch)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(Ranked::from).collect())
}

impl From<Row> for Ranked {
    fn from(row: Row) -> Ranked {
        Ranked {
            effective: row.age == 1,
            check: Check {
                id: row.id,
                patch_id: row.patch_id,
                user_id: row.account_id,
                username: row.username,
                date: row.date,
                // The schema allows 0 to 3 only.
                state: CheckState::from_number(row.state).unwrap_or(CheckState::Pending),
                context: row.context,
                target_url: row.target_url,
                description: row.description,
            },
        }
    }
}

/// Which checks of a patch.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Reported by these users; any for none.
    pub users: Vec<UserId>,
    /// With these results; any for none.
    pub states: Vec<CheckState>,
    /// Of this kind.
    pub context: Option<String>,
    /// Reported at this moment or later.
    pub since: Option<Timestamp>,
    /// Reported before.
    pub before: Option<Timestamp>,
}

/// What lists of checks may be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The id.
    Id,
    /// The id of who reported it.
    User,
    /// When it was reported.
    Date,
    /// The result.
    State,
    /// Where to read more.
    TargetUrl,
    /// What was checked.
    Context,
    /// The words about it.
    Description,
}

impl By {
    fn key(self, descending: bool) -> Key {
        let (row, anchor, holds) = match self {
            By::Id => (
                "c.id",
                "(SELECT id FROM patch_check WHERE id = ",
                Holds::Int,
            ),
            By::User => (
                "c.account_id",
                "(SELECT account_id FROM patch_check WHERE id = ",
                Holds::Int,
            ),
            By::Date => (
                "c.date",
                "(SELECT date FROM patch_check WHERE id = ",
                Holds::Time,
            ),
            By::State => (
                "c.state",
                "(SELECT state FROM patch_check WHERE id = ",
                Holds::Int,
            ),
            By::TargetUrl => (
                "coalesce(c.target_url, '')",
                "(SELECT coalesce(target_url, '') FROM patch_check WHERE id = ",
                Holds::Text,
            ),
            By::Context => (
                "c.context",
                "(SELECT context FROM patch_check WHERE id = ",
                Holds::Text,
            ),
            By::Description => (
                "coalesce(c.description, '')",
                "(SELECT coalesce(description, '') FROM patch_check WHERE id = ",
                Holds::Text,
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

const CHECKS: &str =
    "SELECT c.id, c.patch_id, c.account_id, a.username, c.date, c.state, c.context, c.target_url,
       c.description, CAST(1 AS BIGINT) AS age";
const JOINS: &str = " FROM patch_check c JOIN account a ON a.id = c.account_id WHERE ";

fn conditions(query: &mut Sql, search: &Search) {
    among(query, " AND c.account_id", &search.users);
    let states: Vec<i64> = search.states.iter().map(|state| *state as i64).collect();
    among(query, " AND c.state", &states);
    if let Some(context) = &search.context {
        query.push(" AND c.context = ").arg(context);
    }
    if let Some(since) = search.since {
        query.push(" AND c.date >= ").arg(since);
    }
    if let Some(before) = search.before {
        query.push(" AND c.date < ").arg(before);
    }
}

/// Returns a window of the checks of a patch, also of those that newer ones have replaced.
///
/// # Errors
/// When the database is away or refuses.
pub async fn page(
    conn: &mut Conn,
    patch: PatchId,
    search: &Search,
    order: &[(By, bool)],
    window: Window,
) -> Result<Part<Check>> {
    let keys: Vec<Key> = order.iter().map(|(by, down)| by.key(*down)).collect();
    let mut query = sql(CHECKS);
    window::place(&mut query, conn.kind(), "c.id", &keys);
    query.push(JOINS).push("c.patch_id = ").arg(patch);
    conditions(&mut query, search);
    window::apply(&mut query, "c.id", &keys, &window);
    let part: Part<Row> = window::read(conn, query, &window).await?;
    Ok(part.map(|row| Ranked::from(row).check))
}

/// Returns how many checks of a patch there are.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count(conn: &mut Conn, patch: PatchId, search: &Search) -> Result<i64> {
    let mut query = sql("SELECT count(*) FROM patch_check c WHERE c.patch_id = ");
    query.arg(patch);
    conditions(&mut query, search);
    let (count,) = query.one(conn).await?;
    Ok(count)
}

/// Returns a check of a patch.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_id(conn: &mut Conn, patch: PatchId, id: CheckId) -> Result<Option<Check>> {
    let mut query = sql(CHECKS);
    query
        .push(JOINS)
        .push("c.patch_id = ")
        .arg(patch)
        .push(" AND c.id = ")
        .arg(id);
    let row: Option<Row> = query.optional(conn).await?;
    Ok(row.map(|row| Ranked::from(row).check))
}

/// Returns these checks, in no order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_ids(conn: &mut Conn, ids: &[CheckId]) -> Result<Vec<Check>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let mut query = sql(CHECKS);
    query.push(JOINS).push("c.id");
    query.among_ids(kind, ids.iter().map(|id| id.0));
    let rows: Vec<Row> = query.all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| Ranked::from(row).check)
        .collect())
}

/// What has to hold of a check.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Of its id.
    Id(Test),
    /// Of the id of who reported it.
    User(Test),
    /// The login name of who reported it.
    Username(String),
    /// The project of its patch.
    Project(i64),
    /// Its patch.
    Patch(i64),
}

impl Condition {
    fn push(self, query: &mut Sql, kind: Kind) {
        let (column, test) = match self {
            Condition::Id(test) => (Column::number("c.id"), test),
            Condition::User(test) => (Column::number("c.account_id"), test),
            Condition::Patch(id) => (Column::number("c.patch_id"), Test::Is(id.into())),
            Condition::Username(name) => {
                query.push("c.account_id = (SELECT id FROM account WHERE username = ");
                query.arg(name).push(")");
                return;
            }
            Condition::Project(id) => {
                query.push("c.patch_id IN (SELECT id FROM patch WHERE project_id = ");
                query.arg(id).push(")");
                return;
            }
        };
        lookup::push(query, kind, column, test);
    }
}

/// Returns the ids of the checks that fulfil all conditions, in their order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn ids(conn: &mut Conn, conditions: Vec<Condition>, most: Most) -> Result<Vec<CheckId>> {
    let mut query = sql("SELECT c.id FROM patch_check c");
    let mut separator = " WHERE ";
    for condition in conditions {
        query.push(separator);
        condition.push(&mut query, conn.kind());
        separator = " AND ";
    }
    most.push(&mut query, "c.id", "c.id DESC");
    let rows: Vec<(CheckId,)> = most.in_order(query.all(conn).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Returns the ids of those checks of a patch that count, in their order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn effective(conn: &mut Conn, patch: PatchId) -> Result<Vec<CheckId>> {
    let rows: Vec<(CheckId,)> = sql(
        "SELECT id FROM (
            SELECT id, row_number() OVER (PARTITION BY account_id, context ORDER BY date DESC, id DESC) AS age
              FROM patch_check WHERE patch_id = $1) ranked
          WHERE age = 1 ORDER BY id",
    )
    .bind(patch)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A check, and what its patch is called.
#[derive(Clone, Debug)]
pub struct Named {
    /// The check.
    pub check: Check,
    /// The name of its patch.
    pub patch: String,
}

#[derive(FromRow)]
struct NamedRow {
    #[sqlx(flatten)]
    row: Row,
    patch: String,
}

/// Returns those of these checks that are there, in the order of their ids.
///
/// # Errors
/// When the database is away or refuses.
pub async fn named(conn: &mut Conn, ids: &[CheckId]) -> Result<Vec<Named>> {
    let mut query = sql(
        "SELECT c.id, c.patch_id, c.account_id, a.username, c.date, c.state, c.context, c.target_url, c.description,
                CAST(1 AS BIGINT) AS age, p.name AS patch
           FROM patch_check c JOIN account a ON a.id = c.account_id JOIN patch p ON p.id = c.patch_id WHERE c.id",
    );
    query.among_ids(conn.kind(), ids.iter().map(|id| id.0));
    query.push(" ORDER BY c.id");
    let rows: Vec<NamedRow> = query.all(conn).await?;
    let named = rows.into_iter().map(|NamedRow { row, patch }| Named {
        check: Ranked::from(row).check,
        patch,
    });
    Ok(named.collect())
}
