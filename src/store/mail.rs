//! Received mails, byte-exact and compressed.

use std::cell::RefCell;

use sha2::{Digest, Sha256};
use sqlx::FromRow;
use zstd::bulk::Compressor;

use super::{Batch, Conn, Error, Result, Sql, sql, value::Many};
use crate::domain::{CommentId, CoverId, MailId, MessageId, PatchId, ProjectId, Timestamp};

/// A mail packed for keeping. Packing is work; it is done before the transaction begins.
#[derive(Clone, Debug)]
pub struct Packed {
    /// How many bytes the mail has.
    pub size: i64,
    /// The SHA-256 of those bytes.
    pub digest: Vec<u8>,
    /// The bytes, compressed.
    pub packed: Vec<u8>,
}

thread_local! {
    /// Making a compressor takes longer than compressing a mail. Level 1: five times as fast as the default,
    /// for 5 % more room.
    static COMPRESSOR: RefCell<Compressor<'static>> =
        RefCell::new(Compressor::new(1).expect("level 1 exists"));
}

/// Compresses a mail for keeping.
pub fn pack(raw: &[u8]) -> Packed {
    let packed = COMPRESSOR.with_borrow_mut(|compressor| compressor.compress(raw));
    let packed = packed.expect("compressing into memory has nothing to fail at");
    Packed {
        size: raw.len() as i64,
        digest: Sha256::digest(raw).to_vec(),
        packed,
    }
}

/// What a mail became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// A patch.
    Patch(PatchId),
    /// A cover letter.
    Cover(CoverId),
    /// A comment.
    Comment(CommentId),
    /// Nothing; the word says why.
    Nothing(&'static str),
}

impl Became {
    /// Returns the word for it, and the row that shows it.
    fn columns(
        self,
    ) -> (
        &'static str,
        Option<PatchId>,
        Option<CoverId>,
        Option<CommentId>,
    ) {
        match self {
            Became::Patch(id) => ("patch", Some(id), None, None),
            Became::Cover(id) => ("cover", None, Some(id), None),
            Became::Comment(id) => ("comment", None, None, Some(id)),
            Became::Nothing(why) => (why, None, None, None),
        }
    }
}

/// A received mail about to be kept.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// The project of the list it came to.
    pub project: Option<ProjectId>,
    /// The message id.
    pub msgid: MessageId,
    /// When it came.
    pub received: Timestamp,
    /// What it became.
    pub became: Became,
    /// Its bytes.
    pub packed: Packed,
}

/// Keeps mails; bytes that a project keeps already are not kept twice.
pub fn insert(batch: &mut Batch, mails: &[NewMail]) {
    batch.add(
        "mail (project_id, msgid, received, outcome, patch_id, cover_id, comment_id, size, digest, packed)",
        mails.iter().map(row).collect(),
        // What had nothing to show may have something now: the mail it answers is there.
        "ON CONFLICT (digest, coalesce(project_id, 0)) DO UPDATE SET outcome = excluded.outcome, \
         patch_id = excluded.patch_id, cover_id = excluded.cover_id, comment_id = excluded.comment_id \
         WHERE coalesce(mail.patch_id, mail.cover_id, mail.comment_id) IS NULL",
    );
}

fn row(mail: &NewMail) -> Vec<super::Value> {
    let (outcome, patch, cover, comment) = mail.became.columns();
    vec![
        mail.project.into(),
        (&mail.msgid).into(),
        mail.received.into(),
        outcome.into(),
        patch.into(),
        cover.into(),
        comment.into(),
        mail.packed.size.into(),
        mail.packed.digest.as_slice().into(),
        mail.packed.packed.as_slice().into(),
    ]
}

/// Returns which of these bytes, by digest, are kept, and for which project.
///
/// # Errors
/// When the database is away or refuses.
pub async fn kept(
    conn: &mut Conn,
    digests: Vec<Vec<u8>>,
) -> Result<Vec<(Vec<u8>, Option<ProjectId>)>> {
    let digests = Many::Blobs(digests.into_iter().map(Some).collect());
    let mut q = sql("SELECT digest, project_id FROM mail WHERE digest");
    q.among_many(conn.kind(), digests);
    q.all(conn).await
}

/// A kept reply.
#[derive(Clone, Debug, FromRow)]
pub struct Reply {
    /// What it became, in a word.
    pub outcome: String,
    /// The comment it became.
    pub comment_id: Option<CommentId>,
    size: i64,
    packed: Vec<u8>,
}

impl Reply {
    /// Returns its bytes.
    ///
    /// # Errors
    /// When they are damaged.
    pub fn raw(&self) -> Result<Vec<u8>> {
        unpack(&self.packed, self.size)
    }
}

/// Returns a kept mail of a project.
///
/// # Errors
/// When the database is away or refuses.
pub async fn reply(conn: &mut Conn, project: ProjectId, digest: &[u8]) -> Result<Option<Reply>> {
    sql("SELECT outcome, comment_id, size, packed FROM mail WHERE digest = $1 AND coalesce(project_id, 0) = $2")
        .bind(digest)
        .bind(project)
        .optional(conn)
        .await
}

