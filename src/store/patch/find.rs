//! Which patches stand on a page of a list.
//!
//! Few patches are fetched and sorted. Many are read in order until the page is full: by date along the dates, where much of the
//! project is asked for; otherwise, and by name, from the *shelves* (one state, put away or not), which indexes hold in order and a
//! merge joins; by state shelf after shelf; by people person after person. So a page costs the same in a project of a thousand
//! patches and of a million, and a later one what was skipped.

use super::super::{Conn, Kind, Result, Sql, sql};
use super::condition::conditions;
use super::extent::{Extent, Shelf, Start, is_of_desk, known};
use super::ranked::{asked, counted, is_surely_longer, sorted};
use crate::domain::{
    PatchId, Timestamp,
    filter::{Delegate, Order, OrderKey, PatchFilter, Submitter},
    state::State,
};

/// A merge of more shelves than this is left to a sort.
const MOST_SHELVES: usize = 60;

#[derive(sqlx::FromRow)]
struct Found {
    id: PatchId,
}

/// A stretch of a list.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// How many patches at most.
    pub limit: i64,
    /// How many come before.
    pub offset: i64,
}

impl Stretch {
    pub(super) fn end(self) -> i64 {
        self.limit.saturating_add(self.offset)
    }

    /// Behind the last page is the last page.
    fn within(self, total: i64) -> Stretch {
        match self.offset < total {
            true => self,
            false => Stretch {
                offset: (total - 1).max(0) / self.limit.max(1) * self.limit,
                ..self
            },
        }
    }
}

/// Returns how many patches of a list came after a moment, up to `most`.
///
/// # Errors
/// When the database is away or refuses.
pub async fn arrived(
    conn: &mut Conn,
    filter: &PatchFilter,
    states: &[State],
    since: Timestamp,
    most: i64,
) -> Result<i64> {
    let mut query = sql("SELECT count(*) FROM (SELECT 1 FROM patch p WHERE ");
    asked(&mut query, conn.kind(), filter, states, Start::News);
    query.push(
        " AND p.id IN (SELECT e.patch_id FROM event e WHERE e.category = 'patch-created' AND e.date > ",
    );
    query.arg(since);
    if let Some(project) = filter.project {
        query.push(" AND e.project_id = ").arg(project);
    }
    query
        .push(" ORDER BY e.date DESC, e.id DESC LIMIT 1000) LIMIT ")
        .arg(most);
    query.push(") arrived");
    let (count,) = query.one(conn).await?;
    Ok(count)
}

/// Returns how long a list is, and the ids of a stretch of it, in its order. Of a stretch behind the end it is the last one that
/// begins at a multiple of its length.
///
/// # Errors
/// When the database is away or refuses.
pub(super) async fn stretch(
    conn: &mut Conn,
    filter: &PatchFilter,
    order: Order,
    states: &[State],
    stretch: Stretch,
) -> Result<(Extent, Vec<PatchId>)> {
    let mut extent = known(conn, filter, states).await?;
    let order = plainer(filter, order);
    if !extent.plain {
        let mut far = extent.far(filter, stretch.end());
        if is_surely_longer(conn, filter, states, &extent, far).await? {
            (extent.total, extent.more) = (far, true);
            let page = stretch.within(far);
            let ids = ids(conn, filter, order, states, &extent, page).await?;
            // A page that is not full shows that the list ends there after all.
            if ids.len() as i64 == page.limit {
                return Ok((extent, ids));
            }
        }
        let mut found = counted(conn, filter, order, states, &extent, far, stretch).await?;
        if found.is_none() {
            extent.has_common_words(filter);
            far = extent.far(filter, stretch.end());
            found = counted(conn, filter, order, states, &extent, far, stretch).await?;
        }
        let (total, ids) = found.unwrap_or_default();
        extent.total = total.min(far);
        extent.more = total > far;
        if !extent.more {
            return Ok((extent, ids));
        }
    }
    // Farther than is counted no page is made.
    let stretch = stretch.within(extent.total);
    let ids = ids(conn, filter, order, states, &extent, stretch).await?;
    Ok((extent, ids))
}

