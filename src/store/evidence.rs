//! What is kept under a message id, to compare it with what comes under the same id.

use super::{Conn, Result, mail::unpack, sql};
use crate::domain::{MessageId, ProjectId};

/// How many mails of one id are compared; who sends more under it has said enough.
const MOST: i64 = 16;

/// Returns the mails that a project keeps under a message id, the oldest first.
///
/// # Errors
/// When the database is away, or kept bytes are damaged.
pub async fn kept(
    conn: &mut Conn,
    project: Option<ProjectId>,
    msgid: &MessageId,
) -> Result<Vec<Vec<u8>>> {
    let rows: Vec<(Vec<u8>, i64)> = sql(
        "SELECT packed, size FROM mail WHERE msgid = $1 AND coalesce(project_id, 0) = $2 ORDER BY id LIMIT $3",
    )
    .bind(msgid)
    .bind(project.map_or(0, |id| id.0))
    .bind(MOST)
    .all(conn)
    .await?;
    rows.iter()
        .map(|(packed, size)| unpack(packed, *size))
        .collect()
}
