//! People.

use super::{Conn, Result, rows, sql, value::Many};
use crate::domain::{Person, PersonId, person};

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

/// Returns those who have one of these addresses, ignoring case.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_emails(conn: &mut Conn, emails: Vec<String>) -> Result<Vec<Asked>> {
    let mut q = sql("SELECT asked.value AS asked, p.id, p.email, p.name FROM ");
    q.table(conn.kind(), Many::texts(emails))
        .push(" JOIN person p ON lower(p.email) = lower(asked.value)");
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
