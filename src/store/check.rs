//! Checks: what CI reported.

use sqlx::FromRow;

use super::{Conn, Result, sql};
use crate::domain::{
    CheckId, PatchId, Timestamp, UserId,
    check::{Check, CheckState},
};

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
