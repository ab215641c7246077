//! Mails that replies refer to and nobody has seen yet.

use super::{Batch, Conn, Result, sql, value::Many};
use crate::domain::{MessageId, ProjectId};

/// A reply, by the digest of its bytes, waits for a mail of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The project of the reply.
    pub project: ProjectId,
    /// The mail it waits for.
    pub msgid: MessageId,
    /// Which reply.
    pub digest: Vec<u8>,
}

/// Records what replies wait for.
pub fn insert(batch: &mut Batch, waits: &[Wait]) {
    let row = |wait: &Wait| {
        vec![
            wait.project.into(),
            (&wait.msgid).into(),
            wait.digest.as_slice().into(),
        ]
    };
    batch.add(
        "awaited (project_id, msgid, digest)",
        waits.iter().map(row).collect(),
        "ON CONFLICT (project_id, msgid, digest) DO NOTHING",
    );
}

/// Returns the replies that wait for one of these mails, in the order in which they came.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_message_ids(
    conn: &mut Conn,
    project: ProjectId,
    msgids: &[MessageId],
) -> Result<Vec<(MessageId, Vec<u8>)>> {
    let kind = conn.kind();
    let mut q = sql("SELECT a.msgid, a.digest FROM awaited a \
         JOIN mail m ON m.digest = a.digest AND coalesce(m.project_id, 0) = a.project_id WHERE a.project_id = ");
    q.arg(project)
        .push(" AND a.msgid")
        .among(kind, msgids.iter().map(|id| id.as_str().to_owned()));
    q.push(" ORDER BY m.id");
    q.all(conn).await
}

/// Forgets what replies of a project wait for.
///
/// # Errors
/// When the database is away or refuses.
pub async fn delete(conn: &mut Conn, project: ProjectId, digests: Vec<Vec<u8>>) -> Result<()> {
    let digests = Many::Blobs(digests.into_iter().map(Some).collect());
    let mut q = sql("DELETE FROM awaited WHERE project_id = ");
    q.arg(project)
        .push(" AND digest")
        .among_many(conn.kind(), digests);
    q.run(conn).await?;
    Ok(())
}
