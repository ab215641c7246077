//! Patches that wait for somebody: on the desk, not put away, in a state that asks for action (`web.md §11`).

use crate::{
    domain::{ProjectId, UserId},
    store::{Conn, Result, sql},
};

/// More than these are not counted for the number in the bar.
pub const MOST: i64 = 999;

/// Returns how many patches wait for a user, [`MOST`] at most.
///
/// # Errors
/// When the database is away.
pub async fn count(conn: &mut Conn, user: UserId) -> Result<i64> {
    let (count,) = sql(
        "SELECT count(*) FROM (SELECT 1 FROM patch WHERE delegate_id = $1 AND archived = FALSE \
         AND state_id IN (SELECT id FROM state WHERE action_required = TRUE) LIMIT $2) found",
    )
    .bind(user)
    .bind(MOST)
    .one(conn)
    .await?;
    Ok(count)
}

/// Returns in which projects patches wait for a user, and how many in each.
///
/// # Errors
/// When the database is away.
pub async fn by_project(conn: &mut Conn, user: UserId) -> Result<Vec<(ProjectId, i64)>> {
    sql(
        "SELECT project_id, count(*) FROM patch WHERE delegate_id = $1 AND archived = FALSE \
         AND state_id IN (SELECT id FROM state WHERE action_required = TRUE) \
         GROUP BY project_id ORDER BY project_id",
    )
    .bind(user)
    .all(conn)
    .await
}