/// Returns the ids of a stretch of a list of which `extent` is known.
///
/// # Errors
/// When the database is away or refuses.
pub(super) async fn ids(
    conn: &mut Conn,
    filter: &PatchFilter,
    order: Order,
    states: &[State],
    extent: &Extent,
    mut stretch: Stretch,
) -> Result<Vec<PatchId>> {
    let mut order = plainer(filter, order);
    let way = way(filter, order, extent);
    let is_by_index = matches!(way, Way::Merged | Way::Along);
    let backwards = is_by_index && extent.plain && turn(&mut stretch, extent.total);
    order.descending ^= backwards;
    let is_behind = extent.plain && stretch.offset >= extent.total;
    if is_behind || stretch.limit <= 0 {
        return Ok(Vec::new());
    }
    let kind = conn.kind();
    if way == Way::ByDelegate {
        // Who is on a desk comes first, and mostly fills the page.
        let query = by_desk(kind, filter, order, extent, states, stretch);
        let ids = fetched(conn, query).await?;
        if ids.len() as i64 == stretch.limit {
            return Ok(ids);
        }
    }
    let query = match way {
        Way::Sorted => sorted(kind, filter, order, states, extent.start, stretch),
        Way::Merged => merged(kind, filter, order, extent, stretch),
        Way::Along => along(kind, filter, order, extent, states, stretch),
        Way::ByState => by_state(kind, filter, order, extent, stretch),
        Way::BySubmitter => by_submitter(kind, filter, order, states, stretch),
        Way::ByDelegate => by_delegate(kind, filter, order, extent, states, stretch),
    };
    let mut ids = fetched(conn, query).await?;
    if backwards {
        ids.reverse();
    }
    Ok(ids)
}

pub(super) async fn fetched(conn: &mut Conn, query: Sql) -> Result<Vec<PatchId>> {
    let found: Vec<Found> = query.planned_anew().all(conn).await?;
    Ok(found.into_iter().map(|found| found.id).collect())
}

/// Returns the patches of a list by id, `cap` at most.
///
/// # Errors
/// When the database is away or refuses.
pub async fn all(
    conn: &mut Conn,
    filter: &PatchFilter,
    states: &[State],
    cap: i64,
) -> Result<Vec<PatchId>> {
    let start = known(conn, filter, states).await?.start;
    let kind = conn.kind();
    let mut query = sql("SELECT p.id FROM ");
    query.push(start.table(kind));
    query.push(" WHERE ");
    asked(&mut query, kind, filter, states, start);
    query.push(" ORDER BY p.id LIMIT ").arg(cap);
    fetched(conn, query).await
}

/// How a page is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Sorted,
    Merged,
    Along,
    ByState,
    BySubmitter,
    ByDelegate,
}

fn way(filter: &PatchFilter, order: Order, extent: &Extent) -> Way {
    let few = extent.is_few() && (extent.start != Start::Shelves || is_by_people(order.key));
    if extent.shelves.is_empty() || extent.shelves.len() > MOST_SHELVES || few {
        return Way::Sorted;
    }
    match order.key {
        OrderKey::Date if is_of_one(filter) => Way::Sorted,
        OrderKey::Date if extent.much || extent.start.is_at_marks() => Way::Along,
        OrderKey::Date | OrderKey::Name => Way::Merged,
        OrderKey::State => Way::ByState,
        OrderKey::Submitter => Way::BySubmitter,
        OrderKey::Delegate if filter.delegate.is_none() => Way::ByDelegate,
        OrderKey::Delegate | OrderKey::Number | OrderKey::Place => Way::Sorted,
    }
}

/// Says whether a list is of one person, under whatever addresses.
fn is_of_one(filter: &PatchFilter) -> bool {
    matches!(
        filter.submitter,
        Some(Submitter::Person(_) | Submitter::Account(_))
    )
}

fn is_by_people(key: OrderKey) -> bool {
    matches!(key, OrderKey::Submitter | OrderKey::Delegate)
}

/// Of one desk, the order of desks is that of dates, the other way round (`web.md §6.2`).
fn plainer(filter: &PatchFilter, order: Order) -> Order {
    match order.key {
        OrderKey::Delegate if is_of_desk(filter) => Order {
            key: OrderKey::Date,
            descending: !order.descending,
        },
        _ => order,
    }
}

/// Counts from the end what is nearer to it; says whether it did.
fn turn(stretch: &mut Stretch, total: i64) -> bool {
    if stretch.offset <= total / 2 {
        return false;
    }
    let left = (total - stretch.offset).clamp(0, stretch.limit);
    *stretch = Stretch {
        limit: left,
        offset: total - stretch.offset - left,
    };
    true
}

pub(super) fn stretched(query: &mut Sql, stretch: Stretch) {
    query.push(" LIMIT ").arg(stretch.limit);
    query.push(" OFFSET ").arg(stretch.offset);
}

/// Merges shelves that each stand in order.
fn merged(
    kind: Kind,
    filter: &PatchFilter,
    order: Order,
    extent: &Extent,
    stretch: Stretch,
) -> Sql {
    let mut query = sql("");
    merge(&mut query, kind, filter, order, &extent.shelves, stretch);
    query
}

