//! Patches.

use super::{Conn, ROWS, Result, sql};
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
    for some in bodies.chunks(ROWS) {
        let mut statement =
            sql("INSERT INTO patch_body (patch_id, headers, content, diff) VALUES ");
        for (index, (id, body)) in some.iter().enumerate() {
            let (content, diff) = (body.content.as_deref(), body.diff.as_deref());
            statement.row(
                index == 0,
                vec![
                    (*id).into(),
                    (&body.headers).into(),
                    content.into(),
                    diff.into(),
                ],
            );
        }
        statement.run(conn).await?;
    }
    Ok(())
}
