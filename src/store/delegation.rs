//! Delegation rules: which user gets patches that touch a path.

use super::{Conn, Result, sql};
use crate::domain::{PatchId, ProjectId, UserId};

/// A path and whose turn patches to it are.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Rule {
    /// A shell pattern for file names.
    pub path: String,
    /// Who gets them.
    pub account_id: UserId,
}

/// Returns the rules of a project in the order in which they are asked.
///
/// # Errors
/// When the database is away or refuses.
pub async fn rules(conn: &mut Conn, project: ProjectId) -> Result<Vec<Rule>> {
    sql("SELECT path, account_id FROM delegation_rule WHERE project_id = $1 ORDER BY priority DESC, path")
        .bind(project)
        .all(conn)
        .await
}

/// Returns the active user with this address, ignoring case; the eldest if there are several.
///
/// # Errors
/// When the database is away or refuses.
pub async fn user_by_email(conn: &mut Conn, email: &str) -> Result<Option<UserId>> {
    let row: Option<(UserId,)> = sql(
        "SELECT id FROM account WHERE lower(email) = lower($1) AND is_active ORDER BY id LIMIT 1",
    )
    .bind(email)
    .optional(conn)
    .await?;
    Ok(row.map(|(id,)| id))
}

/// Returns open patches of a project that lie on nobody's desk, with their diffs, the newest first.
///
/// # Errors
/// When the database is away or refuses.
pub async fn idle(
    conn: &mut Conn,
    project: ProjectId,
    most: i64,
) -> Result<Vec<(PatchId, String)>> {
    sql(
        "SELECT p.id, b.diff FROM patch p JOIN patch_body b ON b.patch_id = p.id
          WHERE p.project_id = $1 AND p.archived = FALSE AND p.delegate_id IS NULL AND b.diff IS NOT NULL
            AND p.state_id IN (SELECT id FROM state WHERE action_required)
          ORDER BY p.date DESC, p.id DESC LIMIT $2",
    )
    .bind(project)
    .bind(most)
    .all(conn)
    .await
}

/// Returns the next open patches of a project that lie on nobody's desk, by id, with their diffs.
///
/// # Errors
/// When the database is away or refuses.
pub async fn idle_after(
    conn: &mut Conn,
    project: ProjectId,
    after: PatchId,
) -> Result<Vec<(PatchId, String)>> {
    sql(
        "SELECT p.id, b.diff FROM patch p JOIN patch_body b ON b.patch_id = p.id
          WHERE p.project_id = $1 AND p.archived = FALSE AND p.delegate_id IS NULL AND b.diff IS NOT NULL
            AND p.state_id IN (SELECT id FROM state WHERE action_required) AND p.id > $2
          ORDER BY p.id LIMIT 64",
    )
    .bind(project)
    .bind(after)
    .all(conn)
    .await
}
