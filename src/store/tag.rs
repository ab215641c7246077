//! Tags, and how often each occurs on a patch.

use std::collections::BTreeMap;

use super::{Batch, Conn, Result, Tx, project, sql};
use crate::domain::{PatchId, ProjectId, Tag, TagId, tag::Counter};

/// How often each tag was found on each patch.
pub type Counts = BTreeMap<(PatchId, TagId), i64>;

/// Returns every tag.
///
/// # Errors
/// When the database is away or refuses.
pub async fn all(conn: &mut Conn) -> Result<Vec<Tag>> {
    sql("SELECT id, name, pattern, abbrev, show_column FROM tag ORDER BY abbrev")
        .all(conn)
        .await
}

/// Adds newly found tags to what is counted already.
pub fn add(batch: &mut Batch, counts: &Counts) {
    let rows = counts
        .iter()
        .map(|((patch, tag), count)| vec![(*patch).into(), (*tag).into(), (*count).into()]);
    batch.add(
        "patch_tag (patch_id, tag_id, count)",
        rows.collect(),
        "ON CONFLICT (patch_id, tag_id) DO UPDATE SET count = patch_tag.count + excluded.count",
    );
}

/// Counts the tags of patches anew, in their own texts and in those of their comments. In projects that do not
/// count tags the counts stay as they are.
///
/// # Errors
/// When the database is away or refuses.
pub async fn recount(tx: &mut Tx, counter: &Counter, patches: &[PatchId]) -> Result<()> {
    let counted = in_counting_projects(tx, patches).await?;
    if counted.is_empty() {
        return Ok(());
    }
    let mut counts = Counts::new();
    for (patch, text) in texts(tx, &counted).await? {
        for (tag, count) in counter.count(&text) {
            *counts.entry((patch, tag)).or_default() += count;
        }
    }
    let mut old = sql("DELETE FROM patch_tag WHERE patch_id IN ");
    old.list(counted);
    old.run(tx).await?;
    let mut batch = Batch::default();
    add(&mut batch, &counts);
    batch.write(tx).await
}

/// Returns those of these patches whose projects count tags. Until the transaction ends, no mail is added to
/// these projects: it would be counted twice, or not at all.
async fn in_counting_projects(tx: &mut Tx, patches: &[PatchId]) -> Result<Vec<PatchId>> {
    let mut query = sql(
        "SELECT p.id, p.project_id FROM patch p JOIN project pr ON pr.id = p.project_id \
          WHERE pr.use_tags AND p.id IN ",
    );
    query.list(patches.iter().copied());
    let rows: Vec<(PatchId, ProjectId)> = query.all(tx).await?;
    let mut projects: Vec<ProjectId> = rows.iter().map(|(_, project)| *project).collect();
    projects.sort_unstable();
    projects.dedup();
    for project in projects {
        project::lock(tx, project).await?;
    }
    Ok(rows.into_iter().map(|(patch, _)| patch).collect())
}

async fn texts(conn: &mut Conn, patches: &[PatchId]) -> Result<Vec<(PatchId, String)>> {
    let mut query =
        sql("SELECT patch_id, content FROM patch_body WHERE content IS NOT NULL AND patch_id IN ");
    query.list(patches.iter().copied());
    query.push(
        " UNION ALL SELECT patch_id, content FROM comment WHERE content IS NOT NULL AND patch_id IN ",
    );
    query.list(patches.iter().copied());
    query.all(conn).await
}

/// Adds a tag.
///
/// # Errors
/// When another one has its abbreviation, or the database is away.
pub async fn insert(tx: &mut Tx, tag: &Tag) -> Result<TagId> {
    let (id,) = sql(
        "INSERT INTO tag (name, pattern, abbrev, show_column) VALUES ($1, $2, $3, $4) RETURNING id",
    )
    .bind(tag.name.as_str())
    .bind(tag.pattern.as_str())
    .bind(tag.abbrev.as_str())
    .bind(tag.show_column)
    .one(tx)
    .await?;
    Ok(id)
}

/// Writes a tag.
///
/// # Errors
/// When another one has its abbreviation, or the database is away.
pub async fn update(tx: &mut Tx, tag: &Tag) -> Result<()> {
    sql("UPDATE tag SET name = $2, pattern = $3, abbrev = $4, show_column = $5 WHERE id = $1")
        .bind(tag.id)
        .bind(tag.name.as_str())
        .bind(tag.pattern.as_str())
        .bind(tag.abbrev.as_str())
        .bind(tag.show_column)
        .run(tx)
        .await?;
    Ok(())
}

/// Deletes a tag with its counts.
///
/// # Errors
/// When the database is away.
pub async fn delete(tx: &mut Tx, id: TagId) -> Result<()> {
    sql("DELETE FROM tag WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}
