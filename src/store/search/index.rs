//! Writing the index: with new mails, after changes, and all of it anew.

use futures_util::future;
use sqlx::FromRow;

use super::vector::vector;
use crate::{
    domain::{
        CommentId, CoverId, PatchId, PersonId, ProjectId, SeriesId, Timestamp,
        comment::Parent,
        search::words::{self, Mail, Texts, Words},
    },
    store::{self, Batch, Conn, Result, Tx, Value, sql, value::TsVector},
};

/// What a mail is, as the index numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A patch.
    Patch = 0,
    /// A cover letter.
    Cover = 1,
    /// A comment.
    Comment = 2,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 3] = [Kind::Patch, Kind::Cover, Kind::Comment];

    fn of(number: i64) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as i64 == number)
    }
}

/// The bits of a number that say which mail it is; those above are the second in which it was written.
const BITS: u32 = 29;
/// Until the year 2514.
const LAST_SECOND: i64 = (1 << (63 - BITS)) - 1;

/// Returns the number of a mail in the index: the later it was written the larger. The triggers compute the same.
pub fn number(kind: Kind, id: i64, date: Timestamp) -> i64 {
    first_number(date) | ((id * 4 + kind as i64) & ((1 << BITS) - 1))
}

/// Returns the number below which all mails were written before a moment.
pub(super) fn first_number(date: Timestamp) -> i64 {
    date.0.div_euclid(1_000_000).clamp(0, LAST_SECOND) << BITS
}

/// Returns the numbers of all mails that patches, cover letters and series are made of, and of the comments on them.
///
/// # Errors
/// When the database is away.
pub async fn numbers_about(
    conn: &mut Conn,
    things: impl Iterator<Item = (Option<PatchId>, Option<CoverId>, Option<SeriesId>)>,
) -> Result<Vec<i64>> {
    let engine = conn.kind();
    let (mut patches, mut covers, mut series) = (Vec::new(), Vec::new(), Vec::new());
    for (patch, cover, of) in things {
        patches.extend(patch.map(|id| id.0));
        covers.extend(cover.map(|id| id.0));
        series.extend(of.map(|id| id.0));
    }
    let mut query = sql("WITH part (id) AS (SELECT id FROM patch WHERE id");
    query
        .among_ids(engine, patches)
        .push(" UNION SELECT id FROM patch WHERE series_id");
    query
        .among_ids(engine, series.iter().copied())
        .push("), opening (id) AS (SELECT id FROM cover WHERE id");
    query
        .among_ids(engine, covers)
        .push(" UNION SELECT cover_id FROM series WHERE cover_id IS NOT NULL AND id");
    query.among_ids(engine, series).push(
        ") SELECT CAST(0 AS BIGINT), p.id, p.date FROM part JOIN patch p ON p.id = part.id
         UNION ALL SELECT CAST(1 AS BIGINT), o.id, o.date FROM opening JOIN cover o ON o.id = opening.id
         UNION ALL SELECT CAST(2 AS BIGINT), c.id, c.date FROM part JOIN comment c ON c.patch_id = part.id
         UNION ALL SELECT CAST(2 AS BIGINT), c.id, c.date FROM opening JOIN comment c ON c.cover_id = opening.id",
    );
    let mails: Vec<(i64, i64, Timestamp)> = query.all(conn).await?;
    let numbered = mails.into_iter();
    Ok(numbered
        .filter_map(|(kind, id, date)| Some(number(Kind::of(kind)?, id, date)))
        .collect())
}

/// A mail about to be indexed.
#[derive(Clone, Debug)]
pub struct NewDoc {
    number: i64,
    project: ProjectId,
    parent: Parent,
    comment: Option<CommentId>,
    words: Words,
}

/// What is indexed of a mail.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its project.
    pub project: ProjectId,
    /// What it is, or what it is a comment on.
    pub parent: Parent,
    /// Which comment it is.
    pub comment: Option<CommentId>,
    /// When it was written.
    pub date: Timestamp,
    /// Who wrote it.
    pub submitter: PersonId,
    /// Name and address of who wrote it.
    pub author: [&'a str; 2],
    /// The subject of a patch or a cover letter.
    pub subject: &'a str,
    /// The message.
    pub message: &'a str,
    /// The diff.
    pub diff: &'a str,
    /// The words of both, if they have been cut already.
    pub texts: Option<&'a Texts>,
}

