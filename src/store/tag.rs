//! Tags, and how often each occurs on a patch.

use std::collections::BTreeMap;

use super::{Conn, ROWS, Result, sql};
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
    let counts: Vec<_> = counts.iter().collect();
    for some in counts.chunks(ROWS) {
        let mut statement = sql("INSERT INTO patch_tag (patch_id, tag_id, count) VALUES ");
        for (index, ((patch, tag), count)) in some.iter().enumerate() {
            statement.row(
                index == 0,
                vec![(*patch).into(), (*tag).into(), (**count).into()],
            );
        }
        statement.push(" ON CONFLICT (patch_id, tag_id) DO UPDATE SET count = patch_tag.count + excluded.count");
        statement.run(conn).await?;
    }
    Ok(())
}
