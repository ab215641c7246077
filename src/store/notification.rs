//! State changes that wait to be told to the submitter (`domain.md §8`).

use std::collections::HashSet;

use sqlx::FromRow;

use super::{Conn, Kind, Result, Tx, rows, sql};
use crate::domain::{MessageId, PatchId, PersonId, StateId, Timestamp};

/// How many changes are forgotten at once: SQLite's time to bind grows with the square of the values.
const AT_ONCE: usize = 8;

/// Remembers that patches were moved to a state, each with the one it had: a patch that is back where its
/// submitter knows it to be is forgotten, any other waits anew.
///
/// # Errors
/// When the database is away or refuses.
pub(super) async fn queue(
    conn: &mut Conn,
    moved: &[(PatchId, StateId)],
    state: StateId,
    now: Timestamp,
) -> Result<()> {
    if moved.is_empty() {
        return Ok(());
    }
    let mut back = sql("DELETE FROM patch_change_notification WHERE orig_state_id = ");
    back.arg(state)
        .push(" AND patch_id IN ")
        .list(moved.iter().map(|(patch, _)| *patch))
        .push(" RETURNING patch_id");
    let back: Vec<(PatchId,)> = back.all(conn).await?;
    let back: HashSet<PatchId> = back.into_iter().map(|(patch,)| patch).collect();
    let waiting: Vec<_> = moved
        .iter()
        .filter(|(patch, _)| !back.contains(patch))
        .collect();
    let rows = waiting
        .iter()
        .map(|(patch, was)| vec![(*patch).into(), now.into(), (*was).into()]);
    rows::insert(
        conn,
        "patch_change_notification (patch_id, last_modified, orig_state_id)",
        rows.collect(),
        "ON CONFLICT (patch_id) DO UPDATE SET last_modified = excluded.last_modified",
    )
    .await?;
    Ok(())
}

/// Returns the next submitters, by id, all of whose changes are older than `limit`.
///
/// # Errors
/// When the database is away or refuses.
pub async fn settled(
    conn: &mut Conn,
    limit: Timestamp,
    after: PersonId,
    count: i64,
) -> Result<Vec<PersonId>> {
    let rows: Vec<(PersonId,)> = sql(
        "SELECT p.submitter_id FROM patch_change_notification n JOIN patch p ON p.id = n.patch_id \
          WHERE p.submitter_id > $1 GROUP BY p.submitter_id HAVING max(n.last_modified) < $2 \
          ORDER BY p.submitter_id LIMIT $3",
    )
    .bind(after)
    .bind(limit)
    .bind(count)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|(person,)| person).collect())
}

/// A change that waits, with what its submitter is to read.
#[derive(Clone, Debug, FromRow)]
pub struct Waiting {
    /// The patch.
    pub patch_id: PatchId,
    /// When its state was last changed.
    pub last_modified: Timestamp,
    /// The message id of the patch.
    pub msgid: MessageId,
    /// The patch's name.
    pub patch: String,
    /// The project's name in URLs.
    pub linkname: String,
    /// The project's name.
    pub project: String,
    /// The state its submitter knows of.
    pub was: String,
    /// The state it has.
    pub now: String,
}

/// How many patches a digest names; more make another one.
const MAX_WAITING: i64 = 500;

/// Returns what waits for a submitter, as much as fits one digest, oldest patch first; nobody else takes them until the
/// transaction ends.
///
/// # Errors
/// When the database is away or refuses.
pub async fn of_submitter(tx: &mut Tx, submitter: PersonId) -> Result<Vec<Waiting>> {
    let mut query = sql(
        "SELECT n.patch_id, n.last_modified, p.msgid, p.name AS patch, pr.linkname, pr.name AS project,
                was.name AS was, st.name AS now
           FROM patch_change_notification n JOIN patch p ON p.id = n.patch_id
           JOIN project pr ON pr.id = p.project_id JOIN state st ON st.id = p.state_id
           JOIN state was ON was.id = n.orig_state_id
          WHERE p.submitter_id = ",
    );
    query
        .arg(submitter)
        .push(" ORDER BY p.date, p.id LIMIT ")
        .arg(MAX_WAITING);
    if tx.kind() == Kind::Postgres {
        query.push(" FOR UPDATE OF n");
    }
    query.all(tx).await
}

/// Forgets changes that have been told. One that was changed again meanwhile stays.
///
/// # Errors
/// When the database is away or refuses.
pub async fn forget(tx: &mut Tx, told: &[Waiting]) -> Result<()> {
    for some in told.chunks(AT_ONCE) {
        let mut statement = sql(
            "DELETE FROM patch_change_notification WHERE (patch_id, last_modified) IN (VALUES ",
        );
        for (index, waiting) in some.iter().enumerate() {
            statement.row(
                index == 0,
                vec![waiting.patch_id.into(), waiting.last_modified.into()],
            );
        }
        statement.push(")");
        statement.run(tx).await?;
    }
    Ok(())
}
