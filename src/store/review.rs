//! Promises to review patches and series. One that has ended counts as none, whether it is still there or not.

use super::{Conn, Result, Tx, sql};
use crate::domain::{
    PatchId, PersonId, ProjectId, SeriesId, Timestamp, UserId,
    review::{Claim, Subject},
};

/// Nobody reviews more at a time.
const MOST: i64 = 100;

const COLUMNS: &str =
    "SELECT r.id, r.patch_id, r.series_id, r.account_id, u.username, r.made, r.ends
  FROM review_claim r JOIN account u ON u.id = r.account_id ";

/// Keeps a promise; one that the same user made of the same thing before is replaced. Says whether there was room for it.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(
    tx: &mut Tx,
    subject: Subject,
    user: UserId,
    now: Timestamp,
    ends: Timestamp,
) -> Result<bool> {
    let (patch, series) = subject.split();
    let (count,): (i64,) = sql(
        "SELECT count(*) FROM review_claim WHERE account_id = $1 AND ends > $2 \
         AND coalesce(patch_id, 0) <> $3 AND coalesce(series_id, 0) <> $4",
    )
    .bind(user)
    .bind(now)
    .bind(patch.map_or(-1, |id| id.0))
    .bind(series.map_or(-1, |id| id.0))
    .one(tx)
    .await?;
    if count >= MOST {
        return Ok(false);
    }
    let mut query = sql(
        "INSERT INTO review_claim (patch_id, series_id, account_id, made, ends) VALUES ($1, $2, $3, $4, $5) ON CONFLICT ",
    );
    // Whoever clicks twice makes one promise.
    query.push(match subject {
        Subject::Patch(_) => "(patch_id, account_id)",
        Subject::Series(_) => "(series_id, account_id)",
    });
    query.push(" DO UPDATE SET made = excluded.made, ends = excluded.ends");
    let query = query.bind(patch).bind(series).bind(user);
    query.bind(now).bind(ends).run(tx).await?;
    Ok(true)
}

/// Returns who reviews a patch, alone or with its series, the first to say so first.
///
/// # Errors
/// When the database is away.
pub async fn of_patch(
    conn: &mut Conn,
    patch: PatchId,
    series: Option<SeriesId>,
    now: Timestamp,
) -> Result<Vec<Claim>> {
    let mut query = sql(COLUMNS);
    query.push("WHERE (r.patch_id = ").arg(patch);
    query.push(" OR r.series_id = ").arg(series);
    query.push(") AND r.ends > ").arg(now);
    query.push(" ORDER BY r.made, r.id LIMIT 100");
    query.all(conn).await
}

/// Returns who reviews a series, the first to say so first.
///
/// # Errors
/// When the database is away.
pub async fn of_series(conn: &mut Conn, series: SeriesId, now: Timestamp) -> Result<Vec<Claim>> {
    let mut query = sql(COLUMNS);
    query.push("WHERE r.series_id = ").arg(series);
    query.push(" AND r.ends > ").arg(now);
    query.push(" ORDER BY r.made, r.id LIMIT 100");
    query.all(conn).await
}

/// Returns the promise with this id, and the project it is in.
///
/// # Errors
/// When the database is away.
pub async fn by_id(conn: &mut Conn, id: i64) -> Result<Option<(Claim, ProjectId)>> {
    let mut query = sql(COLUMNS);
    query.push("WHERE r.id = ").arg(id);
    let Some(claim) = query.optional::<Claim>(conn).await? else {
        return Ok(None);
    };
    let project: Option<(ProjectId,)> = sql(
        "SELECT project_id FROM patch WHERE id = $1 UNION ALL SELECT project_id FROM series WHERE id = $2",
    )
    .bind(claim.patch_id)
    .bind(claim.series_id)
    .optional(conn)
    .await?;
    Ok(project.map(|(project,)| (claim, project)))
}

/// Returns who sent what somebody wants to review, and whether anybody still has to act on it.
///
/// # Errors
/// When the database is away.
pub async fn subject(conn: &mut Conn, subject: Subject) -> Result<Option<(PersonId, bool)>> {
    let (patch, series) = subject.split();
    let open = "SELECT p.submitter_id, EXISTS (SELECT 1 FROM state t WHERE t.id = p.state_id AND t.action_required = TRUE)
                       AND p.archived = FALSE FROM patch p WHERE p.id = $1
                UNION ALL
                SELECT s.submitter_id, EXISTS (SELECT 1 FROM patch q JOIN state t ON t.id = q.state_id
                       WHERE q.series_id = s.id AND q.archived = FALSE AND t.action_required = TRUE)
                  FROM series s WHERE s.id = $2";
    sql(open).bind(patch).bind(series).optional(conn).await
}

/// Returns the open patches that a user has promised to review, the one that ends first before the others.
///
/// # Errors
/// When the database is away.
pub async fn patches(
    conn: &mut Conn,
    user: UserId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<PatchId>> {
    let rows: Vec<(PatchId,)> = sql(
        "SELECT p.id FROM (
            SELECT r.patch_id AS id, r.ends FROM review_claim r
             WHERE r.account_id = $1 AND r.ends > $2 AND r.patch_id IS NOT NULL
             UNION
            SELECT q.id, r.ends FROM review_claim r JOIN patch q ON q.series_id = r.series_id
             WHERE r.account_id = $3 AND r.ends > $4
         ) promised JOIN patch p ON p.id = promised.id
          WHERE p.archived = FALSE AND p.state_id IN (SELECT id FROM state WHERE action_required = TRUE)
          GROUP BY p.id ORDER BY min(promised.ends), p.id LIMIT $5",
    )
    .bind(user)
    .bind(now)
    .bind(user)
    .bind(now)
    .bind(limit)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Ends a promise.
///
/// # Errors
/// When the database is away or refuses.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<()> {
    sql("DELETE FROM review_claim WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}

/// Deletes the promises that have ended, and says how many there were.
///
/// # Errors
/// When the database is away or refuses.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    sql("DELETE FROM review_claim WHERE ends <= $1")
        .bind(now)
        .run(tx)
        .await
}