/// Records that a kept mail became something else after all.
///
/// # Errors
/// When the database is away or refuses.
pub async fn set_outcome(
    conn: &mut Conn,
    project: ProjectId,
    digest: &[u8],
    became: Became,
) -> Result<()> {
    let (outcome, patch, cover, comment) = became.columns();
    sql(
        "UPDATE mail SET outcome = $1, patch_id = $2, cover_id = $3, comment_id = $4 \
         WHERE digest = $5 AND coalesce(project_id, 0) = $6",
    )
    .bind(outcome)
    .bind(patch)
    .bind(cover)
    .bind(comment)
    .bind(digest)
    .bind(project)
    .run(conn)
    .await?;
    Ok(())
}

/// Returns the bytes of a kept mail.
///
/// # Errors
/// When the bytes are damaged.
pub fn unpack(packed: &[u8], size: i64) -> Result<Vec<u8>> {
    zstd::bulk::decompress(packed, usize::try_from(size).unwrap_or_default())
        .map_err(|error| Error::Schema(format!("a kept mail cannot be unpacked: {error}")))
}

#[derive(FromRow)]
struct Kept {
    size: i64,
    packed: Vec<u8>,
}

/// Returns a kept mail, as it was received.
///
/// # Errors
/// When the database is away or refuses, or the stored bytes are damaged.
pub async fn raw(conn: &mut Conn, id: MailId) -> Result<Option<Vec<u8>>> {
    let query = sql("SELECT size, packed FROM mail WHERE id = $1");
    unpacked(conn, query.bind(id)).await
}

/// Returns the mail a patch came in, as it was received.
///
/// # Errors
/// When the database is away or refuses, or the stored bytes are damaged.
pub async fn of_patch(conn: &mut Conn, patch: PatchId) -> Result<Option<Vec<u8>>> {
    unpacked(
        conn,
        sql("SELECT size, packed FROM mail WHERE patch_id = $1 ORDER BY id LIMIT 1").bind(patch),
    )
    .await
}

/// Returns the mail a cover came in, as it was received.
///
/// # Errors
/// When the database is away or refuses, or the stored bytes are damaged.
pub async fn of_cover(conn: &mut Conn, cover: CoverId) -> Result<Option<Vec<u8>>> {
    unpacked(
        conn,
        sql("SELECT size, packed FROM mail WHERE cover_id = $1 ORDER BY id LIMIT 1").bind(cover),
    )
    .await
}

/// Returns the mail a comment came in, as it was received.
///
/// # Errors
/// When the database is away or refuses, or the stored bytes are damaged.
pub async fn of_comment(conn: &mut Conn, comment: CommentId) -> Result<Option<Vec<u8>>> {
    unpacked(
        conn,
        sql("SELECT size, packed FROM mail WHERE comment_id = $1 ORDER BY id LIMIT 1")
            .bind(comment),
    )
    .await
}

/// Says whether a kept mail is shown nowhere.
///
/// # Errors
/// When the database is away.
pub async fn is_unshown(conn: &mut Conn, id: MailId) -> Result<bool> {
    let (is_unshown,): (bool,) = sql("SELECT (EXISTS (SELECT 1 FROM mail WHERE id = $1 \
         AND patch_id IS NULL AND cover_id IS NULL AND comment_id IS NULL))")
    .bind(id)
    .one(conn)
    .await?;
    Ok(is_unshown)
}

/// Forgets a mail that is shown nowhere; another one with its bytes, of the right project, is.
///
/// # Errors
/// When the database is away or refuses.
pub async fn forget_unshown(conn: &mut Conn, id: MailId) -> Result<()> {
    sql("DELETE FROM mail WHERE id = $1 AND patch_id IS NULL AND cover_id IS NULL AND comment_id IS NULL")
        .bind(id)
        .run(conn)
        .await?;
    Ok(())
}

/// A received mail, for whoever watches what comes.
#[derive(Debug, FromRow)]
pub struct Arrived {
    /// Its id.
    pub id: MailId,
    /// When it came.
    pub received: Timestamp,
    /// What it became.
    pub outcome: String,
    /// The project of its list.
    pub linkname: Option<String>,
    /// The patch that shows it.
    pub patch_id: Option<PatchId>,
    /// The cover letter that shows it.
    pub cover_id: Option<CoverId>,
    /// The comment that shows it.
    pub comment_id: Option<CommentId>,
    size: i64,
    packed: Vec<u8>,
}

impl Arrived {
    /// Returns its bytes.
    ///
    /// # Errors
    /// When the stored bytes are damaged.
    pub fn raw(&self) -> Result<Vec<u8>> {
        unpack(&self.packed, self.size)
    }
}

/// Returns the mails that came since a moment, the newest first, below an id if one is given.
///
/// # Errors
/// When the database is away.
pub async fn arrived(
    conn: &mut Conn,
    since: Timestamp,
    below: Option<MailId>,
    most: i64,
) -> Result<Vec<Arrived>> {
    sql("SELECT m.id, m.received, m.outcome, pr.linkname, m.patch_id, m.cover_id, m.comment_id, m.size, m.packed
           FROM mail m LEFT JOIN project pr ON pr.id = m.project_id
          WHERE m.received >= $1 AND m.id < $2 ORDER BY m.id DESC LIMIT $3")
    .bind(since)
    .bind(below.map_or(i64::MAX, |id| id.0))
    .bind(most)
    .all(conn)
    .await
}

async fn unpacked(conn: &mut Conn, query: Sql) -> Result<Option<Vec<u8>>> {
    let Some(mail) = query.optional::<Kept>(conn).await? else {
        return Ok(None);
    };
    unpack(&mail.packed, mail.size).map(Some)
}
