//! What is in the database after a scene, in the words of the scenes.

use std::collections::BTreeMap;

use patchwork::{
    domain::{CoverId, MessageId, PatchId, SeriesId},
    store::{Conn, sql},
};
use serde_json::{Map, Value, json};

/// Returns what a scene calls a mail: `<p1@example.com>` is `p1`.
pub fn short(msgid: &MessageId) -> String {
    let bare = msgid.bare();
    bare.strip_suffix("@example.com").unwrap_or(bare).to_owned()
}

/// A submission is called by its id, with its project if that is not `dev`.
fn label(msgid: &MessageId, project: &str) -> String {
    match project {
        "dev" => short(msgid),
        other => format!("{} in {other}", short(msgid)),
    }
}

/// Reads everything scenes may ask about.
pub async fn read(conn: &mut Conn) -> Value {
    let patches = patches(conn).await;
    json!({
        "series": series(conn, &patches).await,
        "lone": patches.iter().filter(|patch| patch.series.is_none()).map(|patch| &patch.label).collect::<Vec<_>>(),
        "patches": described(conn, &patches).await,
        "comments": comments(conn).await,
        "addressed": addressed(conn).await,
        "events": events(conn, &patches).await,
        "people": people(conn).await,
        "awaited": awaited(conn).await,
        "kept": kept(conn).await,
        "needs": needs(conn).await,
        "revisions": revisions(conn).await,
    })
}

struct Patch {
    id: PatchId,
    label: String,
    series: Option<SeriesId>,
    about: Map<String, Value>,
}

#[derive(sqlx::FromRow)]
struct PatchRow {
    id: PatchId,
    msgid: MessageId,
    linkname: String,
    series_id: Option<SeriesId>,
    number: Option<i64>,
    name: String,
    state: String,
    delegate: Option<String>,
    submitter: String,
    submitter_name: Option<String>,
    pull_url: Option<String>,
    content: Option<String>,
    diff: Option<String>,
}

async fn patches(conn: &mut Conn) -> Vec<Patch> {
    let rows: Vec<PatchRow> = sql(
        "SELECT p.id, p.msgid, j.linkname, p.series_id, p.number, p.name, s.slug AS state, \
         a.username AS delegate, w.email AS submitter, w.name AS submitter_name, p.pull_url, b.content, b.diff \
         FROM patch p JOIN project j ON j.id = p.project_id JOIN state s ON s.id = p.state_id \
         JOIN person w ON w.id = p.submitter_id JOIN patch_body b ON b.patch_id = p.id \
         LEFT JOIN account a ON a.id = p.delegate_id ORDER BY p.date, p.id",
    )
    .all(conn)
    .await
    .expect("patches");
    rows.into_iter().map(Patch::of).collect()
}

impl Patch {
    fn of(row: PatchRow) -> Patch {
        let about = json!({
            "number": row.number,
            "name": row.name,
            "state": row.state,
            "delegate": row.delegate,
            "submitter": row.submitter,
            "submitter name": row.submitter_name,
            "pull": row.pull_url,
            "content": row.content,
            "diff": row.diff,
        });
        Patch {
            id: row.id,
            label: label(&row.msgid, &row.linkname),
            series: row.series_id,
            about: about.as_object().cloned().unwrap_or_default(),
        }
    }
}

/// Adds what was counted.
async fn described(conn: &mut Conn, patches: &[Patch]) -> Value {
    let rows: Vec<(PatchId, String, i64)> =
        sql("SELECT t.patch_id, g.abbrev, t.count FROM patch_tag t JOIN tag g ON g.id = t.tag_id")
            .all(conn)
            .await
            .expect("tags");
    let of = |patch: &Patch, abbrev: &str| {
        let mut counts = rows
            .iter()
            .filter(|(id, tag, _)| *id == patch.id && tag == abbrev);
        counts.next().map_or(0, |(_, _, count)| *count)
    };
    let described = patches.iter().map(|patch| {
        let mut about = patch.about.clone();
        let tags = ["A", "R", "T"].map(|abbrev| of(patch, abbrev));
        about.insert("tags".to_owned(), json!(tags));
        (patch.label.clone(), Value::from(about))
    });
    Value::from(described.collect::<Map<_, _>>())
}

#[derive(sqlx::FromRow)]
struct SeriesRow {
    id: SeriesId,
    linkname: String,
    version: i64,
    total: i64,
    name: Option<String>,
    cover: Option<MessageId>,
}

async fn series(conn: &mut Conn, patches: &[Patch]) -> Value {
    let rows: Vec<SeriesRow> = sql(
        "SELECT s.id, j.linkname, s.version, s.total, s.name, c.msgid AS cover FROM series s \
         JOIN project j ON j.id = s.project_id LEFT JOIN cover c ON c.id = s.cover_id ORDER BY s.id",
    )
    .all(conn)
    .await
    .expect("series");
    let one = |row: SeriesRow| {
        let members: Vec<&str> = patches
            .iter()
            .filter(|patch| patch.series == Some(row.id))
            .map(|patch| patch.label.as_str())
            .collect();
        json!({
            "all": members.len() as i64 >= row.total,
            "patches": members,
            "cover": row.cover.as_ref().map(|cover| label(cover, &row.linkname)),
            "version": row.version,
            "total": row.total,
            "name": row.name,
            "project": row.linkname,
        })
    };
    rows.into_iter().map(one).collect()
}

