//! What is kept under a message id, to compare it with what comes under the same id.

use super::{Conn, Result, sql};
use crate::domain::{MailId, MessageId, ProjectId};

/// How many mails of one id are compared; what comes after so many is kept without looking.
const MOST: i64 = 16;

/// Returns the mails that a project keeps under a message id, the oldest first.
///
/// # Errors
/// When the database is away or refuses.
pub async fn kept(conn: &mut Conn, project: ProjectId, msgid: &MessageId) -> Result<Vec<MailId>> {
    let rows: Vec<(MailId,)> = sql(
        "SELECT id FROM mail WHERE msgid = $1 AND coalesce(project_id, 0) = $2 ORDER BY id LIMIT $3",
    )
    .bind(msgid)
    .bind(project)
    .bind(MOST)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
