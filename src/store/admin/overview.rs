//! What the first page of the console tells.

use sqlx::FromRow;

use crate::{
    domain::Timestamp,
    store::{Conn, Kind, Result, sql},
};

/// How a site is set up, and what goes on.
#[derive(Clone, Debug, FromRow)]
pub struct Overview {
    /// The domain of the site, if it has one.
    pub domain: Option<String>,
    /// How many projects there are.
    pub projects: i64,
    /// How many states new patches could get: one is right.
    pub initial_states: i64,
    /// How many superusers can log in.
    pub superusers: i64,
    /// How many of them can be reached by mail.
    pub reachable: i64,
    /// How many accounts there are.
    pub accounts: i64,
    /// How many people.
    pub people: i64,
    /// How many patches.
    pub patches: i64,
    /// How many series.
    pub series: i64,
    /// When the last mail came.
    pub last_mail: Option<Timestamp>,
    /// How many mails could not be taken in.
    pub quarantine: i64,
    /// How many mails wait to leave.
    pub outgoing: i64,
    /// How many could not leave.
    pub failed: i64,
    /// When `patchwork cron` was last run.
    pub last_cron: Option<Timestamp>,
    /// When the last backup was made.
    pub last_backup: Option<Timestamp>,
    /// How many jobs wait or run.
    pub jobs: i64,
    /// Since when the oldest mail that could leave waits.
    pub waits_since: Option<Timestamp>,
}

/// Returns how a site is set up.
///
/// # Errors
/// When the database is away.
pub async fn overview(conn: &mut Conn) -> Result<Overview> {
    sql("SELECT (SELECT domain FROM site WHERE id = 1) AS domain,
                (SELECT count(*) FROM project) AS projects,
                (SELECT count(*) FROM state WHERE ordering = 0) AS initial_states,
                (SELECT count(*) FROM account WHERE is_superuser AND is_active) AS superusers,
                (SELECT count(*) FROM account WHERE is_superuser AND is_active AND email <> '') AS reachable,
                (SELECT count(*) FROM account) AS accounts,
                (SELECT count(*) FROM (SELECT 1 AS one FROM person LIMIT 10001) some_people) AS people,
                (SELECT CAST(coalesce(sum(count), 0) AS BIGINT) FROM tally WHERE kind = 'patch') AS patches,
                (SELECT CAST(coalesce(sum(count), 0) AS BIGINT) FROM tally WHERE kind = 'series') AS series,
                (SELECT received FROM mail ORDER BY id DESC LIMIT 1) AS last_mail,
                (SELECT count(*) FROM quarantine) AS quarantine,
                (SELECT count(*) FROM outbox WHERE failed = FALSE) AS outgoing,
                (SELECT count(*) FROM outbox WHERE failed = TRUE) AS failed,
                (SELECT date FROM pulse WHERE name = 'cron') AS last_cron,
                (SELECT date FROM pulse WHERE name = 'backup') AS last_backup,
                (SELECT count(*) FROM job WHERE status IN ('waiting', 'running')) AS jobs,
                (SELECT min(created) FROM outbox WHERE failed = FALSE) AS waits_since")
    .one(conn)
    .await
}

/// Returns how many bytes the database takes.
///
/// # Errors
/// When the database is away.
pub async fn size(conn: &mut Conn) -> Result<i64> {
    let (size,) = match conn.kind() {
        Kind::Sqlite => {
            sql("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        }
        Kind::Postgres => sql("SELECT pg_database_size(current_database())"),
    }
    .one(conn)
    .await?;
    Ok(size)
}

/// Returns the message id of the newest patch of a project.
///
/// # Errors
/// When the database is away.
pub async fn newest_message(conn: &mut Conn, project: i64) -> Result<Option<String>> {
    let row: Option<(String,)> =
        sql("SELECT msgid FROM patch WHERE project_id = $1 ORDER BY date DESC, id DESC LIMIT 1")
            .bind(project)
            .optional(conn)
            .await?;
    Ok(row.map(|(msgid,)| msgid))
}
