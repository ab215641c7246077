//! How long a list is, and by which way its rows are best found.
//!
//! A list of a project, some states, put away or not, is counted in `tally`. Other filters are counted in the database, but never
//! far: to a number that nobody pages to. What is found on the way decides how a page is made (`find.rs`): few rows are
//! fetched and sorted, many are read in order until the page is full.

use super::super::{Conn, Kind, Result, Sql, sql};
use super::condition::{archived, conditions, matching, state_ids};
use crate::domain::{
    StateId,
    check::CheckState,
    filter::{Delegate, PatchFilter, Submitter},
    state::State,
};

/// No list is counted farther than this, unless its length is kept.
const MOST: i64 = 10_000;

/// A list found by words is not counted farther than this: each name has to be looked at.
const MOST_BY_WORDS: i64 = 1_000;

/// So many patches are fetched and sorted in a few milliseconds.
const FEW: i64 = 3_000;

/// So many patches of a project can be looked through, whatever else is asked.
const HANDY: i64 = 20_000;

/// Where the database starts to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At the project and its states.
    Shelves,
    /// At one series.
    Series,
    /// At one bundle.
    Bundle,
    /// At the names that contain rare words.
    Words,
    /// At the comments that ask for action.
    Comments,
    /// At the patches of one person, or of a few.
    Submitter,
    /// At what lies on a desk, or on none.
    Delegate,
    /// At checks that are no success.
    Checks,
    /// At the patches with a tag.
    Tag,
}

impl Start {
    /// Says whether the indexes of projects and states must not be used.
    pub(super) fn is_elsewhere(self) -> bool {
        !matches!(self, Start::Shelves | Start::Submitter | Start::Delegate)
    }

    /// Returns the table of patches, with the index that SQLite has to be told to use.
    pub(super) fn table(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Start::Submitter, Kind::Sqlite) => "patch p INDEXED BY patch_submitter",
            (Start::Delegate, Kind::Sqlite) => "patch p INDEXED BY patch_delegate",
            _ => "patch p",
        }
    }
}

/// Patches of one state, put away or not: a part of a list that indexes hold in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shelf {
    pub state: StateId,
    pub ordering: i64,
    pub archived: bool,
    /// How many patches of the project there are, whatever else is asked.
    pub count: i64,
}

/// How long a list is, and how its rows are found.
#[derive(Clone, Debug)]
pub struct Extent {
    /// How many patches there are, or how many were counted.
    pub total: i64,
    /// Whether there are more than were counted.
    pub more: bool,
    pub(super) start: Start,
    pub(super) shelves: Vec<Shelf>,
    /// Whether `total` is what the shelves hold together: nothing else is asked.
    pub(super) plain: bool,
    /// Whether the shelves hold most of a long project.
    pub(super) wide: bool,
}

impl Extent {
    /// That of a list which is known to be short by what it is of.
    pub(super) fn short(filter: &PatchFilter) -> Extent {
        Extent {
            total: 0,
            more: false,
            start: narrow(filter, false).unwrap_or(Start::Shelves),
            shelves: Vec::new(),
            plain: false,
            wide: false,
        }
    }

    /// Says whether the list is short enough to be fetched whole and sorted.
    pub(super) fn is_few(&self) -> bool {
        self.total <= FEW && !self.more
    }
}

/// Returns how long a list is. `states` are all states there are.
///
/// # Errors
/// When the database is away or refuses.
pub async fn measure(conn: &mut Conn, filter: &PatchFilter, states: &[State]) -> Result<Extent> {
    let (shelves, whole) = shelves(conn, filter, states).await?;
    let base: i64 = shelves.iter().map(|shelf| shelf.count).sum();
    let mut extent = Extent {
        total: base,
        more: false,
        start: Start::Shelves,
        shelves,
        plain: true,
        wide: base > HANDY && base > whole / 4,
    };
    if filter.project.is_some() && is_plain(filter) {
        return Ok(extent);
    }
    let rare = has_rare_words(conn, filter).await?;
    extent.plain = false;
    extent.start = start(filter, base, rare);
    let most = match filter.words.is_empty() && filter.without.is_empty() {
        true => MOST,
        false => MOST_BY_WORDS,
    };
    let found = count(conn, filter, states, &extent, most + 1).await?;
    extent.total = found.min(most);
    extent.more = found > most;
    Ok(extent)
}

/// Says whether a filter names nothing but a project, states, and whether put away.
fn is_plain(filter: &PatchFilter) -> bool {
    *filter
        == PatchFilter {
            project: filter.project,
            states: filter.states.clone(),
            archive: filter.archive,
            ..PatchFilter::default()
        }
}

