//! Addresses that want no mail from us.

use super::{Conn, Result, sql};
use crate::domain::person::optout_key;

/// Adds an address; one that is there stays.
///
/// # Errors
/// When the database is away, or the address has more than 200 characters.
pub async fn insert(conn: &mut Conn, email: &str) -> Result<()> {
    sql("INSERT INTO email_optout (email) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(optout_key(email))
        .run(conn)
        .await?;
    Ok(())
}

/// Removes an address and says whether it was there.
///
/// # Errors
/// When the database is away or refuses.
pub async fn delete(conn: &mut Conn, email: &str) -> Result<bool> {
    let rows = sql("DELETE FROM email_optout WHERE email = $1")
        .bind(optout_key(email))
        .run(conn)
        .await?;
    Ok(rows > 0)
}

/// Says whether an address wants no mail.
///
/// # Errors
/// When the database is away or refuses.
pub async fn contains(conn: &mut Conn, email: &str) -> Result<bool> {
    let found: Option<(String,)> = sql("SELECT email FROM email_optout WHERE email = $1")
        .bind(optout_key(email))
        .optional(conn)
        .await?;
    Ok(found.is_some())
}

/// Returns those of these addresses that want no mail, as the list spells them.
///
/// # Errors
/// When the database is away or refuses.
pub async fn among(conn: &mut Conn, emails: &[&str]) -> Result<Vec<String>> {
    let mut query = sql("SELECT email FROM email_optout WHERE email");
    query.among(conn.kind(), emails.iter().map(|email| optout_key(email)));
    let rows: Vec<(String,)> = query.all(conn).await?;
    Ok(rows.into_iter().map(|(email,)| email).collect())
}
