//! All patches, a page at a time by key: what commands that go through everything stand on.

use sqlx::FromRow;

use super::{DETAIL, Detail};
use crate::{
    domain::{DiffHash, PatchId, ProjectId, Timestamp},
    store::{Conn, Result, Sql, sql},
};

/// How many patches a page has: their texts are in memory together.
const PAGE: i64 = 64;

/// Returns the highest id of a patch; 0 when there is none.
///
/// # Errors
/// When the database is away or refuses.
pub async fn last_id(conn: &mut Conn) -> Result<PatchId> {
    let (last,) = sql("SELECT coalesce(max(id), 0) FROM patch")
        .one(conn)
        .await?;
    Ok(last)
}

/// Returns the next patches after this id, all or those of `only`.
///
/// # Errors
/// When the database is away or refuses.
pub async fn ids(conn: &mut Conn, after: PatchId, only: &[PatchId]) -> Result<Vec<PatchId>> {
    let mut query = sql("SELECT id FROM patch WHERE id > ");
    query.arg(after);
    push_rest(&mut query, "id", only);
    let rows: Vec<(PatchId,)> = query.all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A patch with what its hash is made of.
#[derive(Clone, Debug, FromRow)]
pub struct Hashed {
    /// Its id.
    pub id: PatchId,
    /// The hash that is stored.
    pub hash: Option<DiffHash>,
    /// Its diff.
    pub diff: Option<String>,
}

/// Returns the next patches after this id, all or those of `only`, with their diffs.
///
/// # Errors
/// When the database is away or refuses.
pub async fn diffs(conn: &mut Conn, after: PatchId, only: &[PatchId]) -> Result<Vec<Hashed>> {
    let mut query = sql(
        "SELECT p.id, p.hash, b.diff FROM patch p LEFT JOIN patch_body b ON b.patch_id = p.id WHERE p.id > ",
    );
    query.arg(after);
    push_rest(&mut query, "p.id", only);
    query.all(conn).await
}

fn push_rest(query: &mut Sql, id: &'static str, only: &[PatchId]) {
    if !only.is_empty() {
        query.push(" AND ").push(id).push(" IN ");
        query.list(only.iter().copied());
    }
    query.push(" ORDER BY ").push(id).push(" LIMIT ").arg(PAGE);
}

/// Gives a patch another hash.
///
/// # Errors
/// When the database is away or refuses.
pub async fn set_hash(conn: &mut Conn, id: PatchId, hash: Option<&DiffHash>) -> Result<()> {
    sql("UPDATE patch SET hash = $2 WHERE id = $1")
        .bind(id)
        .bind(hash)
        .run(conn)
        .await?;
    Ok(())
}

/// Returns the next patches of a project with all their texts, by date, after the one of that date and id.
///
/// # Errors
/// When the database is away or refuses.
pub async fn details(
    conn: &mut Conn,
    project: ProjectId,
    after: Option<(Timestamp, PatchId)>,
) -> Result<Vec<Detail>> {
    let mut query = sql(DETAIL);
    query.push("WHERE p.project_id = ").arg(project);
    if let Some((date, id)) = after {
        query
            .push(" AND (p.date, p.id) > (")
            .arg(date)
            .push(", ")
            .arg(id)
            .push(")");
    }
    query.push(" ORDER BY p.date, p.id LIMIT ").arg(PAGE);
    query.all(conn).await
}

/// Returns how many patches a project has.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count(conn: &mut Conn, project: ProjectId) -> Result<i64> {
    let (count,) = sql("SELECT count(*) FROM patch WHERE project_id = $1")
        .bind(project)
        .one(conn)
        .await?;
    Ok(count)
}