/// Appends a merge of shelves. SQLite merges parts that it can read in order; PostgreSQL wants to be told the order of each part, and how
/// much of it is wanted, or it reads and sorts all.
fn merge(
    query: &mut Sql,
    kind: Kind,
    filter: &PatchFilter,
    order: Order,
    shelves: &[Shelf],
    stretch: Stretch,
) {
    let by = match (order.key, order.descending) {
        (OrderKey::Name, true) => " ORDER BY name_key DESC, date, id",
        (OrderKey::Name, false) => " ORDER BY name_key, date DESC, id DESC",
        (_, true) => " ORDER BY date DESC, id DESC",
        (_, false) => " ORDER BY date, id",
    };
    let start = match is_of_desk(filter) && order.key == OrderKey::Date {
        true => Start::Delegate,
        false => Start::InOrder,
    };
    let table = match (kind, start, order.key) {
        (Kind::Sqlite, Start::InOrder, OrderKey::Name) => "patch p INDEXED BY patch_name",
        (Kind::Sqlite, Start::InOrder, _) => "patch p INDEXED BY patch_list",
        _ => start.table(kind),
    };
    query.push(match kind {
        Kind::Sqlite => "",
        Kind::Postgres => "SELECT id, date FROM (",
    });
    for (place, shelf) in shelves.iter().enumerate() {
        query.push(match (place, kind) {
            (0, Kind::Sqlite) => "SELECT",
            (_, Kind::Sqlite) => " UNION ALL SELECT",
            (0, Kind::Postgres) => "(SELECT",
            (_, Kind::Postgres) => " UNION ALL (SELECT",
        });
        query.push(match order.key {
            OrderKey::Name => " p.id AS id, p.date AS date, p.name_key AS name_key FROM ",
            _ => " p.id AS id, p.date AS date FROM ",
        });
        query.push(table).push(" WHERE ");
        conditions(
            query,
            kind,
            filter,
            Some(&[shelf.state]),
            Some(shelf.archived),
            start,
        );
        if kind == Kind::Postgres {
            let most = stretch.end();
            query.push(by).push(" LIMIT ").arg(most).push(")");
        }
    }
    if kind == Kind::Postgres {
        query.push(") merged");
    }
    query.push(by);
    stretched(query, stretch);
}

/// Takes the patches of a project, or of a desk, by date, and leaves out what is not asked: little, if the shelves hold most of them. A
/// merge would look through every shelf for its first match, also through those that have none.
fn along(
    kind: Kind,
    filter: &PatchFilter,
    order: Order,
    extent: &Extent,
    states: &[State],
    stretch: Stretch,
) -> Sql {
    let mut query = sql("SELECT p.id FROM ");
    let start = match extent.start.is_at_marks() {
        true => extent.start,
        false => Start::InOrder,
    };
    query.push(match (kind, start) {
        (Kind::Sqlite, Start::InOrder) if is_of_desk(filter) => "patch p INDEXED BY patch_desk",
        (Kind::Sqlite, Start::InOrder) => "patch p INDEXED BY patch_date",
        _ => start.table(kind),
    });
    query.push(" WHERE ");
    asked(&mut query, kind, filter, states, start);
    query.push(match order.descending {
        true => " ORDER BY p.date DESC, p.id DESC",
        false => " ORDER BY p.date, p.id",
    });
    stretched(&mut query, stretch);
    query
}

/// Takes state after state. Where nothing else is asked, states that stand before the page are not read at all.
fn by_state(
    kind: Kind,
    filter: &PatchFilter,
    order: Order,
    extent: &Extent,
    mut stretch: Stretch,
) -> Sql {
    let mut states: Vec<Vec<Shelf>> = Vec::new();
    for shelf in &extent.shelves {
        match states.last_mut() {
            Some(last) if last[0].state == shelf.state => last.push(*shelf),
            _ => states.push(vec![*shelf]),
        }
    }
    if order.descending {
        states.reverse();
    }
    if extent.plain {
        states = on_the_way(states, &mut stretch);
    }
    // Within a state, dates run against the order of states (`web.md §6.2`).
    let within = Order {
        key: OrderKey::Date,
        descending: !order.descending,
    };
    let up_to = Stretch {
        limit: stretch.end(),
        offset: 0,
    };
    let mut query = sql("SELECT id FROM (");
    for (place, shelves) in states.iter().enumerate() {
        query.push(if place == 0 {
            "SELECT id, date, CAST("
        } else {
            " UNION ALL SELECT id, date, CAST("
        });
        query
            .arg(shelves[0].ordering)
            .push(" AS BIGINT) AS ordering FROM (");
        merge(&mut query, kind, filter, within, shelves, up_to);
        query.push(") one_state");
    }
    query.push(match order.descending {
        true => ") found ORDER BY ordering DESC, date, id",
        false => ") found ORDER BY ordering, date DESC, id DESC",
    });
    stretched(&mut query, stretch);
    query
}

