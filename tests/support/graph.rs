//! What mails became, told by message ids only: two databases that took the same mails in another order, or after
//! other troubles, tell the same.

use std::collections::BTreeMap;

use patchwork::store::{Conn, sql};

/// A list of facts, sorted; each begins with what it is about.
pub type Graph = Vec<String>;

/// The name of a series: its project, and the mails that are in it.
type Names = BTreeMap<i64, String>;

/// Reads the facts.
pub async fn read(conn: &mut Conn) -> Graph {
    let names = series(conn).await;
    let mut facts: Graph = names
        .values()
        .map(|name| format!("series {name}"))
        .collect();
    let name = |id: Option<i64>| {
        id.and_then(|id| names.get(&id))
            .map_or("-", |name| short(name))
    };
    for (place, id, number, text, state, delegate) in patches(conn).await {
        facts.push(format!(
            "patch {place} #{number:?} {text} {state} {delegate:?} in {}",
            name(id)
        ));
    }
    for row in texts(conn).await {
        facts.push(row);
    }
    for (place, series, needs) in links(conn).await {
        facts.push(format!(
            "{place} {} {}",
            name(Some(series)),
            needs.map_or(String::new(), |id| name(Some(id)).to_owned())
        ));
    }
    for (text, id) in events(conn).await {
        facts.push(format!("event {text} {}", name(id)));
    }
    facts.sort();
    facts
}

/// Reads only which mails are there, and what of them is there twice: the same whatever the order was.
pub async fn accounts(conn: &mut Conn) -> Graph {
    let mut facts = Graph::new();
    for query in [
        // Of two copies of a mail, that which comes second is kept only if it says something else.
        "SELECT DISTINCT 'mail ' || coalesce(project_id, 0) || ' ' || msgid FROM mail",
        "SELECT 'patch ' || project_id || ' ' || msgid FROM patch",
        "SELECT 'cover ' || project_id || ' ' || msgid FROM cover",
        "SELECT 'comment ' || coalesce(p.project_id, c.project_id) || ' ' || m.msgid FROM comment m \
         LEFT JOIN patch p ON p.id = m.patch_id LEFT JOIN cover c ON c.id = m.cover_id",
        "SELECT 'quarantine ' || list_id || ' ' || msgid || ' ' || size FROM quarantine",
    ] {
        let rows: Vec<(String,)> = sql(query).all(conn).await.expect("facts");
        facts.extend(rows.into_iter().map(|(text,)| text));
    }
    facts.sort();
    facts
}

/// Mails are in one series only, so the first of them names it.
fn short(name: &str) -> &str {
    name.split(" |").next().unwrap_or_default()
}

async fn series(conn: &mut Conn) -> Names {
    type Row = (i64, String, Option<String>, Option<String>, i64, i64);
    let rows: Vec<Row> = sql(
        "SELECT s.id, j.linkname, s.name, c.msgid, s.version, s.total FROM series s \
         JOIN project j ON j.id = s.project_id LEFT JOIN cover c ON c.id = s.cover_id",
    )
    .all(conn)
    .await
    .expect("series");
    let members: Vec<(i64, Option<i64>, String)> =
        sql("SELECT series_id, number, msgid FROM patch WHERE series_id IS NOT NULL ORDER BY number, msgid")
            .all(conn)
            .await
            .expect("members");
    let one = |(id, project, name, cover, version, total): Row| {
        let mut mails: Vec<String> = members
            .iter()
            .filter(|(series, ..)| *series == id)
            .map(|(_, number, msgid)| format!("{} {msgid}", number.unwrap_or(-1)))
            .collect();
        mails.sort();
        let first = cover.as_deref().or(mails.first().map(String::as_str));
        let label = format!("{project} {}", first.unwrap_or("nothing"));
        let about = format!("{name:?} v{version}/{total} cover {cover:?}");
        (id, format!("{label} | {about} {}", mails.join(", ")))
    };
    rows.into_iter().map(one).collect()
}

