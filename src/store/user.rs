//! Users: login accounts, and which projects they maintain.

use super::{
    Conn, Result, Tx, sql,
    window::{self, Holds, Key, Part, Window},
};
use crate::domain::{
    PersonId, ProjectId, Timestamp, UserId, confirmation, permission::Rights, user::User,
};

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

/// The columns of an account `a`.
macro_rules! account {
    () => {
        "SELECT a.id, a.username, a.first_name, a.last_name, a.email, a.password, a.is_active, a.is_staff, \
         a.is_superuser, a.date_joined, a.items_per_page, a.show_ids, a.send_email, \
         a.has_second_factor, a.theme, a.diff_view, a.list_filters, a.time_zone, a.single_keys"
    };
}
pub(super) use account;

const ACCOUNT: &str = concat!(account!(), " FROM account a ");

/// Returns the account with this login name.
///
/// # Errors
/// When the database is away.
pub async fn by_username(conn: &mut Conn, username: &str) -> Result<Option<User>> {
    let mut query = sql(ACCOUNT);
    query.push("WHERE a.username = ").arg(username);
    query.optional(conn).await
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
    // Whoever gave the old one, with or without the code after it, has to give the new one.
    for statement in [
        "DELETE FROM session WHERE account_id = $1",
        "DELETE FROM pending_login WHERE account_id = $1",
    ] {
        sql(statement).bind(user).run(tx).await?;
    }
    super::confirmation::forget(tx, user, confirmation::Kind::Reset).await
}

/// Writes a password in another form; the password is the same, so nobody is logged out.
///
/// # Errors
/// When the database is away.
pub async fn rewrite_password(tx: &mut Tx, user: UserId, hash: &str) -> Result<()> {
    sql("UPDATE account SET password = $2 WHERE id = $1")
        .bind(user)
        .bind(hash)
        .run(tx)
        .await?;
    Ok(())
}

