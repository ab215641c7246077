//! Delegation rules: which user gets patches that touch a path.

use super::{Conn, Result, sql};
use crate::domain::{ProjectId, UserId};

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
