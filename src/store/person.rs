//! People.

use super::{
    Conn, Result, Tx,
    lookup::Most,
    rows, sql,
    value::Many,
    window::{self, Holds, Key, Part, Window},
};
use crate::domain::{Person, PersonId, ProjectId, UserId, person};

/// Somebody who was asked for by address.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Asked {
    /// The address as it was asked for.
    pub asked: String,
    /// Who it is.
    pub id: PersonId,
    /// The address as it was first seen.
    pub email: String,
    /// The name, if one is known.
    pub name: Option<String>,
}

/// Returns those who have one of these addresses, ignoring case, or had it before they were merged into another.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_emails(conn: &mut Conn, emails: Vec<String>) -> Result<Vec<Asked>> {
    let mut q = sql("SELECT asked.value AS asked, p.id, p.email, p.name FROM ");
    let emails = Many::texts(emails);
    q.table(conn.kind(), emails.clone()).push(
        " JOIN person p ON lower(p.email) = lower(asked.value) \
         UNION ALL SELECT asked.value AS asked, p.id, p.email, p.name FROM ",
    );
    q.table(conn.kind(), emails).push(
        " JOIN person_alias x ON x.email = lower(asked.value) JOIN person p ON p.id = x.person_id",
    );
    q.all(conn).await
}

/// Somebody about to be stored, under an id that was taken for them.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// Their id.
    pub id: PersonId,
    /// Their address.
    pub email: String,
    /// Their name, if one is known.
    pub name: Option<String>,
}

/// Stores people, but for those whose address another process has stored meanwhile. Returns how many were stored.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(conn: &mut Conn, mut people: Vec<NewPerson>) -> Result<u64> {
    // Two processes that store the same people wait for each other in the same order.
    people.sort_by_cached_key(|person| person.email.to_lowercase());
    let row = |new: NewPerson| {
        let key = person::key(new.name.as_deref(), &new.email);
        vec![new.id.into(), new.email.into(), new.name.into(), key.into()]
    };
    rows::insert(
        conn,
        "person (id, email, name, key)",
        people.into_iter().map(row).collect(),
        "ON CONFLICT (lower(email)) DO NOTHING",
    )
    .await
}

/// Gives somebody another name.
///
/// # Errors
/// When the database is away or refuses.
pub async fn rename(conn: &mut Conn, id: PersonId, name: &str, email: &str) -> Result<()> {
    sql("UPDATE person SET name = $1, key = $2 WHERE id = $3")
        .bind(name)
        .bind(person::key(Some(name), email))
        .bind(id)
        .run(conn)
        .await?;
    Ok(())
}

/// Returns the person with this id.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_id(conn: &mut Conn, id: PersonId) -> Result<Option<Person>> {
    sql("SELECT id, email, name, account_id FROM person WHERE id = $1")
        .bind(id)
        .optional(conn)
        .await
}

/// Returns the person with this address, ignoring case, or the one it was merged into.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_email(conn: &mut Conn, email: &str) -> Result<Option<Person>> {
    sql(
        "SELECT id, email, name, account_id FROM person WHERE lower(email) = lower($1) \
         OR id IN (SELECT person_id FROM person_alias WHERE email = $2) \
         ORDER BY CASE WHEN lower(email) = lower($1) THEN 0 ELSE 1 END, id LIMIT 1",
    )
    .bind(email)
    .bind(person::optout_key(email))
    .optional(conn)
    .await
}

/// Returns the people of an account, by id.
///
/// # Errors
/// When the database is away or refuses.
pub async fn of_user(conn: &mut Conn, user: UserId) -> Result<Vec<Person>> {
    sql("SELECT id, email, name, account_id FROM person WHERE account_id = $1 ORDER BY id")
        .bind(user)
        .all(conn)
        .await
}

/// Gives an account the person with this address; who was never seen is made, with a name. Says whether the person
/// is the account's now: one of another account stays there.
///
/// # Errors
/// When the database is away or refuses.
pub async fn link(tx: &mut Tx, user: UserId, email: &str, name: &str) -> Result<bool> {
    let Some(known) = by_email(tx, email).await? else {
        let insert = sql("INSERT INTO person (email, name, key, account_id) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (lower(email)) DO NOTHING")
        .bind(email)
        .bind(name)
        .bind(person::key(Some(name), email))
        .bind(user);
        // A mail may have brought the person this very moment.
        return match insert.run(tx).await? {
            0 => adopt(tx, user, email).await,
            _ => Ok(true),
        };
    };
    adopt(tx, user, &known.email).await
}

async fn adopt(tx: &mut Tx, user: UserId, email: &str) -> Result<bool> {
    let rows = sql("UPDATE person SET account_id = $1 \
         WHERE lower(email) = lower($2) AND (account_id IS NULL OR account_id = $1)")
    .bind(user)
    .bind(email)
    .run(tx)
    .await?;
    Ok(rows > 0)
}

/// Takes a person from an account, and says whether it was there.
///
/// # Errors
/// When the database is away or refuses.
pub async fn unlink(tx: &mut Tx, user: UserId, id: PersonId) -> Result<bool> {
    let rows = sql("UPDATE person SET account_id = NULL WHERE id = $1 AND account_id = $2")
        .bind(id)
        .bind(user)
        .run(tx)
        .await?;
    Ok(rows > 0)
}

