//! Patches.

use super::{Conn, Result, sql};
use crate::domain::{
    DiffHash, MessageId, PatchBody, PatchId, PersonId, ProjectId, SeriesId, StateId, Timestamp,
    UserId, patch,
};

/// A patch about to be stored; its texts follow with [`insert_bodies`].
#[derive(Clone, Debug)]
pub struct NewPatch<'a> {
    /// The project of the list it came to.
    pub project: ProjectId,
    /// Who sent it.
    pub submitter: PersonId,
    /// Where it stands.
    pub state: StateId,
    /// Whose turn it is.
    pub delegate: Option<UserId>,
    /// The series it is part of, and its place there.
    pub place: Option<(SeriesId, i64)>,
    /// When it was written.
    pub date: Timestamp,
    /// The message id.
    pub msgid: &'a MessageId,
    /// The cleaned subject.
    pub name: &'a str,
    /// The hash of its diff.
    pub hash: Option<&'a DiffHash>,
    /// Where to pull it from.
    pub pull_url: Option<&'a str>,
}

/// Stores a patch and returns its id.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(conn: &mut Conn, new: &NewPatch<'_>) -> Result<PatchId> {
    let (series, number) = new.place.unzip();
    let (id,) = sql(
        "INSERT INTO patch (project_id, submitter_id, state_id, delegate_id, series_id, number, \
         date, msgid, name, name_key, hash, pull_url) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
    )
    .bind(new.project)
    .bind(new.submitter)
    .bind(new.state)
    .bind(new.delegate)
    .bind(series)
    .bind(number)
    .bind(new.date)
    .bind(new.msgid)
    .bind(new.name)
    .bind(patch::name_key(new.name))
    .bind(new.hash)
    .bind(new.pull_url)
    .one(conn)
    .await?;
    Ok(id)
}

/// Stores the texts of patches.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert_bodies(conn: &mut Conn, bodies: &[(PatchId, PatchBody)]) -> Result<()> {
    if bodies.is_empty() {
        return Ok(());
    }
    let mut statement =
        sql("INSERT INTO patch_body (patch_id, headers, content, diff) VALUES ").once();
    for (index, (id, body)) in bodies.iter().enumerate() {
        let row = vec![
            (*id).into(),
            (&body.headers).into(),
            body.content.as_deref().into(),
            body.diff.as_deref().into(),
        ];
        statement.row(index == 0, row);
    }
    statement.run(conn).await?;
    Ok(())
}

/// Returns the patch of a project with this message id.
///
/// # Errors
/// When the database is away or refuses.
pub async fn id_of(
    conn: &mut Conn,
    project: ProjectId,
    msgid: &MessageId,
) -> Result<Option<PatchId>> {
    let row: Option<(PatchId,)> = sql("SELECT id FROM patch WHERE msgid = $1 AND project_id = $2")
        .bind(msgid)
        .bind(project)
        .optional(conn)
        .await?;
    Ok(row.map(|(id,)| id))
}