impl Source<'_> {
    /// Returns what it is, and under which id.
    fn kind(&self) -> (Kind, i64) {
        match (self.comment, self.parent) {
            (Some(id), _) => (Kind::Comment, id.0),
            (None, Parent::Patch(id)) => (Kind::Patch, id.0),
            (None, Parent::Cover(id)) => (Kind::Cover, id.0),
        }
    }

    fn number(&self) -> i64 {
        let (kind, id) = self.kind();
        number(kind, id, self.date)
    }

    /// Returns its words, ready to be written.
    pub fn doc(&self) -> NewDoc {
        let (kind, _) = self.kind();
        let mail = Mail {
            subject: self.subject,
            message: self.message,
            is_reply: kind == Kind::Comment,
            diff: self.diff,
            texts: self.texts,
            author: self.author,
            marks: &[
                ('k', kind as i64),
                ('j', self.project.0),
                ('w', self.submitter.0),
            ],
        };
        NewDoc {
            number: self.number(),
            project: self.project,
            parent: self.parent,
            comment: self.comment,
            words: words::indexed(&mail),
        }
    }
}

/// How many mails are written by one statement: as many as SQLite takes at once.
const AT_ONCE: usize = 256;

/// How many are written by the first statement: the database waits for it.
const FIRST: usize = 32;

/// Writes many mails into the index but for the last of them: while the database is busy with those, something else can be done.
///
/// # Errors
/// When the database is away or refuses.
pub async fn write(conn: &mut Conn, mut sources: Vec<Source<'_>>) -> Result<Batch> {
    let engine = conn.kind();
    sources.sort_by_key(Source::number);
    let (mut rest, mut many) = (sources.as_slice(), FIRST);
    let mut ready = Batch::default();
    while !rest.is_empty() {
        let some;
        (some, rest) = rest.split_at(rest.len().min(many));
        many = (2 * many).min(AT_ONCE);
        // Of the next ones the words are put in order while those before them are written.
        let next = async {
            let mut batch = Batch::default();
            insert(&mut batch, engine, some.iter().map(Source::doc).collect());
            batch
        };
        let (written, next) = future::join(ready.write(conn), next).await;
        written?;
        ready = next;
    }
    Ok(ready)
}

/// Leaves mails to be indexed afterwards, as those are whose texts have changed.
pub fn postpone(batch: &mut Batch, sources: &[Source<'_>]) {
    let row = |source: &Source<'_>| {
        let (kind, id) = source.kind();
        vec![Value::from(kind as i64), id.into()]
    };
    let rows = sources.iter().map(row).collect();
    batch.add("search_wait (kind, id)", rows, "ON CONFLICT DO NOTHING");
}

/// Adds mails to the index.
pub fn insert(batch: &mut Batch, engine: store::Kind, mut docs: Vec<NewDoc>) {
    // An index of FTS5 is written at once as long as numbers rise.
    docs.sort_by_key(|doc| doc.number);
    match engine {
        store::Kind::Postgres => batch.add(
            "search_doc (id, project_id, patch_id, cover_id, comment_id, words)",
            docs.iter()
                .map(|doc| row(doc, Some(vector(&doc.words))))
                .collect(),
            "",
        ),
        store::Kind::Sqlite => {
            let rows = docs.iter().map(|doc| row(doc, None)).collect();
            // The long statement comes first: there is something else to do meanwhile.
            batch.add(
                "search_index (rowid, subject, body, diff, extra)",
                docs.into_iter().map(columns).collect(),
                "",
            );
            batch.add(
                "search_doc (id, project_id, patch_id, cover_id, comment_id)",
                rows,
                "",
            );
        }
    }
}

fn row(doc: &NewDoc, words: Option<TsVector>) -> Vec<Value> {
    let (patch, cover) = doc.parent.split();
    let mut row: Vec<Value> = vec![
        doc.number.into(),
        doc.project.into(),
        patch.into(),
        cover.into(),
        doc.comment.into(),
    ];
    row.extend(words.map(Value::from));
    row
}

fn columns(doc: NewDoc) -> Vec<Value> {
    let Words {
        subject,
        body,
        diff,
        extra,
    } = doc.words;
    vec![
        doc.number.into(),
        subject.into(),
        body.into(),
        diff.into(),
        extra.into(),
    ]
}

/// Indexes mails that may be indexed already.
///
/// # Errors
/// When the database is away or refuses.
pub async fn replace(tx: &mut Conn, docs: Vec<NewDoc>) -> Result<()> {
    let engine = tx.kind();
    let mut query = sql("DELETE FROM search_doc WHERE id");
    query.among_ids(engine, docs.iter().map(|doc| doc.number));
    query.run(tx).await?;
    let mut batch = Batch::default();
    insert(&mut batch, engine, docs);
    batch.write(tx).await
}

