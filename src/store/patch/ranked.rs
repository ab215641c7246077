//! Lists that are fetched and sorted, and how their patches are ranked: short ones, and those that no index holds in order.

use super::super::{Conn, Kind, Result, Sql, sql};
use super::condition::{archived, conditions, matching, state_ids};
use super::extent::{Extent, RARE, Start};
use super::find::{Stretch, fetched, stretched};
use crate::domain::{
    PatchId, StateId,
    filter::{Order, OrderKey, PatchFilter},
    state::State,
};

/// Appends the conditions of a whole list.
pub(super) fn asked(
    query: &mut Sql,
    kind: Kind,
    filter: &PatchFilter,
    states: &[State],
    start: Start,
) {
    let wanted = state_ids(&filter.states, states);
    let archived = archived(filter.archive);
    conditions(query, kind, filter, wanted.as_deref(), archived, start);
}

/// Returns how many patches a list has, up to one more than `far`, and if it has no more than that, a stretch of them in order; nothing
/// if the words that were taken for rare are not.
pub(super) async fn counted(
    conn: &mut Conn,
    filter: &PatchFilter,
    order: Order,
    states: &[State],
    extent: &Extent,
    far: i64,
    stretch: Stretch,
) -> Result<Option<(i64, Vec<PatchId>)>> {
    let (kind, mut start) = (conn.kind(), extent.start);
    let mut query = sql("WITH ");
    if extent.rare && start == Start::Words {
        start = Start::Found;
        found_words(&mut query, filter);
    }
    let is_by_name = !filter.words.is_empty() || order.key == OrderKey::Name;
    query
        .push("found AS MATERIALIZED (SELECT p.id, p.date, ")
        .push(carried(order.key))
        .push(" AS by FROM ");
    match (kind, start, filter.project) {
        // The names stand in this index: no row has to be fetched to read one.
        (Kind::Sqlite, Start::Shelves, Some(_)) if is_by_name => {
            query.push("patch p INDEXED BY patch_name");
        }
        // Those that came together stand together here, and what is asked of them is read from the index.
        (Kind::Sqlite, Start::Shelves, Some(_)) if extent.wide => {
            query.push("patch p INDEXED BY patch_date");
        }
        (Kind::Sqlite, Start::Shelves, Some(_)) => {
            query.push("patch p INDEXED BY patch_list");
        }
        _ => {
            query.push(start.table(kind));
        }
    }
    query.push(" WHERE ");
    match extent.shelves.is_empty() {
        true => asked(&mut query, kind, filter, states, start),
        // All states there are, so that indexes can be used to their end.
        false => {
            let mut ids: Vec<StateId> = extent.shelves.iter().map(|shelf| shelf.state).collect();
            ids.dedup();
            let archived = archived(filter.archive);
            conditions(&mut query, kind, filter, Some(&ids), archived, start);
        }
    }
    if start == Start::Found {
        query
            .push(" AND (SELECT count(*) FROM words) <= ")
            .arg(RARE);
    }
    query.push(" LIMIT ").arg(far + 1);
    query.push("), counted AS (SELECT ");
    total(&mut query, start);
    query.push(" AS total FROM found), ranked AS (SELECT id, date, ");
    rank(&mut query, kind, filter, order.key);
    query
        .push(" AS rank FROM found f WHERE (SELECT total FROM counted) <= ")
        .arg(far);
    query.push("), page AS MATERIALIZED (SELECT id, date, rank FROM ranked ORDER BY ");
    query.push(by_rank(order));
    query.push(" LIMIT ").arg(stretch.limit).push(" OFFSET ");
    begin(&mut query, stretch);
    query.push(
        ") SELECT id FROM (SELECT total AS id, CAST(0 AS BIGINT) AS place FROM counted
           UNION ALL SELECT id, row_number() OVER (ORDER BY ",
    );
    query.push(by_rank(order));
    query.push(") AS place FROM page) numbered ORDER BY place");
    let mut ids = fetched(conn, query).await?;
    // In the first place stands the number.
    let total = ids.remove(0).0;
    Ok((total >= 0).then_some((total, ids)))
}

/// Appends the names that contain the words, up to one more than are rare.
fn found_words(query: &mut Sql, filter: &PatchFilter) {
    query
        .push("words AS MATERIALIZED (SELECT rowid AS id FROM patch_words WHERE patch_words MATCH ")
        .arg(matching(&filter.words).unwrap_or_default());
    query.push(" LIMIT ").arg(RARE + 1).push("), ");
}

/// Appends how many were found; less than none if the words were not rare.
fn total(query: &mut Sql, start: Start) {
    if start == Start::Found {
        query.push("CASE WHEN (SELECT count(*) FROM words) > ");
        query.arg(RARE).push(" THEN -1 ELSE count(*) END");
    } else {
        query.push("count(*)");
    }
}

/// How many times as long as is counted a list has to be by PostgreSQL's statistics not to be counted: they are made of a sample.
const SURELY: i64 = 10;

/// Says whether PostgreSQL knows that a list of words is longer than `far`. It counts by reading all there is of a word in its index.
pub(super) async fn is_surely_longer(
    conn: &mut Conn,
    filter: &PatchFilter,
    states: &[State],
    extent: &Extent,
    far: i64,
) -> Result<bool> {
    if conn.kind() == Kind::Sqlite || extent.start != Start::Words || !extent.wide {
        return Ok(false);
    }
    let mut query = sql("SELECT 1 FROM patch p WHERE ");
    asked(&mut query, Kind::Postgres, filter, states, extent.start);
    let rows = query.expected(conn).await?;
    Ok(rows.is_some_and(|rows| rows > SURELY * far))
}

/// Appends after which place a stretch begins, as [`Stretch::within`] says.
fn begin(query: &mut Sql, stretch: Stretch) {
    query
        .push("(SELECT CASE WHEN total > ")
        .arg(stretch.offset)
        .push(" THEN ")
        .arg(stretch.offset)
        .push(" ELSE (total - 1) / ")
        .arg(stretch.limit.max(1))
        .push(" * ")
        .arg(stretch.limit)
        .push(" END FROM counted)");
}

/// What a list has to know of a patch to rank it.
fn carried(key: OrderKey) -> &'static str {
    match key {
        OrderKey::Date | OrderKey::Place => "p.date",
        OrderKey::Name => "p.name_key",
        OrderKey::State => "p.state_id",
        OrderKey::Submitter => "p.submitter_id",
        OrderKey::Delegate => "p.delegate_id",
        OrderKey::Number => "p.number",
    }
}

