//! What a database does with much that is written at once, beside the one who writes it.

use super::{Conn, Kind, Result, sql};

/// Sorts words into the index. Nobody but its owner may have that done; otherwise who adds the next words has to, now and then.
const SORT_IN: &str = "SELECT gin_clean_pending_list(oid) FROM pg_class
  WHERE oid = 'search_words'::regclass AND pg_has_role(relowner, 'USAGE')";

/// Has a database put in its place what has been committed, before somebody who writes has to wait for that: SQLite copies from its log
/// into its file, PostgreSQL sorts new words into the index of texts.
///
/// # Errors
/// When the database is away.
pub async fn tend(conn: &mut Conn) -> Result<()> {
    match conn.kind() {
        Kind::Sqlite => {
            let _: (i64, i64, i64) = sql("PRAGMA wal_checkpoint(PASSIVE)").one(conn).await?;
        }
        Kind::Postgres => {
            let _: Option<(i64,)> = sql(SORT_IN).optional(conn).await?;
        }
    }
    Ok(())
}
