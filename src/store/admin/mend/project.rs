//! Projects: the names they had before.

use crate::{
    domain::ProjectId,
    store::{Result, Tx, rows, sql},
};

/// Keeps the name under which a project was reachable before.
///
/// # Errors
/// When the database is away.
pub async fn keep_linkname(tx: &mut Tx, id: ProjectId, before: &str, now: &str) -> Result<()> {
    sql("DELETE FROM project_alias WHERE linkname = $1")
        .bind(now)
        .run(tx)
        .await?;
    rows::insert(
        tx,
        "project_alias (linkname, project_id)",
        vec![vec![before.into(), id.into()]],
        "ON CONFLICT (linkname) DO UPDATE SET project_id = excluded.project_id",
    )
    .await?;
    Ok(())
}
