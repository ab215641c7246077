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

/// Of how many mails [`lengths`] tells what became of them: a monitor asks often, so not of all.
pub const RECENT_MAILS: i64 = 1000;

/// Returns the lengths of queues and what became of the last mails: a kind, a word, a number.
///
/// # Errors
/// When the database is away.
pub async fn lengths(conn: &mut Conn) -> Result<Vec<(String, String, i64)>> {
    sql("SELECT 'outbox', CASE WHEN failed THEN 'failed' ELSE 'waiting' END, count(*) FROM outbox GROUP BY 2 \
         UNION ALL SELECT 'quarantine', kind, count(*) FROM quarantine GROUP BY kind \
         UNION ALL SELECT 'job', status, count(*) FROM job WHERE status IN ('waiting', 'running', 'failed') GROUP BY status \
         UNION ALL SELECT 'mail', outcome, count(*) FROM \
         (SELECT outcome FROM mail ORDER BY id DESC LIMIT $1) m GROUP BY outcome")
    .bind(RECENT_MAILS)
    .all(conn)
    .await
}

/// Returns when what is run regularly was done last.
///
/// # Errors
/// When the database is away.
pub async fn pulses(conn: &mut Conn) -> Result<Vec<(String, crate::domain::Timestamp)>> {
    sql("SELECT name, date FROM pulse ORDER BY name")
        .all(conn)
        .await
}