/// Appends what the patches `f` are ranked by.
fn rank(query: &mut Sql, kind: Kind, filter: &PatchFilter, key: OrderKey) {
    query.push(match (key, kind) {
        (OrderKey::Date | OrderKey::Name | OrderKey::Number, _) => "f.by",
        (OrderKey::State, _) => "(SELECT ordering FROM state WHERE id = f.by)",
        (OrderKey::Submitter, _) => "(SELECT key FROM person WHERE id = f.by)",
        (OrderKey::Delegate, Kind::Sqlite) => {
            "(SELECT lower(username) FROM account WHERE id = f.by)"
        }
        (OrderKey::Delegate, Kind::Postgres) => {
            "(SELECT lower(username) COLLATE \"C\" FROM account WHERE id = f.by)"
        }
        (OrderKey::Place, _) => {
            "(SELECT position FROM bundle_patch WHERE patch_id = f.id AND bundle_id = "
        }
    });
    if key == OrderKey::Place {
        query.arg(filter.bundle).push(")");
    }
}

fn by_rank(order: Order) -> &'static str {
    match (order.key, order.descending) {
        (OrderKey::Date | OrderKey::Number | OrderKey::Place, true) => {
            "rank IS NULL, rank DESC, date DESC, id DESC"
        }
        (OrderKey::Date | OrderKey::Number | OrderKey::Place, false) => {
            "rank IS NULL, rank, date, id"
        }
        (_, true) => "rank IS NULL, rank DESC, date, id",
        (_, false) => "rank IS NULL, rank, date DESC, id DESC",
    }
}

/// Fetches what is asked and sorts it. A database must not read in order here: it cannot know how far.
pub(super) fn sorted(
    kind: Kind,
    filter: &PatchFilter,
    order: Order,
    states: &[State],
    start: Start,
    stretch: Stretch,
) -> Sql {
    let mut query = sql("WITH found AS MATERIALIZED (SELECT p.id, p.date, ");
    query.push(carried(order.key)).push(" AS by FROM ");
    query.push(start.table(kind));
    query.push(" WHERE ");
    asked(&mut query, kind, filter, states, start);
    query.push("), ranked AS (SELECT id, date, ");
    rank(&mut query, kind, filter, order.key);
    query.push(" AS rank FROM found f) SELECT id FROM ranked ORDER BY ");
    query.push(by_rank(order));
    stretched(&mut query, stretch);
    query
}