/// Says whether anybody's name or address contains a text, ignoring case.
///
/// # Errors
/// When the database is away or refuses.
pub async fn any_matching(conn: &mut Conn, text: &str) -> Result<bool> {
    let found: Option<(PersonId,)> =
        sql("SELECT id FROM person WHERE key LIKE $1 ESCAPE '\\' LIMIT 1")
            .bind(super::containing(text))
            .optional(conn)
            .await?;
    Ok(found.is_some())
}

/// Returns people whose name or address contains a text, ignoring case, by name: those who sent patches to a project,
/// or any.
///
/// # Errors
/// When the database is away or refuses.
pub async fn suggested(
    conn: &mut Conn,
    text: &str,
    project: Option<ProjectId>,
    most: i64,
) -> Result<Vec<(PersonId, Option<String>, String)>> {
    let mut query = sql("SELECT p.id, p.name, p.email FROM person p WHERE p.key LIKE ");
    query.arg(super::containing(text)).push(" ESCAPE '\\'");
    if let Some(project) = project {
        query
            .push(" AND EXISTS (SELECT 1 FROM patch s WHERE s.submitter_id = p.id AND s.project_id = ")
            .arg(project)
            .push(")");
    }
    query.push(" ORDER BY p.key, p.id LIMIT ").arg(most);
    query.all(conn).await
}

/// Returns the person with this id, or this address, ignoring case. A number is only an id.
///
/// # Errors
/// When the database is away or refuses.
pub async fn named(conn: &mut Conn, text: &str) -> Result<Option<PersonId>> {
    let query = match text.parse::<i64>() {
        Ok(id) => sql("SELECT id FROM person WHERE id = $1").bind(id),
        Err(_) => sql("SELECT id FROM person WHERE lower(email) = lower($1)").bind(text),
    };
    let row: Option<(PersonId,)> = query.optional(conn).await?;
    Ok(row.map(|(id,)| id))
}

/// What lists of people may be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The id.
    Id,
    /// The name.
    Name,
    /// The address.
    Email,
}

impl By {
    fn key(self, descending: bool) -> Key {
        let (row, anchor, holds) = match self {
            By::Id => ("p.id", "(SELECT id FROM person WHERE id = ", Holds::Int),
            By::Name => (
                "coalesce(p.name, '')",
                "(SELECT coalesce(name, '') FROM person WHERE id = ",
                Holds::Text,
            ),
            By::Email => (
                "p.email",
                "(SELECT email FROM person WHERE id = ",
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

const PERSON: &str = "SELECT p.id, p.email, p.name, p.account_id";

/// Returns a window of the people who have all words in name or address.
///
/// # Errors
/// When the database is away or refuses.
pub async fn page(
    conn: &mut Conn,
    words: &[String],
    order: &[(By, bool)],
    window: Window,
) -> Result<Part<Person>> {
    let keys: Vec<Key> = order.iter().map(|(by, down)| by.key(*down)).collect();
    let mut query = sql(PERSON);
    window::place(&mut query, conn.kind(), "p.id", &keys);
    query.push(" FROM person p WHERE TRUE");
    window::words(&mut query, conn.kind(), &["p.key", "lower(p.email)"], words);
    window::apply(&mut query, "p.id", &keys, &window);
    window::read(conn, query, &window).await
}

/// Returns how many people have all words in name or address.
///
/// # Errors
/// When the database is away or refuses.
pub async fn count(conn: &mut Conn, words: &[String]) -> Result<i64> {
    let mut query = sql("SELECT count(*) FROM person p WHERE TRUE");
    window::words(&mut query, conn.kind(), &["p.key", "lower(p.email)"], words);
    let (count,) = query.one(conn).await?;
    Ok(count)
}

/// Returns the ids of people whose name or address contains a text, ignoring case, in their order.
///
/// # Errors
/// When the database is away or refuses.
pub async fn ids(conn: &mut Conn, search: &str, most: Most) -> Result<Vec<PersonId>> {
    let mut query = sql("SELECT id FROM person");
    if !search.is_empty() {
        query
            .push(" WHERE key LIKE ")
            .arg(super::containing(search));
        query.push(" ESCAPE '\\'");
    }
    most.push(&mut query, "id", "id DESC");
    let rows: Vec<(PersonId,)> = most.in_order(query.all(conn).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A person, and who that is here.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Known {
    /// The person.
    #[sqlx(flatten)]
    pub person: Person,
    /// The login name of the account it belongs to.
    pub username: Option<String>,
}

/// Returns those of these people who are there, in the order of their ids.
///
/// # Errors
/// When the database is away or refuses.
pub async fn known(conn: &mut Conn, ids: &[PersonId]) -> Result<Vec<Known>> {
    let mut query = sql("SELECT p.id, p.email, p.name, p.account_id, a.username
           FROM person p LEFT JOIN account a ON a.id = p.account_id WHERE p.id");
    query.among_ids(conn.kind(), ids.iter().map(|id| id.0));
    query.push(" ORDER BY p.id");
    query.all(conn).await
}