/// Returns the shelves of a list's project, in the order of states, and how many patches the project has. A series or a bundle needs none.
async fn shelves(
    conn: &mut Conn,
    filter: &PatchFilter,
    states: &[State],
) -> Result<(Vec<Shelf>, i64)> {
    let (Some(project), None, None) = (filter.project, filter.series, filter.bundle) else {
        return Ok((Vec::new(), 0));
    };
    let counts: Vec<(StateId, bool, i64)> = sql(
        "SELECT state_id, archived, count FROM tally WHERE project_id = $1 AND kind = 'patch' AND category = '' AND count > 0",
    )
    .bind(project)
    .all(conn)
    .await?;
    let whole = counts.iter().map(|(_, _, count)| count).sum();
    let (wanted, put_away) = (state_ids(&filter.states, states), archived(filter.archive));
    let shelf = |(id, archived, count): (StateId, bool, i64)| {
        let state = states.iter().find(|state| state.id == id)?;
        let is_asked = wanted.as_ref().is_none_or(|wanted| wanted.contains(&id))
            && put_away.is_none_or(|put_away| put_away == archived);
        is_asked.then_some(Shelf {
            state: id,
            ordering: state.ordering,
            archived,
            count,
        })
    };
    let mut shelves: Vec<Shelf> = counts.into_iter().filter_map(shelf).collect();
    shelves.sort_by_key(|shelf| (shelf.ordering, shelf.archived));
    Ok((shelves, whole))
}

/// Returns what alone makes a list short enough, if the filter names such a thing.
fn narrow(filter: &PatchFilter, rare: bool) -> Option<Start> {
    if filter.series.is_some() {
        return Some(Start::Series);
    }
    if filter.bundle.is_some() {
        return Some(Start::Bundle);
    }
    if rare {
        return Some(Start::Words);
    }
    if filter.unaddressed {
        return Some(Start::Comments);
    }
    if let Some(Submitter::Person(_) | Submitter::Account(_)) = filter.submitter {
        return Some(Start::Submitter);
    }
    is_of_desk(filter).then_some(Start::Delegate)
}

/// Says whether a list is of what lies on one desk, or on none.
pub(super) fn is_of_desk(filter: &PatchFilter) -> bool {
    matches!(filter.delegate, Some(Delegate::User(_) | Delegate::Nobody))
}

/// Chooses where to start; `base` is how many patches the project and the states leave.
fn start(filter: &PatchFilter, base: i64, rare: bool) -> Start {
    if let Some(start) = narrow(filter, rare) {
        return start;
    }
    if filter.project.is_some() && base <= HANDY {
        return Start::Shelves;
    }
    match filter {
        PatchFilter {
            submitter: Some(_), ..
        } => Start::Submitter,
        PatchFilter {
            delegate: Some(_), ..
        } => Start::Delegate,
        PatchFilter {
            checks: Some(Some(state)),
            ..
        } if *state != CheckState::Success => Start::Checks,
        PatchFilter { tag: Some(_), .. } => Start::Tag,
        _ => Start::Shelves,
    }
}

/// Says whether so few names contain the words that one may start there.
async fn has_rare_words(conn: &mut Conn, filter: &PatchFilter) -> Result<bool> {
    let Some(asked) = matching(&filter.words) else {
        return Ok(false);
    };
    // PostgreSQL knows by its statistics.
    if conn.kind() == Kind::Postgres {
        return Ok(true);
    }
    let mut query =
        sql("SELECT count(*) FROM (SELECT rowid FROM patch_words WHERE patch_words MATCH ");
    query.arg(asked);
    query.push(" LIMIT ").arg(FEW + 1).push(") found");
    let (count,): (i64,) = query.one(conn).await?;
    Ok(count <= FEW)
}

/// Returns how many patches a list has, or `cap` when there are more.
async fn count(
    conn: &mut Conn,
    filter: &PatchFilter,
    states: &[State],
    extent: &Extent,
    cap: i64,
) -> Result<i64> {
    let mut query = sql("SELECT count(*) FROM (SELECT 1 FROM ").planned_anew();
    let (kind, start) = (conn.kind(), extent.start);
    query.push(match (start, kind, filter.words.is_empty()) {
        // The names stand in this index: no row has to be fetched to read one.
        (Start::Shelves, Kind::Sqlite, false) if filter.project.is_some() => {
            "patch p INDEXED BY patch_name"
        }
        _ => start.table(kind),
    });
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
    query.push(" LIMIT ").arg(cap).push(") found");
    let (count,): (i64,) = query.one(conn).await?;
    Ok(count)
}

/// Appends the conditions of a whole list.
pub(super) fn asked(
    query: &mut Sql,
    kind: Kind,
    filter: &PatchFilter,
    states: &[State],
    start: Start,
) {
    let wanted = state_ids(&filter.states, states);
    conditions(
        query,
        kind,
        filter,
        wanted.as_deref(),
        archived(filter.archive),
        start,
    );
}