/// How many mails are indexed at once: their texts are in memory together.
const SOME: i64 = 100;

/// A mail as it is stored.
#[derive(Debug, FromRow)]
struct Stored {
    id: i64,
    project_id: ProjectId,
    patch_id: Option<PatchId>,
    cover_id: Option<CoverId>,
    comment_id: Option<CommentId>,
    date: Timestamp,
    submitter_id: PersonId,
    name: Option<String>,
    email: String,
    subject: String,
    message: Option<String>,
    diff: Option<String>,
}

impl Stored {
    fn doc(&self) -> Option<NewDoc> {
        let parent = self.patch_id.map(Parent::Patch);
        let source = Source {
            project: self.project_id,
            parent: parent.or(self.cover_id.map(Parent::Cover))?,
            comment: self.comment_id,
            date: self.date,
            submitter: self.submitter_id,
            author: [self.name.as_deref().unwrap_or_default(), &self.email],
            subject: &self.subject,
            message: self.message.as_deref().unwrap_or_default(),
            diff: self.diff.as_deref().unwrap_or_default(),
            texts: None,
        };
        Some(source.doc())
    }
}

const PATCHES: &str = "SELECT p.id, p.project_id, p.id AS patch_id, CAST(NULL AS BIGINT) AS cover_id,
       CAST(NULL AS BIGINT) AS comment_id, p.date, p.submitter_id, pe.name, pe.email, p.name AS subject,
       b.content AS message, b.diff
  FROM patch p JOIN person pe ON pe.id = p.submitter_id LEFT JOIN patch_body b ON b.patch_id = p.id WHERE p.id";
const COVERS: &str = "SELECT p.id, p.project_id, CAST(NULL AS BIGINT) AS patch_id, p.id AS cover_id,
       CAST(NULL AS BIGINT) AS comment_id, p.date, p.submitter_id, pe.name, pe.email, p.name AS subject,
       p.content AS message, CAST(NULL AS TEXT) AS diff
  FROM cover p JOIN person pe ON pe.id = p.submitter_id WHERE p.id";
const COMMENTS: &str =
    "SELECT p.id, coalesce(o.project_id, v.project_id) AS project_id, p.patch_id, p.cover_id,
       p.id AS comment_id, p.date, p.submitter_id, pe.name, pe.email, '' AS subject,
       p.content AS message, CAST(NULL AS TEXT) AS diff
  FROM comment p JOIN person pe ON pe.id = p.submitter_id LEFT JOIN patch o ON o.id = p.patch_id
  LEFT JOIN cover v ON v.id = p.cover_id WHERE p.id";

fn select(kind: Kind) -> &'static str {
    match kind {
        Kind::Patch => PATCHES,
        Kind::Cover => COVERS,
        Kind::Comment => COMMENTS,
    }
}

/// Keeps what is read as it is until it is indexed: who changes it meanwhile waits, and has it indexed again.
fn locked(query: &mut store::Sql, engine: store::Kind) {
    if engine == store::Kind::Postgres {
        query.push(" FOR SHARE OF p");
    }
}

/// Says whether mails wait to be indexed anew.
///
/// # Errors
/// When the database is away.
pub async fn is_waiting(conn: &mut Conn) -> Result<bool> {
    let (is_waiting,): (bool,) = sql("SELECT (EXISTS (SELECT 1 FROM search_wait))")
        .one(conn)
        .await?;
    Ok(is_waiting)
}

/// Indexes mails whose texts have changed. Returns how many it took; none: that was all.
///
/// # Errors
/// When the database is away or refuses.
pub async fn settle(tx: &mut Conn) -> Result<usize> {
    let mut query = sql(
        "DELETE FROM search_wait WHERE (kind, id) IN (SELECT kind, id FROM search_wait ORDER BY kind, id LIMIT ",
    );
    query.arg(SOME).push(") RETURNING kind, id");
    let waiting: Vec<(i64, i64)> = query.all(tx).await?;
    let engine = tx.kind();
    let mut docs = Vec::new();
    for kind in Kind::ALL {
        let of_kind = waiting.iter().filter(|(of, _)| Kind::of(*of) == Some(kind));
        let ids: Vec<i64> = of_kind.map(|(_, id)| *id).collect();
        if ids.is_empty() {
            continue;
        }
        let mut query = sql(select(kind));
        query.among_ids(engine, ids);
        locked(&mut query, engine);
        let found: Vec<Stored> = query.all(tx).await?;
        docs.extend(found.iter().filter_map(Stored::doc));
    }
    if !docs.is_empty() {
        replace(tx, docs).await?;
    }
    Ok(waiting.len())
}

