//! First data: states, tags and projects with ids of their own, put beside or over what is there.

use super::{Batch, Conn, Kind, Result, project::values, sql, tally::What};
use crate::domain::{
    CheckId, MessageId, PatchId, Project, ProjectId, State, Tag, Timestamp, UserId,
    check::CheckState, event::Category,
};

/// How long CI takes in the sample.
const MINUTES_OF_A_RUN: i64 = 25;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Added,
    /// It was there and is as the fixture says now.
    Replaced,
    /// Its id or its name was there; it stayed as it was.
    Kept,
}

/// Puts a state; one that is there stays, unless `force`.
///
/// # Errors
/// When the database is away, or the name belongs to another id and `force` is given.
pub async fn state(conn: &mut Conn, state: &State, force: bool) -> Result<Outcome> {
    let added = sql(
        "INSERT INTO state (id, name, slug, ordering, action_required) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT DO NOTHING",
    )
    .bind(state.id)
    .bind(&state.name)
    .bind(&state.slug)
    .bind(state.ordering)
    .bind(state.action_required)
    .run(conn)
    .await?;
    if added > 0 || !force {
        return Ok(added_or_kept(added));
    }
    let replaced = sql(
        "UPDATE state SET name = $2, slug = $3, ordering = $4, action_required = $5 WHERE id = $1",
    )
    .bind(state.id)
    .bind(&state.name)
    .bind(&state.slug)
    .bind(state.ordering)
    .bind(state.action_required)
    .run(conn)
    .await?;
    Ok(replaced_or_kept(replaced))
}

/// Puts a tag; one that is there stays, unless `force`.
///
/// # Errors
/// When the database is away, or the abbreviation belongs to another id and `force` is given.
pub async fn tag(conn: &mut Conn, tag: &Tag, force: bool) -> Result<Outcome> {
    let added = sql(
        "INSERT INTO tag (id, name, pattern, abbrev, show_column) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT DO NOTHING",
    )
    .bind(tag.id)
    .bind(&tag.name)
    .bind(&tag.pattern)
    .bind(&tag.abbrev)
    .bind(tag.show_column)
    .run(conn)
    .await?;
    if added > 0 || !force {
        return Ok(added_or_kept(added));
    }
    let replaced =
        sql("UPDATE tag SET name = $2, pattern = $3, abbrev = $4, show_column = $5 WHERE id = $1")
            .bind(tag.id)
            .bind(&tag.name)
            .bind(&tag.pattern)
            .bind(&tag.abbrev)
            .bind(tag.show_column)
            .run(conn)
            .await?;
    Ok(replaced_or_kept(replaced))
}

/// Puts a project by its linkname; one that is there stays, unless `force`. Its id is the database's to choose.
///
/// # Errors
/// When the database is away, or name or list belong to another project and `force` is given.
pub async fn project(conn: &mut Conn, project: &Project, force: bool) -> Result<Outcome> {
    let added = sql(
        "INSERT INTO project (linkname, name, list_id, list_email, subject_match, web_url, scm_url, webscm_url, \
         list_archive_url, list_archive_url_format, commit_url_format, send_notifications, show_dependencies, \
         use_tags, supersede) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING",
    );
    let added = values(added, project).run(conn).await?;
    if added > 0 || !force {
        return Ok(added_or_kept(added));
    }
    let replaced = sql(
        "UPDATE project SET name = $2, list_id = $3, list_email = $4, subject_match = $5, web_url = $6, \
         scm_url = $7, webscm_url = $8, list_archive_url = $9, list_archive_url_format = $10, \
         commit_url_format = $11, send_notifications = $12, show_dependencies = $13, use_tags = $14, supersede = $15 \
         WHERE linkname = $1",
    );
    let replaced = values(replaced, project).run(conn).await?;
    Ok(replaced_or_kept(replaced))
}

/// Lets the ids that PostgreSQL hands out go on after those that were given; SQLite does so by itself.
///
/// # Errors
/// When the database is away.
pub async fn move_sequences(conn: &mut Conn) -> Result<()> {
    if conn.kind() == Kind::Postgres {
        for text in [
            "SELECT setval(pg_get_serial_sequence('state', 'id'), greatest(max(id), 1)) FROM state",
            "SELECT setval(pg_get_serial_sequence('tag', 'id'), greatest(max(id), 1)) FROM tag",
        ] {
            sql(text).run(conn).await?;
        }
    }
    Ok(())
}

fn added_or_kept(rows: u64) -> Outcome {
    if rows > 0 {
        Outcome::Added
    } else {
        Outcome::Kept
    }
}

fn replaced_or_kept(rows: u64) -> Outcome {
    if rows > 0 {
        Outcome::Replaced
    } else {
        Outcome::Kept
    }
}

/// A check of the sample.
#[derive(Clone, Debug)]
pub struct SampleCheck<'a> {
    /// The message id of the patch.
    pub msgid: &'a MessageId,
    /// What was found.
    pub state: CheckState,
    /// What was checked.
    pub context: &'a str,
    /// Where to read more.
    pub target_url: &'a str,
    /// In a few words.
    pub description: &'a str,
}

/// Puts a check and its event, dated soon after the patch. One of the same user and context stays.
///
/// # Errors
/// When the database is away.
pub async fn check(
    conn: &mut Conn,
    project: ProjectId,
    user: UserId,
    check: &SampleCheck<'_>,
) -> Result<Outcome> {
    let patch: Option<(PatchId, Timestamp)> =
        sql("SELECT id, date FROM patch WHERE project_id = $1 AND msgid = $2")
            .bind(project)
            .bind(check.msgid)
            .optional(conn)
            .await?;
    let Some((patch, written)) = patch else {
        return Ok(Outcome::Kept);
    };
    let date = written.plus_minutes(MINUTES_OF_A_RUN);
    let added: Option<(CheckId,)> = sql(
        "INSERT INTO patch_check (patch_id, account_id, date, state, context, target_url, description) \
         SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS \
         (SELECT 1 FROM patch_check WHERE patch_id = $1 AND account_id = $2 AND context = $5) RETURNING id",
    )
    .bind(patch)
    .bind(user)
    .bind(date)
    .bind(check.state as i64)
    .bind(check.context)
    .bind(check.target_url)
    .bind(check.description)
    .optional(conn)
    .await?;
    let Some((id,)) = added else {
        return Ok(Outcome::Kept);
    };
    sql(
        "INSERT INTO event (category, project_id, date, actor_id, patch_id, check_id) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(Category::CheckCreated.word())
    .bind(project)
    .bind(date)
    .bind(user)
    .bind(patch)
    .bind(id)
    .run(conn)
    .await?;
    let mut batch = Batch::default();
    batch.count(What::event(project, Category::CheckCreated.word()), 1);
    batch.write(conn).await?;
    Ok(Outcome::Added)
}
