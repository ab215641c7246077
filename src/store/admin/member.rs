//! What belongs to a project or an account in the console: maintainers, delegation rules, linked people, groups.

use sqlx::FromRow;

use crate::{
    domain::{PersonId, ProjectId, UserId},
    store::{Conn, Result, Tx, sql},
};

/// A delegation rule to be edited.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Rule {
    /// A shell pattern for file names.
    pub path: String,
    /// Who gets patches.
    pub account_id: UserId,
    /// Higher ones are asked first.
    pub priority: i64,
}

/// The most characters of a pattern.
pub const MAX_PATH: usize = 255;

/// Returns rules as the log of administration has them.
pub fn said(rules: &[Rule]) -> String {
    let lines = rules
        .iter()
        .map(|rule| format!("{} {} → #{}", rule.priority, rule.path, rule.account_id));
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the rules of a project in the order in which they are asked.
///
/// # Errors
/// When the database is away.
pub async fn rules(conn: &mut Conn, project: ProjectId) -> Result<Vec<Rule>> {
    sql(
        "SELECT path, account_id, priority FROM delegation_rule WHERE project_id = $1 \
         ORDER BY priority DESC, path",
    )
    .bind(project)
    .all(conn)
    .await
}

/// Puts these rules in place of a project's.
///
/// # Errors
/// When a user is not there, a path occurs twice, or the database is away.
pub async fn set_rules(tx: &mut Tx, project: ProjectId, rules: &[Rule]) -> Result<()> {
    sql("DELETE FROM delegation_rule WHERE project_id = $1")
        .bind(project)
        .run(tx)
        .await?;
    for rule in rules {
        sql("INSERT INTO delegation_rule (project_id, account_id, path, priority) VALUES ($1, $2, $3, $4)")
            .bind(project)
            .bind(rule.account_id)
            .bind(&rule.path)
            .bind(rule.priority)
            .run(tx)
            .await?;
    }
    Ok(())
}

/// An account that may get patches of a project.
#[derive(Clone, Debug, FromRow)]
pub struct Candidate {
    /// Its id.
    pub id: UserId,
    /// Its login name.
    pub username: String,
    /// Whether it maintains the project.
    pub maintains: bool,
}

/// Returns accounts that may log in, those that maintain the project first, 200 at most.
///
/// # Errors
/// When the database is away.
pub async fn candidates(conn: &mut Conn, project: ProjectId) -> Result<Vec<Candidate>> {
    sql(
        "SELECT a.id, a.username, m.project_id IS NOT NULL AS maintains FROM account a \
         LEFT JOIN maintainer m ON m.account_id = a.id AND m.project_id = $1 \
         WHERE a.is_active OR m.project_id IS NOT NULL \
         ORDER BY CASE WHEN m.project_id IS NULL THEN 1 ELSE 0 END, a.username LIMIT 200",
    )
    .bind(project)
    .all(conn)
    .await
}

/// Takes an account from the maintainers of a project. Says whether it was one.
///
/// # Errors
/// When the database is away.
pub async fn remove_maintainer(tx: &mut Tx, user: UserId, project: ProjectId) -> Result<bool> {
    let rows = sql("DELETE FROM maintainer WHERE account_id = $1 AND project_id = $2")
        .bind(user)
        .bind(project)
        .run(tx)
        .await?;
    Ok(rows > 0)
}

/// Returns the projects that an account maintains: id and linkname.
///
/// # Errors
/// When the database is away.
pub async fn maintained(conn: &mut Conn, user: UserId) -> Result<Vec<(ProjectId, String)>> {
    sql(
        "SELECT p.id, p.linkname FROM maintainer m JOIN project p ON p.id = m.project_id \
         WHERE m.account_id = $1 ORDER BY p.linkname",
    )
    .bind(user)
    .all(conn)
    .await
}

/// Returns the people that are an account's: id and address.
///
/// # Errors
/// When the database is away.
pub async fn people(conn: &mut Conn, user: UserId) -> Result<Vec<(PersonId, String)>> {
    sql("SELECT id, email FROM person WHERE account_id = $1 ORDER BY email LIMIT 500")
        .bind(user)
        .all(conn)
        .await
}

/// Gives a person to an account, or to none.
///
/// # Errors
/// When the database is away.
pub async fn link(tx: &mut Tx, person: PersonId, user: Option<UserId>) -> Result<()> {
    sql("UPDATE person SET account_id = $2 WHERE id = $1")
        .bind(person)
        .bind(user)
        .run(tx)
        .await?;
    Ok(())
}

/// Returns how many superusers may log in, but for one account. Nobody else changes that until the end.
///
/// # Errors
/// When the database is away.
pub async fn other_superusers(tx: &mut Tx, but: UserId) -> Result<i64> {
    let rows: Vec<(i64,)> = match tx.kind() {
        crate::store::Kind::Sqlite => sql(
            "SELECT id FROM account WHERE is_superuser = TRUE AND is_staff = TRUE AND is_active = TRUE AND id <> $1",
        ),
        crate::store::Kind::Postgres => sql(
            "SELECT id FROM account WHERE is_superuser = TRUE AND is_staff = TRUE AND is_active = TRUE AND id <> $1 \
             ORDER BY id FOR NO KEY UPDATE",
        ),
    }
    .bind(but)
    .all(tx)
    .await?;
    Ok(rows.len() as i64)
}

/// Says whether an account was registered and nobody has confirmed it yet.
///
/// # Errors
/// When the database is away.
pub async fn is_pending(conn: &mut Conn, user: UserId) -> Result<bool> {
    let row: Option<(bool,)> =
        sql("SELECT registration_pending FROM account WHERE id = $1 AND is_active = FALSE")
            .bind(user)
            .optional(conn)
            .await?;
    Ok(row.is_some_and(|(pending,)| pending))
}
