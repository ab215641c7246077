//! Checks: what CI reported.

use sqlx::FromRow;

use super::{Batch, Conn, Result, Tx, event, sql};
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
