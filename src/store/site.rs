//! The row of the site: its domain and its name.

use super::{Conn, Result, Tx, sql};

/// Returns domain and name of the site.
///
/// # Errors
/// When the row is not there, or the database is away.
pub async fn read(conn: &mut Conn) -> Result<(String, String)> {
    sql("SELECT domain, name FROM site WHERE id = 1")
        .one(conn)
        .await
}

/// Sets domain and name of the site.
///
/// # Errors
/// When the database is away.
pub async fn write(tx: &mut Tx, domain: &str, name: &str) -> Result<()> {
    sql("UPDATE site SET domain = $1, name = $2 WHERE id = 1")
        .bind(domain)
        .bind(name)
        .run(tx)
        .await?;
    Ok(())
}
