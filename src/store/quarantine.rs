//! Mails that could not be taken in: kept whole, with the reason, until somebody looks at them.

use sqlx::FromRow;

use super::{
    Conn, Result,
    mail::{self, Packed},
    sql,
};
use crate::domain::{ListId, MessageId, QuarantineId, Timestamp};

/// A mail about to be set aside.
#[derive(Clone, Debug)]
pub struct NewEntry<'a> {
    /// The list that the command line named.
    pub list: Option<&'a ListId>,
    /// The lists that the mail itself names, the most reliable first.
    pub named: &'a [ListId],
    /// What the mail calls itself, if that can be read.
    pub msgid: Option<&'a MessageId>,
    /// What sort of trouble it was, in a word.
    pub kind: &'static str,
    /// What went wrong.
    pub reason: &'a str,
    /// Its bytes.
    pub packed: &'a Packed,
}

/// A mail that was set aside; its bytes are read separately.
#[derive(Clone, Debug, FromRow)]
pub struct Entry {
    /// Its id.
    pub id: QuarantineId,
    /// The project of its list, if one has it.
    pub project: Option<String>,
    /// The list that the command line named; empty for none.
    pub list_id: String,
    /// What it calls itself; empty if that cannot be read.
    pub msgid: String,
    /// What sort of trouble it was, in a word.
    pub kind: String,
    /// What went wrong.
    pub reason: String,
    /// When it came first.
    pub received: Timestamp,
    /// How often it was tried.
    pub tries: i64,
    /// When it was tried last.
    pub last_try: Timestamp,
    /// How many bytes it has.
    pub size: i64,
}

/// Sets a mail aside and returns its id. The same bytes of the same list are one entry, however often they come.
///
/// # Errors
/// When the database is away or refuses.
pub async fn insert(conn: &mut Conn, new: &NewEntry<'_>, now: Timestamp) -> Result<QuarantineId> {
    let mut q = sql("INSERT INTO quarantine \
        (project_id, list_id, msgid, kind, reason, received, tries, last_try, size, digest, packed) VALUES ");
    q.push("((SELECT min(id) FROM project WHERE list_id")
        .among(conn.kind(), lists(new))
        .push("), ");
    q.arg(new.list.map_or("", ListId::as_str)).push(", ");
    q.arg(new.msgid.map_or("", MessageId::as_str)).push(", ");
    q.arg(new.kind).push(", ").arg(new.reason).push(", ");
    q.arg(now).push(", 1, ").arg(now).push(", ");
    q.arg(new.packed.size).push(", ");
    q.arg(new.packed.digest.as_slice()).push(", ");
    q.arg(new.packed.packed.as_slice()).push(
        ") ON CONFLICT (digest, list_id) DO UPDATE SET tries = quarantine.tries + 1, \
         last_try = excluded.last_try, kind = excluded.kind, reason = excluded.reason RETURNING id",
    );
    let (id,) = q.one(conn).await?;
    Ok(id)
}

/// The list that decides the project: the one named to us, else the first the mail names.
fn lists(new: &NewEntry<'_>) -> impl Iterator<Item = String> {
    let list = new.list.or(new.named.first());
    list.map(|list| list.as_str().to_owned()).into_iter()
}

const ENTRIES: &str = "SELECT q.id, p.linkname AS project, q.list_id, q.msgid, q.kind, q.reason, q.received, q.tries, \
     q.last_try, q.size FROM quarantine q LEFT JOIN project p ON p.id = q.project_id";

/// Returns what was set aside, the oldest first.
///
/// # Errors
/// When the database is away.
pub async fn all(conn: &mut Conn) -> Result<Vec<Entry>> {
    let mut q = sql(ENTRIES);
    q.push(" ORDER BY q.id");
    q.all(conn).await
}

/// Returns one entry.
///
/// # Errors
/// When the database is away.
pub async fn by_id(conn: &mut Conn, id: QuarantineId) -> Result<Option<Entry>> {
    let mut q = sql(ENTRIES);
    q.push(" WHERE q.id = ").arg(id);
    q.optional(conn).await
}

/// Returns the bytes of a mail that was set aside.
///
/// # Errors
/// When the database is away, there is no such entry, or the bytes are damaged.
pub async fn bytes(conn: &mut Conn, id: QuarantineId) -> Result<Vec<u8>> {
    let (packed, size): (Vec<u8>, i64) = sql("SELECT packed, size FROM quarantine WHERE id = $1")
        .bind(id)
        .one(conn)
        .await?;
    mail::unpack(&packed, size)
}

/// Forgets an entry; says whether it was there.
///
/// # Errors
/// When the database is away or refuses.
pub async fn delete(conn: &mut Conn, id: QuarantineId) -> Result<bool> {
    let gone = sql("DELETE FROM quarantine WHERE id = $1")
        .bind(id)
        .run(conn)
        .await?;
    Ok(gone > 0)
}

/// Returns how many mails wait there.
///
/// # Errors
/// When the database is away.
pub async fn count(conn: &mut Conn) -> Result<i64> {
    let (count,) = sql("SELECT count(*) FROM quarantine").one(conn).await?;
    Ok(count)
}
