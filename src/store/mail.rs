//! Received mails, byte-exact and compressed.

use std::cell::RefCell;

use sha2::{Digest, Sha256};
use sqlx::FromRow;
use zstd::bulk::Compressor;

use super::{Conn, Error, Result, Sql, rows, sql};
use crate::domain::{CommentId, CoverId, MessageId, PatchId, ProjectId, Timestamp};

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
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(conn: &mut Conn, mails: &[NewMail]) -> Result<()> {
    rows::insert(
        conn,
        "mail (project_id, msgid, received, outcome, patch_id, cover_id, comment_id, size, digest, packed)",
        mails.iter().map(row).collect(),
        // What had nothing to show may have something now: the mail it answers is there.
        "ON CONFLICT (digest, coalesce(project_id, 0)) DO UPDATE SET outcome = excluded.outcome, \
         patch_id = excluded.patch_id, cover_id = excluded.cover_id, comment_id = excluded.comment_id \
         WHERE coalesce(mail.patch_id, mail.cover_id, mail.comment_id) IS NULL",
    )
    .await?;
    Ok(())
}

fn row(mail: &NewMail) -> Vec<super::Value> {
    let (outcome, patch, cover, comment) = match mail.became {
        Became::Patch(id) => ("patch", Some(id), None, None),
        Became::Cover(id) => ("cover", None, Some(id), None),
        Became::Comment(id) => ("comment", None, None, Some(id)),
        Became::Nothing(why) => (why, None, None, None),
    };
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

/// Returns the bytes of a kept mail that has nothing to show so far, for `why`.
///
/// # Errors
/// When the database is away, or the bytes are damaged.
pub async fn waiting(
    conn: &mut Conn,
    project: ProjectId,
    digest: &[u8],
    why: &str,
) -> Result<Option<Vec<u8>>> {
    let row: Option<(Vec<u8>, i64)> =
        sql("SELECT packed, size FROM mail WHERE digest = $1 AND coalesce(project_id, 0) = $2 AND outcome = $3")
            .bind(digest)
            .bind(project)
            .bind(why)
            .optional(conn)
            .await?;
    row.map(|(packed, size)| unpack(&packed, size)).transpose()
}

/// Records that a kept mail became a comment after all.
///
/// # Errors
/// When the database is away or refuses.
pub async fn became_comment(
    conn: &mut Conn,
    project: ProjectId,
    digest: &[u8],
    id: CommentId,
) -> Result<()> {
    sql("UPDATE mail SET outcome = 'comment', comment_id = $1 WHERE digest = $2 AND coalesce(project_id, 0) = $3")
        .bind(id)
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

async fn unpacked(conn: &mut Conn, query: Sql) -> Result<Option<Vec<u8>>> {
    let Some(mail) = query.optional::<Kept>(conn).await? else {
        return Ok(None);
    };
    unpack(&mail.packed, mail.size).map(Some)
}
