//! Projects.

use super::{Conn, Kind, Result, sql};
use crate::domain::{ListId, Project, ProjectId};

/// Returns the projects of a list, in the order in which they are asked whether a subject is theirs.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_list_id(conn: &mut Conn, list_id: &ListId) -> Result<Vec<Project>> {
    sql("SELECT * FROM project WHERE list_id = $1 ORDER BY linkname")
        .bind(list_id)
        .all(conn)
        .await
}

/// Lets nobody else write mails of this project until the transaction ends (`mail.md §12.5`).
/// SQLite has one writer anyway.
///
/// # Errors
/// When the database is away, or the wait is too long.
pub async fn lock(conn: &mut Conn, id: ProjectId) -> Result<()> {
    if conn.kind() == Kind::Postgres {
        let _: Option<(ProjectId,)> = sql("SELECT id FROM project WHERE id = $1 FOR UPDATE")
            .bind(id)
            .optional(conn)
            .await?;
    }
    Ok(())
}
