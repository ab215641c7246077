//! People.

use super::{Conn, Result, sql};
use crate::domain::{Person, PersonId, person};

/// Returns the person with this address, ignoring case.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_email(conn: &mut Conn, email: &str) -> Result<Option<Person>> {
    sql("SELECT id, email, name, account_id FROM person WHERE lower(email) = lower($1)")
        .bind(email)
        .optional(conn)
        .await
}

/// Returns the person with this address: the one known, else a new one. A name that differs from the
/// stored one replaces it; an empty or missing one never does (`mail.md §5`).
///
/// # Errors
/// When the database is away or refuses.
pub async fn find_or_insert(conn: &mut Conn, name: Option<&str>, email: &str) -> Result<PersonId> {
    let known = match by_email(conn, email).await? {
        Some(known) => known,
        None => match insert(conn, name, email).await? {
            Some(id) => return Ok(id),
            // Another process was faster; its row is visible now.
            None => by_email(conn, email)
                .await?
                .ok_or(sqlx::Error::RowNotFound)?,
        },
    };
    if let Some(name) = name.filter(|name| !name.is_empty() && known.name.as_deref() != Some(name))
    {
        rename(conn, known.id, name, &known.email).await?;
    }
    Ok(known.id)
}

async fn insert(conn: &mut Conn, name: Option<&str>, email: &str) -> Result<Option<PersonId>> {
    let row: Option<(PersonId,)> =
        sql("INSERT INTO person (email, name, key) VALUES ($1, $2, $3) \
         ON CONFLICT (lower(email)) DO NOTHING RETURNING id")
        .bind(email)
        .bind(name)
        .bind(person::key(name, email))
        .optional(conn)
        .await?;
    Ok(row.map(|(id,)| id))
}

async fn rename(conn: &mut Conn, id: PersonId, name: &str, email: &str) -> Result<()> {
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
