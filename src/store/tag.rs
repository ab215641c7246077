//! Tags, and how often each occurs on a patch.

use std::collections::BTreeMap;

use super::{Conn, Result, rows, sql};
use crate::domain::{PatchId, Tag, TagId};

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
///
/// # Errors
/// When the database is away or refuses.
pub async fn add(conn: &mut Conn, counts: &Counts) -> Result<()> {
    let rows = counts
        .iter()
        .map(|((patch, tag), count)| vec![(*patch).into(), (*tag).into(), (*count).into()]);
    rows::insert(
        conn,
        "patch_tag (patch_id, tag_id, count)",
        rows.collect(),
        "ON CONFLICT (patch_id, tag_id) DO UPDATE SET count = patch_tag.count + excluded.count",
    )
    .await?;
    Ok(())
}