/// Writes down that somebody logged in: who can do that needs no mail about a new password any more.
///
/// # Errors
/// When the database is away.
pub async fn logged_in(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<()> {
    sql("UPDATE account SET last_login = $2 WHERE id = $1")
        .bind(user)
        .bind(now)
        .run(tx)
        .await?;
    super::confirmation::forget(tx, user, confirmation::Kind::Reset).await
}

/// Returns the accounts with this address, ignoring case.
///
/// # Errors
/// When the database is away.
pub async fn by_email(conn: &mut Conn, email: &str) -> Result<Vec<User>> {
    let mut query = sql(ACCOUNT);
    query.push("WHERE lower(a.email) = lower(").arg(email);
    query.push(") ORDER BY a.id");
    query.all(conn).await
}

/// Makes an account that cannot be entered before its address is confirmed.
///
/// # Errors
/// [`super::Error::is_duplicate`] when the login name is taken.
pub async fn register(tx: &mut Tx, user: &NewUser<'_>) -> Result<UserId> {
    let id = insert(tx, user).await?;
    sql("UPDATE account SET is_active = FALSE, registration_pending = TRUE WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(id)
}

/// Takes back a registration with this name and address that nobody has confirmed: whoever registers once more, perhaps
/// because the mail was lost, is not to be told that the name is taken.
///
/// # Errors
/// When the database is away or refuses.
pub async fn withdraw(tx: &mut Tx, username: &str, email: &str) -> Result<()> {
    sql(
        "DELETE FROM account WHERE lower(username) = lower($1) AND lower(email) = lower($2) \
         AND registration_pending AND NOT is_active AND last_login IS NULL \
         AND NOT EXISTS (SELECT 1 FROM patch_check k WHERE k.account_id = account.id)",
    )
    .bind(username)
    .bind(email)
    .run(tx)
    .await?;
    Ok(())
}

/// Lets an account in that was registered, and says whether it was waiting for that.
///
/// # Errors
/// When the database is away or refuses.
pub async fn activate(tx: &mut Tx, user: UserId) -> Result<bool> {
    let rows = sql(
        "UPDATE account SET is_active = TRUE, registration_pending = FALSE \
         WHERE id = $1 AND registration_pending",
    )
    .bind(user)
    .run(tx)
    .await?;
    Ok(rows > 0)
}

/// Says whether somebody has this login name, ignoring case.
///
/// # Errors
/// When the database is away.
pub async fn is_taken(conn: &mut Conn, username: &str) -> Result<bool> {
    let found: Option<(UserId,)> =
        sql("SELECT id FROM account WHERE lower(username) = lower($1) LIMIT 1")
            .bind(username)
            .optional(conn)
            .await?;
    Ok(found.is_some())
}

/// Returns the account that an address belongs to, ignoring case: as its own, or as one of its other addresses. A
/// registration that nobody has confirmed has no address yet.
///
/// # Errors
/// When the database is away.
pub async fn holder(conn: &mut Conn, email: &str) -> Result<Option<User>> {
    let mut query = sql(ACCOUNT);
    query
        .push("WHERE a.registration_pending = FALSE AND (lower(a.email) = lower(")
        .arg(email)
        .push(") OR a.id IN (SELECT account_id FROM person WHERE lower(email) = lower(")
        .arg(email)
        .push("))) ORDER BY a.id LIMIT 1");
    query.optional(conn).await
}

/// Returns the account with this id, or this login name, ignoring case. A number is only an id.
///
/// # Errors
/// When the database is away.
pub async fn named(conn: &mut Conn, text: &str) -> Result<Option<UserId>> {
    let query = match text.parse::<i64>() {
        Ok(id) => sql("SELECT id FROM account WHERE id = $1").bind(id),
        Err(_) => {
            sql("SELECT id FROM account WHERE lower(username) = lower($1) ORDER BY id LIMIT 1")
                .bind(text)
        }
    };
    let row: Option<(UserId,)> = query.optional(conn).await?;
    Ok(row.map(|(id,)| id))
}

/// Returns the account with this id.
///
/// # Errors
/// When the database is away.
pub async fn by_id(conn: &mut Conn, id: UserId) -> Result<Option<User>> {
    let mut query = sql(ACCOUNT);
    query.push("WHERE a.id = ").arg(id);
    query.optional(conn).await
}

/// Returns these accounts, in no order.
///
/// # Errors
/// When the database is away.
pub async fn by_ids(conn: &mut Conn, ids: &[UserId]) -> Result<Vec<User>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let mut query = sql(ACCOUNT);
    query.push("WHERE a.id");
    query.among_ids(kind, ids.iter().map(|id| id.0));
    query.all(conn).await
}

/// Returns the maintainers of these projects, by project and id.
///
/// # Errors
/// When the database is away.
pub async fn maintainers(
    conn: &mut Conn,
    projects: &[ProjectId],
) -> Result<Vec<(ProjectId, UserId)>> {
    if projects.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let mut query = sql("SELECT project_id, account_id FROM maintainer WHERE project_id");
    query.among_ids(kind, projects.iter().map(|id| id.0));
    query.push(" ORDER BY project_id, account_id");
    query.all(conn).await
}

/// Returns active accounts of whose names one contains a text, ignoring case, by login name: maintainers of a project,
/// of any, or everybody.
///
/// # Errors
/// When the database is away or refuses.
pub async fn suggested(
    conn: &mut Conn,
    text: &str,
    project: Option<ProjectId>,
    only_maintainers: bool,
    most: i64,
) -> Result<Vec<(UserId, String)>> {
    let pattern = super::containing(text);
    let mut query = sql("SELECT a.id, a.username FROM account a WHERE a.is_active = TRUE AND (");
    let mut separator = "";
    for column in [
        "lower(a.username)",
        "lower(a.first_name)",
        "lower(a.last_name)",
    ] {
        query.push(separator).push(column).push(" LIKE ");
        query.arg(pattern.clone()).push(" ESCAPE '\\'");
        separator = " OR ";
    }
    query.push(")");
    if only_maintainers || project.is_some() {
        query.push(" AND EXISTS (SELECT 1 FROM maintainer m WHERE m.account_id = a.id");
        if let Some(project) = project {
            query.push(" AND m.project_id = ").arg(project);
        }
        query.push(")");
    }
    query.push(" ORDER BY a.username, a.id LIMIT ").arg(most);
    query.all(conn).await
}

/// What lists of accounts may be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The id.
    Id,
    /// The login name.
    Username,
    /// The address.
    Email,
}

