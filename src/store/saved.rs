//! Saved filters: what a list was asked, under a name, of a user or of a project.

use sqlx::FromRow;

use super::{Conn, Result, Tx, sql};
use crate::domain::{ProjectId, Timestamp, UserId};

/// A saved filter.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Saved {
    /// Its id.
    pub id: i64,
    /// The project of the list.
    pub project_id: ProjectId,
    /// The project's name in URLs.
    pub linkname: String,
    /// Whose it is; nobody's is the project's.
    #[sqlx(rename = "account_id")]
    pub user_id: Option<UserId>,
    /// What it is called.
    pub name: String,
    /// The query string of the list, without the question mark.
    pub query: String,
}

/// Nobody needs more of them, and no project.
const MOST: i64 = 100;

const COLUMNS: &str = "SELECT f.id, f.project_id, pr.linkname, f.account_id, f.name, f.query
  FROM saved_filter f JOIN project pr ON pr.id = f.project_id ";

/// Saves a filter; one of the same name and owner is replaced. Says whether there was room for it.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(
    tx: &mut Tx,
    project: ProjectId,
    user: Option<UserId>,
    name: &str,
    query: &str,
    now: Timestamp,
) -> Result<bool> {
    let (count,): (i64,) = sql(
        "SELECT count(*) FROM saved_filter WHERE project_id = $1 AND coalesce(account_id, 0) = $2 AND name <> $3",
    )
    .bind(project)
    .bind(user.map_or(0, |user| user.0))
    .bind(name)
    .one(tx)
    .await?;
    if count >= MOST {
        return Ok(false);
    }
    sql(
        "INSERT INTO saved_filter (project_id, account_id, name, query, created) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (project_id, coalesce(account_id, 0), name) DO UPDATE SET query = excluded.query",
    )
    .bind(project)
    .bind(user)
    .bind(name)
    .bind(query)
    .bind(now)
    .run(tx)
    .await?;
    Ok(true)
}

/// Returns a project's filters, then those of a user there, by name.
///
/// # Errors
/// When the database is away.
pub async fn of_list(
    conn: &mut Conn,
    project: ProjectId,
    user: Option<UserId>,
) -> Result<Vec<Saved>> {
    let mut query = sql(COLUMNS);
    query.push("WHERE f.project_id = ").arg(project);
    query.push(" AND (f.account_id IS NULL OR f.account_id = ");
    query
        .arg(user)
        .push(") ORDER BY f.account_id IS NOT NULL, lower(f.name), f.id");
    query.all(conn).await
}

/// Returns a user's filters, by project and name.
///
/// # Errors
/// When the database is away.
pub async fn of_user(conn: &mut Conn, user: UserId) -> Result<Vec<Saved>> {
    let mut query = sql(COLUMNS);
    query.push("WHERE f.account_id = ").arg(user);
    query.push(" ORDER BY pr.linkname, lower(f.name), f.id");
    query.all(conn).await
}

/// Returns the filter with this id.
///
/// # Errors
/// When the database is away.
pub async fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Saved>> {
    let mut query = sql(COLUMNS);
    query.push("WHERE f.id = ").arg(id);
    query.optional(conn).await
}

/// Deletes a filter.
///
/// # Errors
/// When the database is away or refuses.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<()> {
    sql("DELETE FROM saved_filter WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}
