//! How far sources of mails that grow were read.

use super::{Conn, Result, Tx, sql};
use crate::domain::Timestamp;

/// Returns where the reading of a source goes on: what that says is the source's own business.
///
/// # Errors
/// When the database is away.
pub async fn position(conn: &mut Conn, name: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = sql("SELECT position FROM mail_source WHERE name = $1")
        .bind(name)
        .optional(conn)
        .await?;
    Ok(row.map(|(position,)| position))
}

/// Remembers how far a source was read.
///
/// # Errors
/// When the database is away or refuses.
pub async fn remember(tx: &mut Tx, name: &str, position: &str, now: Timestamp) -> Result<()> {
    sql(
        "INSERT INTO mail_source (name, position, date) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET position = excluded.position, date = excluded.date",
    )
    .bind(name)
    .bind(position)
    .bind(now)
    .run(tx)
    .await?;
    Ok(())
}