impl By {
    fn key(self, descending: bool) -> Key {
        let (row, anchor, holds) = match self {
            By::Id => ("a.id", "(SELECT id FROM account WHERE id = ", Holds::Int),
            By::Username => (
                "a.username",
                "(SELECT username FROM account WHERE id = ",
                Holds::Text,
            ),
            By::Email => (
                "a.email",
                "(SELECT email FROM account WHERE id = ",
                Holds::Text,
            ),
        };
        Key {
            row,
            anchor,
            holds,
            descending,
        }
    }
}

const TEXTS: [&str; 4] = [
    "lower(a.username)",
    "lower(a.first_name)",
    "lower(a.last_name)",
    "lower(a.email)",
];

/// Returns a window of the accounts that have all words somewhere in their names and address.
///
/// # Errors
/// When the database is away or refuses.
pub async fn page(
    conn: &mut Conn,
    words: &[String],
    order: &[(By, bool)],
    window: Window,
) -> Result<Part<User>> {
    let keys: Vec<Key> = order.iter().map(|(by, down)| by.key(*down)).collect();
    let mut query = sql(account!());
    window::place(&mut query, conn.kind(), "a.id", &keys);
    query.push(" FROM account a WHERE TRUE");
    window::words(&mut query, conn.kind(), &TEXTS, words);
    window::apply(&mut query, "a.id", &keys, &window);
    window::read(conn, query, &window).await
}

/// Returns how many accounts have all words somewhere in their names and address.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count(conn: &mut Conn, words: &[String]) -> Result<i64> {
    let mut query = sql("SELECT count(*) FROM account a WHERE TRUE");
    window::words(&mut query, conn.kind(), &TEXTS, words);
    let (count,) = query.one(conn).await?;
    Ok(count)
}

/// Writes what users may change of their account.
///
/// # Errors
/// When a value is too long, or the database is away.
pub async fn update(tx: &mut Tx, user: &User) -> Result<()> {
    sql(
        "UPDATE account SET first_name = $2, last_name = $3, send_email = $4, items_per_page = $5, show_ids = $6, \
         theme = $7, diff_view = $8, list_filters = $9, time_zone = $10, single_keys = $11 WHERE id = $1",
    )
    .bind(user.id)
    .bind(&user.first_name)
    .bind(&user.last_name)
    .bind(user.send_email)
    .bind(user.items_per_page)
    .bind(user.show_ids)
    .bind(&user.display.theme)
    .bind(&user.display.diff_view)
    .bind(&user.display.list_filters)
    .bind(&user.display.time_zone)
    .bind(user.display.single_keys)
    .run(tx)
    .await?;
    Ok(())
}

/// Returns all accounts, by login name.
///
/// # Errors
/// When the database is away.
pub async fn everybody(conn: &mut Conn) -> Result<Vec<User>> {
    let mut query = sql(ACCOUNT);
    query.push("ORDER BY a.username");
    query.all(conn).await
}

/// Writes what administrators may change of an account.
///
/// # Errors
/// When a value is too long, or the database is away.
pub async fn replace(tx: &mut Tx, user: &User) -> Result<()> {
    sql(
        "UPDATE account SET email = $2, first_name = $3, last_name = $4, is_active = $5, is_staff = $6, \
         is_superuser = $7 WHERE id = $1",
    )
    .bind(user.id)
    .bind(&user.email)
    .bind(&user.first_name)
    .bind(&user.last_name)
    .bind(user.is_active)
    .bind(user.is_staff)
    .bind(user.is_superuser)
    .run(tx)
    .await?;
    Ok(())
}

/// Gives the account another address. Links for a new password that were mailed to the old one stop to work.
///
/// # Errors
/// When the database is away or refuses.
pub async fn set_email(tx: &mut Tx, user: UserId, email: &str) -> Result<()> {
    sql("UPDATE account SET email = $2 WHERE id = $1")
        .bind(user)
        .bind(email)
        .run(tx)
        .await?;
    super::confirmation::forget(tx, user, confirmation::Kind::Reset).await
}