/// Leaves the states that a stretch touches, and counts it from the first of them.
fn on_the_way(states: Vec<Vec<Shelf>>, stretch: &mut Stretch) -> Vec<Vec<Shelf>> {
    let mut left = Vec::new();
    let mut held = 0;
    for shelves in states {
        let count: i64 = shelves.iter().map(|shelf| shelf.count).sum();
        if left.is_empty() && stretch.offset >= count {
            stretch.offset -= count;
            continue;
        }
        if held >= stretch.offset + stretch.limit {
            break;
        }
        held += count;
        left.push(shelves);
    }
    left
}

/// Takes person after person.
fn by_submitter(
    kind: Kind,
    filter: &PatchFilter,
    order: Order,
    states: &[State],
    stretch: Stretch,
) -> Sql {
    let mut query = sql("SELECT p.id FROM person pe CROSS JOIN ");
    query.push(Start::Submitter.table(kind));
    query.push(" WHERE p.submitter_id = pe.id AND ");
    if let Some(Submitter::Matching(text)) = &filter.submitter {
        query
            .push("pe.key LIKE ")
            .arg(super::super::containing(text))
            .push(" ESCAPE '\\' AND ");
    }
    asked(&mut query, kind, filter, states, Start::Submitter);
    query.push(match order.descending {
        true => " ORDER BY pe.key DESC, p.date, p.id",
        false => " ORDER BY pe.key, p.date DESC, p.id DESC",
    });
    stretched(&mut query, stretch);
    query
}

/// Those who have a patch on their desk, found without reading all patches: from one to the next.
pub(in crate::store) const DESKS: &str = "WITH RECURSIVE desk (id) AS (SELECT min(delegate_id) FROM patch
    UNION ALL SELECT (SELECT min(delegate_id) FROM patch WHERE delegate_id > desk.id) FROM desk WHERE desk.id IS NOT NULL) ";

/// Takes desk after desk.
fn by_desk(
    kind: Kind,
    filter: &PatchFilter,
    order: Order,
    extent: &Extent,
    states: &[State],
    stretch: Stretch,
) -> Sql {
    let mut query = sql(DESKS);
    desks(&mut query, kind, filter, order, extent, states, stretch);
    query
}

/// Appends a stretch of what lies on desks: ids, dates, desks. SQLite reads it in order where dates are read along; PostgreSQL is told
/// how much of each desk is wanted.
fn desks(
    query: &mut Sql,
    kind: Kind,
    filter: &PatchFilter,
    order: Order,
    extent: &Extent,
    states: &[State],
    stretch: Stretch,
) {
    match kind {
        Kind::Sqlite => query
            .push("SELECT p.id, p.date, lower(d.username) AS desk FROM account d CROSS JOIN patch p INDEXED BY ")
            .push(if extent.wide { "patch_desk" } else { "patch_delegate" })
            // Not from those ids to their names, but along the names.
            .push(" WHERE +d.id IN (SELECT id FROM desk) AND p.delegate_id = d.id AND "),
        Kind::Postgres => query.push(
            "SELECT p.id, p.date, d.desk FROM (SELECT id, lower(username) COLLATE \"C\" AS desk FROM account
                                               WHERE id IN (SELECT id FROM desk)) d
              CROSS JOIN LATERAL (SELECT p.id, p.date FROM patch p WHERE p.delegate_id = d.id AND ",
        ),
    };
    asked(query, kind, filter, states, Start::Delegate);
    if kind == Kind::Postgres {
        query.push(match order.descending {
            true => " ORDER BY p.date, p.id LIMIT ",
            false => " ORDER BY p.date DESC, p.id DESC LIMIT ",
        });
        query.arg(stretch.end()).push(") p");
    }
    query.push(match order.descending {
        true => " ORDER BY desk DESC, d.id, p.date, p.id",
        false => " ORDER BY desk, d.id, p.date DESC, p.id DESC",
    });
    stretched(query, stretch);
}

/// Takes desk after desk, then what lies on none.
fn by_delegate(
    kind: Kind,
    filter: &PatchFilter,
    order: Order,
    extent: &Extent,
    states: &[State],
    stretch: Stretch,
) -> Sql {
    let up_to = Stretch {
        limit: stretch.end(),
        offset: 0,
    };
    let mut query = sql(DESKS);
    query.push("SELECT id FROM (SELECT * FROM (");
    desks(&mut query, kind, filter, order, extent, states, up_to);
    query.push(") desks UNION ALL SELECT id, date, NULL FROM (");
    let nobody = PatchFilter {
        delegate: Some(Delegate::Nobody),
        ..filter.clone()
    };
    let by_date = Order {
        key: OrderKey::Date,
        descending: !order.descending,
    };
    merge(&mut query, kind, &nobody, by_date, &extent.shelves, up_to);
    query.push(match order.descending {
        true => ") nobody) found ORDER BY desk IS NULL, desk DESC, date, id",
        false => ") nobody) found ORDER BY desk IS NULL, desk, date DESC, id DESC",
    });
    stretched(&mut query, stretch);
    query
}