type PatchRow = (
    String,
    Option<i64>,
    Option<i64>,
    String,
    String,
    Option<i64>,
);

async fn patches(conn: &mut Conn) -> Vec<PatchRow> {
    sql("SELECT j.linkname || ' ' || p.msgid, p.series_id, p.number, p.name, s.slug, p.delegate_id FROM patch p \
         JOIN project j ON j.id = p.project_id JOIN state s ON s.id = p.state_id")
        .all(conn)
        .await
        .expect("patches")
}

/// Facts that are texts as they stand.
async fn texts(conn: &mut Conn) -> Vec<String> {
    let mut facts = Vec::new();
    for query in [
        "SELECT 'cover ' || j.linkname || ' ' || c.msgid || ' ' || c.name FROM cover c JOIN project j ON j.id = c.project_id",
        "SELECT 'comment ' || m.msgid || ' on ' || coalesce(p.msgid, c.msgid) || ' ' || coalesce(p.project_id, c.project_id) \
         FROM comment m LEFT JOIN patch p ON p.id = m.patch_id LEFT JOIN cover c ON c.id = m.cover_id",
        "SELECT 'tag ' || p.msgid || ' ' || t.name || ' ' || g.count || ' ' || p.project_id FROM patch_tag g \
         JOIN patch p ON p.id = g.patch_id JOIN tag t ON t.id = g.tag_id",
        "SELECT 'mail ' || coalesce(j.linkname, '-') || ' ' || m.msgid || ' ' || m.outcome FROM mail m \
         LEFT JOIN project j ON j.id = m.project_id WHERE m.outcome <> 'duplicate'",
        "SELECT 'awaited ' || j.linkname || ' ' || a.msgid FROM awaited a JOIN project j ON j.id = a.project_id",
        "SELECT 'quarantine ' || list_id || ' ' || msgid || ' ' || kind || ' ' || size FROM quarantine",
    ] {
        let rows: Vec<(String,)> = sql(query).all(conn).await.expect("facts");
        facts.extend(rows.into_iter().map(|(text,)| text));
    }
    facts
}

async fn links(conn: &mut Conn) -> Vec<(String, i64, Option<i64>)> {
    let mut links = Vec::new();
    for query in [
        "SELECT 'reference ' || r.msgid || ' to', r.series_id, NULL FROM series_reference r WHERE r.distance = 0",
        "SELECT 'dependency', from_series_id, to_series_id FROM series_dependency",
        "SELECT 'revision ' || reason || CASE WHEN claimed THEN ', claimed' ELSE '' END, series_id, earlier_id FROM revision_link",
    ] {
        let rows: Vec<(String, i64, Option<i64>)> = sql(query).all(conn).await.expect("links");
        links.extend(rows);
    }
    links
}

async fn events(conn: &mut Conn) -> Vec<(String, Option<i64>)> {
    sql("SELECT e.category || ' ' || j.linkname || ' ' || coalesce(p.msgid, '-') || ' ' || coalesce(c.msgid, '-') || ' ' \
         || coalesce(m.msgid, '-'), e.series_id FROM event e JOIN project j ON j.id = e.project_id \
         LEFT JOIN patch p ON p.id = e.patch_id LEFT JOIN cover c ON c.id = e.cover_id \
         LEFT JOIN comment m ON m.id = e.comment_id")
        .all(conn)
        .await
        .expect("events")
}

/// Returns what only one of two graphs tells, marked with whose it is; at most `most` facts.
pub fn difference(one: &Graph, other: &Graph, most: usize) -> Vec<String> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for fact in one {
        *counts.entry(fact).or_default() += 1;
    }
    for fact in other {
        *counts.entry(fact).or_default() -= 1;
    }
    let told = |(fact, count): (&str, i64)| match count {
        0 => None,
        count => Some(format!(
            "{}{} {fact}",
            if count > 0 { '-' } else { '+' },
            count.abs()
        )),
    };
    counts.into_iter().filter_map(told).take(most).collect()
}