/// How many times [`SOME`] mails somebody waits for who has changed something.
const ROUNDS: usize = 5;

/// Indexes mails whose texts have changed, but no more than one waits for: the others are indexed in the background.
///
/// # Errors
/// When the database is away or refuses.
pub async fn settle_now(tx: &mut Conn) -> Result<()> {
    for _ in 0..ROUNDS {
        if settle(tx).await? == 0 {
            break;
        }
    }
    Ok(())
}

/// Says whether something is there that is not indexed yet.
///
/// # Errors
/// When the database is away.
pub async fn is_behind(conn: &mut Conn) -> Result<bool> {
    let (is_behind,) = sql("SELECT (EXISTS (SELECT 1 FROM search_wait) \
         OR EXISTS (SELECT 1 FROM search_state WHERE below > 1))")
    .one(conn)
    .await?;
    Ok(is_behind)
}

/// Returns how many mails wait to be indexed anew.
///
/// # Errors
/// When the database is away.
pub async fn waiting(conn: &mut Conn) -> Result<i64> {
    let (waiting,) = sql("SELECT count(*) FROM search_wait").one(conn).await?;
    Ok(waiting)
}

/// Returns how many mails, at most, have not been indexed since the index was begun.
///
/// # Errors
/// When the database is away.
pub async fn left(conn: &mut Conn) -> Result<i64> {
    let (left,): (i64,) =
        sql("SELECT CAST(coalesce(sum(below - 1), 0) AS BIGINT) FROM search_state")
            .one(conn)
            .await?;
    Ok(left)
}

/// Has all that is there indexed anew. What is indexed stays until it is replaced.
///
/// # Errors
/// When the database is away or refuses.
pub async fn begin_anew(tx: &mut Tx) -> Result<()> {
    for statement in [
        "UPDATE search_state SET below = (SELECT coalesce(max(id), 0) + 1 FROM patch) WHERE kind = 0",
        "UPDATE search_state SET below = (SELECT coalesce(max(id), 0) + 1 FROM cover) WHERE kind = 1",
        "UPDATE search_state SET below = (SELECT coalesce(max(id), 0) + 1 FROM comment) WHERE kind = 2",
    ] {
        sql(statement).run(tx).await?;
    }
    Ok(())
}

/// Indexes the next mails, the newest first, and remembers how far that is. Says whether there are more.
///
/// # Errors
/// When the database is away or refuses.
pub async fn step(tx: &mut Tx) -> Result<bool> {
    let engine = tx.kind();
    let mut query =
        sql("SELECT kind, below FROM search_state WHERE below > 1 ORDER BY kind LIMIT 1");
    if engine == store::Kind::Postgres {
        query.push(" FOR UPDATE");
    }
    let Some((number, below)): Option<(i64, i64)> = query.optional(tx).await? else {
        return Ok(false);
    };
    let Some(kind) = Kind::of(number) else {
        return Ok(false);
    };
    let mut query = sql(select(kind));
    query.push(" < ").arg(below);
    query.push(" ORDER BY p.id DESC LIMIT ").arg(SOME);
    locked(&mut query, engine);
    let found: Vec<Stored> = query.all(tx).await?;
    let reached = found.last().map_or(1, |last| last.id);
    let docs: Vec<NewDoc> = found.iter().filter_map(Stored::doc).collect();
    if !docs.is_empty() {
        replace(tx, docs).await?;
    }
    sql("UPDATE search_state SET below = $2 WHERE kind = $1")
        .bind(number)
        .bind(reached)
        .run(tx)
        .await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_with_dates() {
        let at = |seconds| Timestamp::from_seconds(seconds);
        let numbers = [
            number(Kind::Comment, 9, at(-5)),
            number(Kind::Patch, 1_000_000, at(1)),
            number(Kind::Patch, 1, at(2)),
            number(Kind::Cover, 1, at(2)),
            number(Kind::Patch, i64::from(u32::MAX), at(253_402_300_799)),
        ];
        assert!(numbers.is_sorted() && numbers[0] >= 0, "{numbers:?}");
        assert!(first_number(at(2)) <= numbers[2] && first_number(at(2)) > numbers[1]);
    }
}
