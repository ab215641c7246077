//! Tokens of the API. Only their hashes come here.

use super::{Conn, Result, sql};
use crate::domain::{Timestamp, UserId};

/// A token to be kept.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    /// Whose it is.
    pub user: UserId,
    /// The SHA-256 of its digits.
    pub key_hash: &'a [u8],
    /// What its owner calls it.
    pub name: &'a str,
    /// What it may do: `read`, `checks` or `write`.
    pub scope: &'a str,
    /// When it is made.
    pub created: Timestamp,
    /// When it stops to work; never, if not given.
    pub expires: Option<Timestamp>,
}

/// Keeps a token.
///
/// # Errors
/// When the database is away.
pub async fn insert(conn: &mut Conn, token: &NewToken<'_>) -> Result<()> {
    sql(
        "INSERT INTO token (account_id, key_hash, name, scope, created, expires) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(token.user)
    .bind(token.key_hash)
    .bind(token.name)
    .bind(token.scope)
    .bind(token.created)
    .bind(token.expires)
    .run(conn)
    .await?;
    Ok(())
}