async fn comments(conn: &mut Conn) -> Value {
    let rows: Vec<(MessageId, String, MessageId)> = sql(
        "SELECT coalesce(p.msgid, v.msgid), j.linkname, c.msgid FROM comment c \
         LEFT JOIN patch p ON p.id = c.patch_id LEFT JOIN cover v ON v.id = c.cover_id \
         JOIN project j ON j.id = coalesce(p.project_id, v.project_id) ORDER BY c.date, c.id",
    )
    .all(conn)
    .await
    .expect("comments");
    let mut by_parent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (parent, project, msgid) in rows {
        let parent = label(&parent, &project);
        by_parent.entry(parent).or_default().push(short(&msgid));
    }
    json!(by_parent)
}

async fn addressed(conn: &mut Conn) -> Value {
    let rows: Vec<(MessageId, Option<bool>)> = sql("SELECT msgid, addressed FROM comment")
        .all(conn)
        .await
        .expect("comments");
    let rows = rows
        .into_iter()
        .map(|(msgid, addressed)| (short(&msgid), json!(addressed)));
    Value::from(rows.collect::<Map<_, _>>())
}

#[derive(sqlx::FromRow)]
struct EventRow {
    category: String,
    patch_id: Option<PatchId>,
    series_id: Option<SeriesId>,
    cover: Option<MessageId>,
    comment: Option<MessageId>,
    cover_id: Option<CoverId>,
}

async fn events(conn: &mut Conn, patches: &[Patch]) -> Value {
    let rows: Vec<EventRow> = sql(
        "SELECT e.category, e.patch_id, e.series_id, e.cover_id, v.msgid AS cover, c.msgid AS comment FROM event e \
         LEFT JOIN cover v ON v.id = e.cover_id LEFT JOIN comment c ON c.id = e.comment_id ORDER BY e.id",
    )
    .all(conn)
    .await
    .expect("events");
    let one = |row: EventRow| {
        let patch = row
            .patch_id
            .and_then(|id| patches.iter().find(|patch| patch.id == id));
        let mut words = vec![row.category];
        words.extend(row.comment.as_ref().map(short));
        words.extend(patch.map(|patch| patch.label.clone()));
        words.extend(row.cover_id.and(row.cover.as_ref()).map(short));
        words.extend(row.series_id.map(|id| format!("#{id}")));
        Value::from(words.join(" "))
    };
    rows.into_iter().map(one).collect()
}

async fn people(conn: &mut Conn) -> Value {
    let rows: Vec<(Option<String>, String)> = sql("SELECT name, email FROM person ORDER BY id")
        .all(conn)
        .await
        .expect("people");
    json!(rows)
}

async fn awaited(conn: &mut Conn) -> Value {
    let rows: Vec<(MessageId,)> = sql("SELECT msgid FROM awaited ORDER BY msgid")
        .all(conn)
        .await
        .expect("awaited mails");
    rows.iter()
        .map(|(msgid,)| Value::from(short(msgid)))
        .collect()
}

async fn kept(conn: &mut Conn) -> Value {
    let rows: Vec<(MessageId, String)> = sql("SELECT msgid, outcome FROM mail ORDER BY id")
        .all(conn)
        .await
        .expect("kept mails");
    let rows = rows
        .iter()
        .map(|(msgid, outcome)| format!("{} {outcome}", short(msgid)));
    rows.map(Value::from).collect()
}

/// Which series follows which; each is called by its cover, else by its first patch.
async fn revisions(conn: &mut Conn) -> Value {
    type Row = (MessageId, MessageId, String, bool);
    let rows: Vec<Row> = sql(
        "WITH named (id, msgid) AS (SELECT s.id, (SELECT m.msgid FROM (SELECT c.msgid, 0 AS number FROM cover c WHERE c.id = s.cover_id
             UNION ALL SELECT p.msgid, p.number FROM patch p WHERE p.series_id = s.id) m ORDER BY m.number LIMIT 1) FROM series s)
         SELECT n.msgid, e.msgid, l.reason, l.claimed FROM revision_link l JOIN named n ON n.id = l.series_id
           JOIN named e ON e.id = l.earlier_id ORDER BY n.msgid",
    )
    .all(conn)
    .await
    .expect("links");
    let told = |(later, earlier, reason, claimed): Row| {
        let claimed = if claimed { ", claimed" } else { "" };
        json!(format!(
            "{} after {}: {reason}{claimed}",
            short(&later),
            short(&earlier)
        ))
    };
    rows.into_iter().map(told).collect()
}

async fn needs(conn: &mut Conn) -> Value {
    let rows: Vec<(i64, i64)> = sql(
        "SELECT from_series_id, to_series_id FROM series_dependency ORDER BY from_series_id, position",
    )
    .all(conn)
    .await
    .expect("dependencies");
    json!(rows)
}
