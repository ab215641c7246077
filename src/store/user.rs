//! Users: login accounts, and which projects they maintain.

use super::{Conn, Result, Tx, sql};
use crate::domain::{PersonId, ProjectId, Timestamp, UserId, permission::Rights, user::User};

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    /// The login name.
    pub username: &'a str,
    /// The address; may be empty.
    pub email: &'a str,
    /// The first name; may be empty.
    pub first_name: &'a str,
    /// The last name; may be empty.
    pub last_name: &'a str,
    /// The password's hash, never the password.
    pub password: &'a str,
    /// Whether it may do everything in the admin console.
    pub is_superuser: bool,
    /// When it is made.
    pub date_joined: Timestamp,
    /// How many rows a list page shows.
    pub items_per_page: i64,
}

/// Makes an account.
///
/// # Errors
/// [`super::Error::is_duplicate`] when the login name is taken.
pub async fn insert(conn: &mut Conn, user: &NewUser<'_>) -> Result<UserId> {
    let (id,) = sql(
        "INSERT INTO account (username, email, first_name, last_name, password, is_staff, is_superuser, \
         date_joined, items_per_page) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8) RETURNING id",
    )
    .bind(user.username)
    .bind(user.email)
    .bind(user.first_name)
    .bind(user.last_name)
    .bind(user.password)
    .bind(user.is_superuser)
    .bind(user.date_joined)
    .bind(user.items_per_page)
    .one(conn)
    .await?;
    Ok(id)
}

/// Returns the account with this login name.
///
/// # Errors
/// When the database is away.
pub async fn by_username(conn: &mut Conn, username: &str) -> Result<Option<User>> {
    sql(
        "SELECT id, username, first_name, last_name, email, password, is_active, is_staff, is_superuser, \
         date_joined, items_per_page, show_ids, send_email FROM account WHERE username = $1",
    )
    .bind(username)
    .optional(conn)
    .await
}

/// Returns what a user is to projects and people.
///
/// # Errors
/// When the database is away.
pub async fn rights(conn: &mut Conn, user: UserId) -> Result<Rights> {
    let rows: Vec<(Option<ProjectId>, Option<PersonId>)> = sql(
        "SELECT project_id, CAST(NULL AS BIGINT) FROM maintainer WHERE account_id = $1 \
         UNION ALL SELECT NULL, id FROM person WHERE account_id = $1",
    )
    .bind(user)
    .all(conn)
    .await?;
    Ok(Rights {
        user,
        maintains: rows.iter().filter_map(|(project, _)| *project).collect(),
        people: rows.iter().filter_map(|(_, person)| *person).collect(),
    })
}

/// Gives the account the people seen with its address, as a confirmed mail would: their mails become its own.
///
/// # Errors
/// When the database is away.
pub async fn adopt_person(conn: &mut Conn, user: UserId, email: &str) -> Result<()> {
    sql("UPDATE person SET account_id = $1 WHERE lower(email) = lower($2) AND account_id IS NULL")
        .bind(user)
        .bind(email)
        .run(conn)
        .await?;
    Ok(())
}

/// Makes the account a maintainer of a project; being one already is fine.
///
/// # Errors
/// When the database is away.
pub async fn add_maintainer(conn: &mut Conn, user: UserId, project: ProjectId) -> Result<()> {
    sql("INSERT INTO maintainer (account_id, project_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(user)
        .bind(project)
        .run(conn)
        .await?;
    Ok(())
}

/// Gives the account another password, of which only the hash comes here, and logs all its browsers out.
///
/// # Errors
/// When the database is away.
pub async fn set_password(tx: &mut Tx, user: UserId, hash: &str) -> Result<()> {
    sql("UPDATE account SET password = $2 WHERE id = $1")
        .bind(user)
        .bind(hash)
        .run(tx)
        .await?;
    sql("DELETE FROM session WHERE account_id = $1")
        .bind(user)
        .run(tx)
        .await?;
    Ok(())
}
