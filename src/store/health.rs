//! What `patchwork check` looks at that no other room asks for.

use super::{Conn, Kind, Result, sql};

/// Returns every regular expression that somebody typed, each after what it belongs to: `tag Acked-by`.
///
/// # Errors
/// When the database is away.
pub async fn patterns(conn: &mut Conn) -> Result<Vec<(String, String)>> {
    sql(
        "SELECT 'tag ' || name, pattern FROM tag UNION ALL \
         SELECT 'project ' || linkname, subject_match FROM project WHERE subject_match <> '' ORDER BY 1",
    )
    .all(conn)
    .await
}

/// Returns the site's domain, if its row is there.
///
/// # Errors
/// When the database is away.
pub async fn site_domain(conn: &mut Conn) -> Result<Option<String>> {
    let row: Option<(String,)> = sql("SELECT domain FROM site WHERE id = 1")
        .optional(conn)
        .await?;
    Ok(row.map(|(domain,)| domain))
}

/// Returns the encoding the database keeps text in.
///
/// # Errors
/// When the database is away.
pub async fn encoding(conn: &mut Conn) -> Result<String> {
    let (encoding,): (String,) = match conn.kind() {
        Kind::Sqlite => sql("SELECT encoding FROM pragma_encoding"),
        Kind::Postgres => sql("SELECT current_setting('server_encoding')"),
    }
    .one(conn)
    .await?;
    Ok(encoding)
}
