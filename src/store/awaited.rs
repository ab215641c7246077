//! Mails that replies refer to and nobody has seen yet.

use std::collections::BTreeMap;

use super::{Batch, Conn, Result, series::Unmet, sql, value::Many};
use crate::domain::{MessageId, ProjectId, SeriesId};

/// Records for which mails replies, by the digests of their bytes, wait.
pub fn insert(batch: &mut Batch, waits: &BTreeMap<(ProjectId, Vec<u8>), Vec<MessageId>>) {
    let rows = waits.iter().flat_map(|((project, digest), msgids)| {
        msgids
            .iter()
            .map(move |msgid| vec![(*project).into(), msgid.into(), digest.as_slice().into()])
    });
    batch.add(
        "awaited (project_id, msgid, digest)",
        rows.collect(),
        "ON CONFLICT (project_id, msgid, digest) DO NOTHING",
    );
}

/// Who has been waiting for mails.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// Replies, by digest, after the mail they wait for, in the order in which they came.
    pub replies: Vec<(MessageId, Vec<u8>)>,
    /// Series that need the mail.
    pub series: Vec<Unmet>,
}

#[derive(sqlx::FromRow)]
struct Row {
    msgid: MessageId,
    digest: Option<Vec<u8>>,
    series_id: Option<SeriesId>,
    place: i64,
}

/// Returns who waits for one of these mails.
///
/// # Errors
/// When the database is away or refuses.
pub async fn by_message_ids(
    conn: &mut Conn,
    project: ProjectId,
    msgids: &[MessageId],
) -> Result<Waiting> {
    let kind = conn.kind();
    let ids = || msgids.iter().map(|id| id.as_str().to_owned());
    let mut q = sql(
        "SELECT a.msgid, a.digest, CAST(NULL AS BIGINT) AS series_id, m.id AS place FROM awaited a \
         JOIN mail m ON m.digest = a.digest AND coalesce(m.project_id, 0) = a.project_id WHERE a.project_id = ",
    );
    q.arg(project).push(" AND a.msgid").among(kind, ids());
    q.push(" UNION ALL SELECT msgid, NULL, series_id, position FROM unmet_dependency WHERE project_id = ");
    q.arg(project).push(" AND msgid").among(kind, ids());
    q.push(" ORDER BY place");
    let mut waiting = Waiting::default();
    for row in q.all::<Row>(conn).await? {
        match (row.digest, row.series_id) {
            (Some(digest), _) => waiting.replies.push((row.msgid, digest)),
            (None, Some(series_id)) => waiting.series.push(Unmet {
                msgid: row.msgid,
                series_id,
                position: row.place,
            }),
            (None, None) => {}
        }
    }
    Ok(waiting)
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
