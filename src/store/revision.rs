//! Which revision of a series follows which: what mails say of it, and what was found.

use sqlx::FromRow;

use super::{Batch, Conn, Kind, Result, Sql, Value, series, sql};
use crate::domain::{
    MessageId, PatchId, PersonId, ProjectId, Series, SeriesId, Timestamp, UserId,
    revision::{
        self, Candidate, DAY, Earlier, Facts, Reason, SLACK_DAYS, Sign, Tie, Unfit, WINDOW_DAYS,
    },
};

/// More that may belong together are not looked at: whoever sends that many revisions of one thing wants something else.
const MOST: i64 = 2_000;

/// No chain is followed farther.
const LONGEST: i64 = 100;

/// Something that a mail said.
#[derive(Clone, Debug)]
pub struct Said {
    /// The project of its list.
    pub project: ProjectId,
    /// Its series.
    pub series: SeriesId,
    /// What it is.
    pub sign: Sign,
    /// What it says.
    pub value: String,
}

/// Stores what mails said.
pub fn insert(batch: &mut Batch, said: &[Said]) {
    let row = |one: &Said| {
        vec![
            one.project.into(),
            one.series.into(),
            one.sign.word().into(),
            Value::from(one.value.as_str()),
        ]
    };
    batch.add(
        "revision_sign (project_id, series_id, kind, value)",
        said.iter().map(row).collect(),
        "ON CONFLICT DO NOTHING",
    );
}

/// A mail that opens a series, as it is stored.
#[derive(Clone, Debug, FromRow)]
pub struct Opening {
    /// The series.
    pub series_id: SeriesId,
    /// Its project.
    pub project_id: ProjectId,
    /// The revision that the series calls itself.
    pub version: i64,
    /// The digits after the dot of v5.1; 0 for v5.
    pub minor: i64,
    /// Its place in the series, 0 for the cover.
    pub number: i64,
    /// Its headers.
    pub headers: String,
    /// Its text.
    pub content: Option<String>,
}

