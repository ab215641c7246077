//! What of a patch comes from its mail word by word: read again, it may be written again.

use sqlx::FromRow;

use crate::{
    domain::{PatchId, ProjectId, patch::name_key},
    store::{Conn, Result, Tx, search, sql},
};

/// The texts of a patch that its mail decides alone.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Texts {
    /// Its name.
    pub name: String,
    /// The headers of its mail.
    pub headers: String,
    /// What it says.
    pub content: Option<String>,
    /// Its diff.
    pub diff: Option<String>,
    /// Where to pull it from.
    pub pull_url: Option<String>,
    /// The hash of its diff.
    pub hash: Option<String>,
}

/// Returns the texts of a patch as stored, and its project.
///
/// # Errors
/// When the database is away.
pub async fn texts(conn: &mut Conn, id: PatchId) -> Result<Option<(Texts, ProjectId)>> {
    let texts: Option<Texts> = sql(
        "SELECT p.name, coalesce(b.headers, '') AS headers, b.content, b.diff, p.pull_url, p.hash
           FROM patch p LEFT JOIN patch_body b ON b.patch_id = p.id WHERE p.id = $1",
    )
    .bind(id)
    .optional(conn)
    .await?;
    let Some(texts) = texts else {
        return Ok(None);
    };
    let (project,) = sql("SELECT project_id FROM patch WHERE id = $1")
        .bind(id)
        .one(conn)
        .await?;
    Ok(Some((texts, project)))
}

/// Writes the texts of a patch.
///
/// # Errors
/// When the database is away or refuses.
pub async fn write(tx: &mut Tx, id: PatchId, texts: &Texts) -> Result<()> {
    sql("UPDATE patch SET name = $2, name_key = $3, pull_url = $4, hash = $5 WHERE id = $1")
        .bind(id)
        .bind(texts.name.as_str())
        .bind(name_key(&texts.name))
        .bind(texts.pull_url.clone())
        .bind(texts.hash.clone())
        .run(tx)
        .await?;
    sql("UPDATE patch_body SET headers = $2, content = $3, diff = $4 WHERE patch_id = $1")
        .bind(id)
        .bind(texts.headers.as_str())
        .bind(texts.content.clone())
        .bind(texts.diff.clone())
        .run(tx)
        .await?;
    search::settle(tx).await?;
    Ok(())
}