/// Returns the next series after one, by id, `limit` at most.
///
/// # Errors
/// When the database is away or refuses.
pub async fn series_after(conn: &mut Conn, after: SeriesId, limit: i64) -> Result<Vec<SeriesId>> {
    let query = sql("SELECT id FROM series WHERE id > $1 ORDER BY id LIMIT $2");
    let rows: Vec<(SeriesId,)> = query.bind(after).bind(limit).all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Returns the last series by id, 0 where there is none.
///
/// # Errors
/// When the database is away or refuses.
pub async fn last_series(conn: &mut Conn) -> Result<SeriesId> {
    let (id,): (Option<SeriesId>,) = sql("SELECT max(id) FROM series").one(conn).await?;
    Ok(id.unwrap_or(SeriesId(0)))
}

/// Returns the covers and the first patches of series, and all patches of those that mend another one.
///
/// # Errors
/// When the database is away or refuses.
pub async fn openings(conn: &mut Conn, series: &[SeriesId]) -> Result<Vec<Opening>> {
    let (kind, ids) = (conn.kind(), || series.iter().map(|id| id.0));
    let mut query = sql(
        "SELECT s.id AS series_id, s.project_id, s.version, s.minor, CAST(0 AS BIGINT) AS number, c.headers, c.content
           FROM series s JOIN cover c ON c.id = s.cover_id WHERE s.id",
    );
    query.among_ids(kind, ids());
    query.push(
        " UNION ALL SELECT s.id, s.project_id, s.version, s.minor, p.number, b.headers, b.content
           FROM series s JOIN patch p ON p.series_id = s.id JOIN patch_body b ON b.patch_id = p.id
          WHERE (s.minor > 0 OR p.number = (SELECT min(f.number) FROM patch f WHERE f.series_id = s.id)) AND s.id",
    );
    query.among_ids(kind, ids());
    query.all(conn).await
}

/// Forgets what mails of these series said.
///
/// # Errors
/// When the database is away or refuses.
pub async fn forget(conn: &mut Conn, series: &[SeriesId]) -> Result<()> {
    let mut query = sql("DELETE FROM revision_sign WHERE series_id");
    query.among_ids(conn.kind(), series.iter().map(|id| id.0));
    query.run(conn).await.map(drop)
}

/// Returns the series that name one of these mails as one of an earlier revision.
///
/// # Errors
/// When the database is away or refuses.
pub async fn naming(
    conn: &mut Conn,
    project: ProjectId,
    msgids: &[MessageId],
) -> Result<Vec<SeriesId>> {
    let mut query = sql("SELECT DISTINCT series_id FROM revision_sign WHERE project_id = ");
    query.arg(project).push(" AND value");
    query.among(conn.kind(), msgids.iter().map(|id| id.as_str().to_owned()));
    query.push(" ORDER BY series_id LIMIT ").arg(MOST);
    let rows: Vec<(SeriesId,)> = query.all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A series, and what may be a revision of the same.
#[derive(Clone, Debug)]
pub enum Related {
    /// What is known of a series that was asked for.
    Itself(Facts),
    /// What may come before or after it.
    Other(SeriesId, Candidate),
}

#[derive(FromRow)]
struct RelatedRow {
    of: SeriesId,
    tie: String,
    id: SeriesId,
    version: i64,
    minor: i64,
    date: Timestamp,
    submitter: PersonId,
    account: Option<UserId>,
    name: Option<String>,
    named: Option<String>,
}

impl RelatedRow {
    fn related(self) -> Related {
        let facts = Facts {
            id: self.id,
            version: self.version,
            minor: self.minor,
            date: self.date,
            submitter: self.submitter,
            account: self.account,
            name: self.name,
        };
        if self.tie == "itself" {
            return Related::Itself(facts);
        }
        let sign = Sign::ALL.into_iter().find(|sign| sign.word() == self.tie);
        let candidate = Candidate {
            tie: sign.map_or(Tie::Sender, Tie::Sign),
            facts,
            named: self.named,
        };
        Related::Other(self.of, candidate)
    }
}

/// Returns these series and all that may be revisions of the same.
///
/// # Errors
/// When the database is away or refuses.
pub async fn related(conn: &mut Conn, series: &[SeriesId]) -> Result<Vec<Related>> {
    if series.is_empty() {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    let ids = || series.iter().map(|id| id.0);
    let mut query = sql("WITH asked AS (SELECT id, project_id, submitter_id, version, minor, date");
    for (off, days, name) in [
        (", date - ", WINDOW_DAYS, " AS since"),
        (", date - ", SLACK_DAYS, " AS about"),
        (", date + ", SLACK_DAYS, " AS soon"),
        (", date + ", WINDOW_DAYS, " AS until"),
    ] {
        query.push(off);
        span(&mut query, kind, days);
        query.push(name);
    }
    query.push(" FROM series WHERE id");
    query.among_ids(kind, ids());
    query.push(
        "), tied (of, id, tie, msgid) AS (SELECT id, id, 'itself', '' FROM asked
         UNION SELECT a.series_id, r.series_id, a.kind, a.value FROM revision_sign a
           JOIN series_reference r ON r.project_id = a.project_id AND r.msgid = a.value AND r.distance = 0
          WHERE a.kind IN ('supersedes', 'link', 'reply') AND a.series_id IN (SELECT id FROM asked)
         UNION SELECT r.series_id, a.series_id, a.kind, '' FROM series_reference r
           JOIN revision_sign a ON a.value = r.msgid AND a.project_id = r.project_id
          WHERE a.kind IN ('supersedes', 'link', 'reply') AND r.distance = 0 AND r.series_id IN (SELECT id FROM asked)",
    );
    for which in [EARLIER, LATER] {
        nearest(&mut query, kind, OF_SENDER, which);
    }
    for which in [EARLIER_BY_ID, LATER_BY_ID] {
        nearest(&mut query, kind, OF_CHANGE_ID, which);
        nearest(&mut query, kind, OF_OWN_CHANGE_ID, which);
    }
    query.push(
        ")
         SELECT t.of, t.tie, s.id, s.version, s.date, s.submitter_id AS submitter, pe.account_id AS account, s.name,
                (SELECT p.name FROM patch p WHERE p.msgid = t.msgid AND p.project_id = s.project_id) AS named,
                s.minor
           FROM tied t JOIN series s ON s.id = t.id JOIN person pe ON pe.id = s.submitter_id
          WHERE t.tie = 'itself' OR t.of <> t.id
          ORDER BY CASE WHEN t.tie = 'itself' THEN 0 ELSE 1 END, s.date, s.id, t.of LIMIT ",
    );
    query.arg(MOST.max(series.len() as i64 * 400));
    let rows: Vec<RelatedRow> = query.all(conn).await?;
    Ok(rows.into_iter().map(RelatedRow::related).collect())
}

/// Appends so many days.
fn span(query: &mut Sql, kind: Kind, days: i64) {
    match kind {
        Kind::Sqlite => query.arg(days * DAY * 60_000_000),
        Kind::Postgres => query
            .push("make_interval(days => CAST(")
            .arg(days)
            .push(" AS INT))"),
    };
}

/// The nearest series with a lower version: who sends hundreds of series means one of the last.
const EARLIER: &str = "n.date >= x.since AND n.date <= x.soon AND n.version < x.version ORDER BY n.date DESC, n.id DESC";

/// The next series with a higher version.
const LATER: &str =
    "n.date >= x.about AND n.date <= x.until AND n.version > x.version ORDER BY n.date, n.id";

/// The same of a change-id, which lasts for years.
const EARLIER_BY_ID: &str = "n.date <= x.soon AND (n.version, n.minor) < (x.version, x.minor)
    ORDER BY CASE WHEN n.minor = 0 THEN 0 ELSE 1 END, n.version DESC, n.minor DESC, n.date DESC, n.id DESC";
const LATER_BY_ID: &str = "n.date >= x.about AND (n.version, n.minor) > (x.version, x.minor)
    ORDER BY n.version, n.minor, n.date, n.id";

macro_rules! change_ids {
    () => {
        " UNION SELECT x.id, o.id, 'change-id', '' FROM asked x \
           JOIN revision_sign a ON a.series_id = x.id AND a.kind = 'change-id' "
    };
}
macro_rules! of_change_id {
    () => {
        "SELECT n.id FROM revision_sign b JOIN series n ON n.id = b.series_id \
          WHERE b.value = a.value AND b.project_id = a.project_id AND b.kind = 'change-id'"
    };
}

/// What ties series together, and where those that are tied come from.
const OF_SENDER: [&str; 2] = [
    " UNION SELECT x.id, o.id, 'sender', '' FROM asked x ",
    "SELECT n.id FROM series n WHERE n.project_id = x.project_id AND n.submitter_id = x.submitter_id AND ",
];
const OF_CHANGE_ID: [&str; 2] = [change_ids!(), concat!(of_change_id!(), " AND ")];
/// Strangers can send a change-id, too: their series do not crowd out the sender's.
const OF_OWN_CHANGE_ID: [&str; 2] = [
    change_ids!(),
    concat!(
        of_change_id!(),
        " AND (n.submitter_id = x.submitter_id OR n.submitter_id IN (SELECT o.id FROM person m \
              JOIN person o ON o.account_id = m.account_id WHERE m.id = x.submitter_id)) AND "
    ),
];

/// Appends the first fifty such series to what ties series together.
fn nearest(query: &mut Sql, kind: Kind, [tie, from]: [&'static str; 2], which: &'static str) {
    let (before, after) = match kind {
        Kind::Sqlite => ("JOIN series o ON o.id IN (", ")"),
        Kind::Postgres => ("CROSS JOIN LATERAL (", ") o"),
    };
    query.push(tie).push(before).push(from).push(which);
    query.push(" LIMIT 50").push(after);
}

/// A link as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The later series.
    pub series: SeriesId,
    /// The one before; none if somebody said that there is none.
    pub earlier: Option<SeriesId>,
    /// Why.
    pub reason: Reason,
    /// Whether somebody else than the earlier one's sender claims it.
    pub claimed: bool,
}

#[derive(FromRow)]
struct LinkRow {
    series_id: SeriesId,
    earlier_id: Option<SeriesId>,
    reason: String,
    claimed: bool,
}

impl LinkRow {
    fn link(self) -> Link {
        Link {
            series: self.series_id,
            earlier: self.earlier_id,
            reason: Reason::of(&self.reason).unwrap_or(Reason::Hand),
            claimed: self.claimed,
        }
    }
}

const LINK: &str = "SELECT series_id, earlier_id, reason, claimed FROM revision_link WHERE ";

/// Returns the links from these series to the ones before.
///
/// # Errors
/// When the database is away or refuses.
pub async fn links(conn: &mut Conn, series: &[SeriesId]) -> Result<Vec<Link>> {
    if series.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = sql(LINK);
    query.push("series_id");
    query.among_ids(conn.kind(), series.iter().map(|id| id.0));
    let rows: Vec<LinkRow> = query.all(conn).await?;
    Ok(rows.into_iter().map(LinkRow::link).collect())
}

/// Returns the links from these series to the ones before, and those that lead to them.
///
/// # Errors
/// When the database is away or refuses.
pub async fn links_around(conn: &mut Conn, series: &[SeriesId]) -> Result<Vec<Link>> {
    if series.is_empty() {
        return Ok(Vec::new());
    }
    let (kind, ids) = (conn.kind(), || series.iter().map(|id| id.0));
    let mut query = sql(LINK);
    query.push("series_id").among_ids(kind, ids());
    query.push(" OR earlier_id").among_ids(kind, ids());
    query.push(" ORDER BY series_id LIMIT ").arg(MOST);
    let rows: Vec<LinkRow> = query.all(conn).await?;
    Ok(rows.into_iter().map(LinkRow::link).collect())
}

/// Returns the links that lead to these series.
///
/// # Errors
/// When the database is away or refuses.
pub async fn links_to(conn: &mut Conn, series: &[SeriesId]) -> Result<Vec<Link>> {
    if series.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = sql(LINK);
    query.push("earlier_id");
    query.among_ids(conn.kind(), series.iter().map(|id| id.0));
    query.push(" ORDER BY series_id LIMIT ").arg(MOST);
    let rows: Vec<LinkRow> = query.all(conn).await?;
    Ok(rows.into_iter().map(LinkRow::link).collect())
}

/// Stores which series is before another one, in place of what was stored; none takes that away.
///
/// # Errors
/// When the database is away or refuses.
pub async fn set(
    conn: &mut Conn,
    series: SeriesId,
    earlier: Option<&Earlier>,
    now: Timestamp,
) -> Result<()> {
    match earlier {
        Some(earlier) => {
            let link = Link {
                series,
                earlier: Some(earlier.id),
                reason: earlier.reason,
                claimed: earlier.claimed,
            };
            write(conn, &link, None, now).await
        }
        None => {
            let delete = sql("DELETE FROM revision_link WHERE series_id = $1").bind(series);
            delete.run(conn).await.map(drop)
        }
    }
}

/// Says why a series cannot be the one before another, if it cannot.
///
/// # Errors
/// When the database is away or refuses.
pub async fn unfit(conn: &mut Conn, of: &Series, earlier: SeriesId) -> Result<Option<Unfit>> {
    let Some(other) = series::by_id(conn, earlier).await? else {
        return Ok(Some(Unfit::Unknown));
    };
    if other.series.project_id != of.project_id {
        return Ok(Some(Unfit::Foreign));
    }
    let is_circle = of.id == earlier || follows(conn, earlier, of.id).await?;
    Ok(is_circle.then_some(Unfit::Circle))
}

/// Says whether a series follows another one, over however many revisions.
///
/// # Errors
/// When the database is away or refuses.
pub async fn follows(conn: &mut Conn, series: SeriesId, other: SeriesId) -> Result<bool> {
    let (follows,): (bool,) = sql(
        "WITH RECURSIVE back (id) AS (
           SELECT earlier_id FROM revision_link WHERE series_id = $1 AND earlier_id IS NOT NULL
           UNION SELECT l.earlier_id FROM back b JOIN revision_link l ON l.series_id = b.id WHERE l.earlier_id IS NOT NULL)
         SELECT (EXISTS (SELECT 1 FROM back WHERE id = $2))",
    )
    .bind(series)
    .bind(other)
    .one(conn)
    .await?;
    Ok(follows)
}

/// Stores what somebody says: which series is before another one, or that there is none.
///
/// # Errors
/// When the database is away or refuses.
pub async fn set_by_hand(
    conn: &mut Conn,
    series: SeriesId,
    earlier: Option<SeriesId>,
    account: Option<UserId>,
    now: Timestamp,
) -> Result<()> {
    let link = Link {
        series,
        earlier,
        reason: earlier.map_or(Reason::None, |_| Reason::Hand),
        claimed: false,
    };
    write(conn, &link, account, now).await
}

async fn write(
    conn: &mut Conn,
    link: &Link,
    account: Option<UserId>,
    now: Timestamp,
) -> Result<()> {
    sql(
        "INSERT INTO revision_link (series_id, earlier_id, reason, claimed, account_id, date) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (series_id) DO UPDATE SET earlier_id = excluded.earlier_id, reason = excluded.reason, \
         claimed = excluded.claimed, account_id = excluded.account_id, date = excluded.date",
    )
    .bind(link.series)
    .bind(link.earlier)
    .bind(link.reason.word())
    .bind(link.claimed)
    .bind(account)
    .bind(now)
    .run(conn)
    .await
    .map(drop)
}

/// A revision in a chain.
#[derive(Clone, Debug, FromRow)]
pub struct Revision {
    /// The series.
    pub id: SeriesId,
    /// Its name.
    pub name: Option<String>,
    /// The revision it calls itself.
    pub version: i64,
    /// The digits after the dot of v5.1; 0 for v5.
    minor: i64,
    /// How many patches it announces.
    pub total: i64,
    /// How many of them have come.
    pub received: i64,
    /// When it was written.
    pub date: Timestamp,
    /// Who sent it.
    pub submitter_id: PersonId,
    /// The sender's name, if known.
    pub submitter_name: Option<String>,
    /// The sender's address.
    pub submitter_email: String,
    /// The one before.
    pub earlier_id: Option<SeriesId>,
    reason: Option<String>,
    /// Whether somebody else than the earlier one's sender claims it.
    pub claimed: bool,
}

impl Revision {
    /// Returns why it follows the one before.
    pub fn reason(&self) -> Option<Reason> {
        self.reason.as_deref().and_then(Reason::of)
    }

    /// Says whether it sends some patches of a revision again: v5.1, of v5.
    pub fn is_mend(&self) -> bool {
        self.minor > 0
    }

    /// Returns what it calls itself: `v5`, `v5.1`.
    pub fn label(&self) -> String {
        revision::label(self.version, self.minor)
    }
}

/// Returns the chain that a series is part of, itself included, the earliest first; a series alone is a chain of one. Of a longer one
/// than anybody reads the nearest are taken, and of those that strangers claim to be part of it what there is room for.
///
/// # Errors
/// When the database is away or refuses.
pub async fn chain(conn: &mut Conn, series: SeriesId) -> Result<Vec<Revision>> {
    let kind = conn.kind();
    let mut query = chained(kind, series);
    query.push(
        "SELECT s.id, s.name, s.version, s.total, s.date, s.submitter_id, pe.name AS submitter_name, pe.email AS submitter_email,
               l.earlier_id, l.reason, COALESCE(l.claimed, FALSE) AS claimed,
               (SELECT count(*) FROM patch p WHERE p.series_id = s.id AND p.number IS NOT NULL) AS received,
               s.minor
          FROM series s JOIN person pe ON pe.id = s.submitter_id LEFT JOIN revision_link l ON l.series_id = s.id
         WHERE s.id",
    );
    query
        .push(in_chain(kind))
        .push(" ORDER BY CASE WHEN s.id = ");
    query.arg(series);
    query.push(" THEN 0 WHEN l.claimed = TRUE THEN 2 ELSE 1 END, abs(s.version - (SELECT version FROM series WHERE id = ");
    query.arg(series).push(")), s.date, s.id LIMIT ");
    query.arg(LONGEST);
    let mut chain: Vec<Revision> = query.all(conn).await?;
    chain.sort_by_key(|one| (one.version, one.minor, one.date, one.id));
    Ok(chain)
}

/// Returns the patches of these series that wait for somebody. Where `mended` is a revision that sends some of them again, only those.
///
/// # Errors
/// When the database is away or refuses.
pub async fn open_patches(
    conn: &mut Conn,
    series: &[SeriesId],
    mended: Option<SeriesId>,
) -> Result<Vec<PatchId>> {
    let mut query = sql(
        "SELECT p.id FROM patch p WHERE p.archived = FALSE AND p.state_id IN (SELECT id FROM state WHERE action_required = TRUE) \
         AND p.series_id",
    );
    query.among_ids(conn.kind(), series.iter().map(|id| id.0));
    if let Some(mended) = mended {
        query.push(" AND p.number IN (SELECT n.number FROM patch n WHERE n.series_id = ");
        query.arg(mended).push(")");
    }
    query.push(" ORDER BY p.id");
    let rows: Vec<(PatchId,)> = query.all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A patch of one of the revisions in a chain.
#[derive(Clone, Debug, FromRow)]
pub struct ChainPatch {
    /// Its series.
    pub series_id: SeriesId,
    /// The revision that the series calls itself.
    pub version: i64,
    /// The digits after the dot of v5.1; 0 for v5.
    pub minor: i64,
    /// When the series was written.
    pub date: Timestamp,
    /// The message id.
    pub msgid: MessageId,
    /// The cleaned subject.
    pub name: String,
    /// The digest of its diff.
    pub hash: Option<String>,
}

/// How many patches of a chain are looked at.
const MOST_PATCHES: i64 = 1_000;

/// Returns the patches of all revisions in the chain that a series is part of, the earliest first; nothing where it stands alone.
///
/// # Errors
/// When the database is away or refuses.
pub async fn chain_patches(conn: &mut Conn, series: SeriesId) -> Result<Vec<ChainPatch>> {
    let kind = conn.kind();
    let mut query = chained(kind, series);
    query.push(
        "SELECT s.id AS series_id, s.version, s.minor, s.date, p.msgid, p.name, p.hash
           FROM series s JOIN patch p ON p.series_id = s.id WHERE s.id",
    );
    query.push(in_chain(kind)).push(
        " AND (SELECT count(*) FROM (SELECT 1 FROM chain LIMIT 2) first_ones) > 1
          ORDER BY s.version, s.minor, s.date, s.id, p.number LIMIT ",
    );
    query.arg(MOST_PATCHES);
    query.all(conn).await
}

/// Begins a statement with the ids of the series in a chain: from one up to the first, and from there on with all that follow. UNION ends
/// what somebody made a circle of. PostgreSQL expects few of what comes out of an array, and thousands of what comes out of a recursion,
/// for which it would read all series there are.
fn chained(kind: Kind, series: SeriesId) -> Sql {
    let mut query = sql("WITH RECURSIVE up (id) AS (SELECT CAST(");
    query.arg(series).push(
        " AS BIGINT) UNION SELECT l.earlier_id FROM up JOIN revision_link l ON l.series_id = up.id WHERE l.earlier_id IS NOT NULL),
         chain (id) AS (",
    );
    query.push(match kind {
        Kind::Sqlite => {
            "SELECT id FROM up UNION SELECT l.series_id FROM chain JOIN revision_link l ON l.earlier_id = chain.id) "
        }
        Kind::Postgres => {
            "SELECT unnest(ARRAY(SELECT id FROM up)) UNION SELECT l.series_id FROM chain CROSS JOIN LATERAL \
                (SELECT series_id FROM revision_link WHERE earlier_id = chain.id OFFSET 0) l) "
        }
    });
    query
}

/// Returns the condition on an id that it is in the chain.
fn in_chain(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => " IN (SELECT id FROM chain)",
        Kind::Postgres => " = ANY(ARRAY(SELECT id FROM chain))",
    }
}
