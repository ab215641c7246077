//! How long a list is, and by which way its rows are best found.
//!
//! A list of a project, some states, put away or not, is counted in `tally`. Other filters are counted in the database, but never
//! far: what has been counted is sorted at once, so a short list takes one statement, and of a long one it is enough to know that
//! it is long. Then many are read in order until the page is full (`find.rs`).

use super::super::{Conn, Kind, Result, sql};
use super::condition::{archived, matching, state_ids};
use crate::domain::{
    StateId,
    check::CheckState,
    filter::{Delegate, PatchFilter, Submitter},
    state::State,
};

/// No list is counted farther than this, unless its length is kept.
const MOST: i64 = 10_000;

/// A list is not counted farther than this, unless somebody pages farther. So many patches are fetched and sorted in a few milliseconds.
const FAR: i64 = 1_000;

/// A list found by looking at each name is not counted farther than this, unless somebody pages farther.
const FAR_BY_LOOKING: i64 = 500;

/// Words in so few names are rare: their patches are fetched and sorted, as most others would be looked at before a page is full.
pub(super) const RARE: i64 = 2_000;

/// So many patches of a project can be looked through, whatever else is asked.
const HANDY: i64 = 20_000;

/// Where the database starts to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At the project and its states.
    Shelves,
    /// There, too, in the order in which patches are wanted, and no farther than they are.
    InOrder,
    /// At one series.
    Series,
    /// At one bundle.
    Bundle,
    /// At the names that contain rare words.
    Words,
    /// At these names, which were looked up for `counted` before.
    Found,
    /// At the patches with a comment that asks for action.
    Comments,
    /// At the patches of one person, or of a few.
    Submitter,
    /// At what lies on a desk, or on none.
    Delegate,
    /// At the patches whose checks have one result together.
    Checks,
    /// At the patches with a tag.
    Tag,
    /// At what came of late.
    News,
}

impl Start {
    /// Says whether the indexes of projects and states must not be used.
    pub(super) fn is_elsewhere(self) -> bool {
        !matches!(
            self,
            Start::Shelves
                | Start::InOrder
                | Start::Submitter
                | Start::Delegate
                | Start::Comments
                | Start::Checks
        )
    }

    /// Says whether it is at what is noted of a patch because of something else. Those patches stand in the order of dates.
    pub(super) fn is_at_marks(self) -> bool {
        matches!(self, Start::Comments | Start::Checks)
    }

    /// Returns the table of patches, with the index that SQLite has to be told to use.
    pub(super) fn table(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Start::Submitter, Kind::Sqlite) => "patch p INDEXED BY patch_submitter",
            (Start::Delegate, Kind::Sqlite) => "patch p INDEXED BY patch_delegate",
            (Start::Comments, Kind::Sqlite) => "patch p INDEXED BY patch_unaddressed",
            (Start::Checks, Kind::Sqlite) => "patch p INDEXED BY patch_check_state",
            // In this order, and no farther than is asked for.
            (Start::Words, Kind::Sqlite) => {
                "patch_words CROSS JOIN patch p ON p.id = patch_words.rowid"
            }
            (Start::Found, _) => "words CROSS JOIN patch p ON p.id = words.id",
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
    /// Whether the shelves hold much of the project.
    pub(super) much: bool,
    /// Whether they hold much of a long project.
    pub(super) wide: bool,
    /// Whether the words asked for may be in few names: SQLite finds out when it counts.
    pub(super) rare: bool,
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
            much: false,
            wide: false,
            rare: false,
        }
    }

    /// Says whether the list is short enough to be fetched whole and sorted.
    pub(super) fn is_few(&self) -> bool {
        self.total <= FAR && !self.more
    }

    /// Takes note that the words asked for are in many names.
    pub(super) fn has_common_words(&mut self, filter: &PatchFilter) {
        let base = self.shelves.iter().map(|shelf| shelf.count).sum();
        self.rare = false;
        self.start = start(filter, base, false);
    }

    /// Returns how far to count for a page that ends at `end`.
    pub(super) fn far(&self, filter: &PatchFilter, end: i64) -> i64 {
        let is_by_names = !filter.words.is_empty() || !filter.without.is_empty();
        let far = match self.rare {
            true => RARE,
            false if is_by_names => FAR_BY_LOOKING,
            false => FAR,
        };
        let steps = [far, RARE, MOST];
        steps.into_iter().find(|far| end < *far).unwrap_or(MOST)
    }
}

/// Returns what is known of a list before it is read: its length, if only a project, states and shelves are asked, else where to start.
/// `states` are all states there are.
///
/// # Errors
/// When the database is away or refuses.
pub(super) async fn known(
    conn: &mut Conn,
    filter: &PatchFilter,
    states: &[State],
) -> Result<Extent> {
    let (shelves, whole) = shelves(conn, filter, states).await?;
    let base: i64 = shelves.iter().map(|shelf| shelf.count).sum();
    let much = base > whole / 4;
    let mut extent = Extent {
        total: base,
        more: false,
        start: Start::Shelves,
        shelves,
        plain: true,
        much,
        wide: base > HANDY && much,
        rare: false,
    };
    if filter.project.is_some() && is_plain(filter) {
        return Ok(extent);
    }
    extent.plain = false;
    let by_words = matching(&filter.words).is_some();
    // PostgreSQL knows by its statistics how rare a word is.
    extent.rare = by_words && conn.kind() == Kind::Sqlite;
    extent.start = start(filter, base, by_words);
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
fn narrow(filter: &PatchFilter, by_words: bool) -> Option<Start> {
    if filter.series.is_some() {
        return Some(Start::Series);
    }
    if filter.bundle.is_some() {
        return Some(Start::Bundle);
    }
    if by_words {
        return Some(Start::Words);
    }
    if filter.unaddressed {
        return Some(Start::Comments);
    }
    if let Some(Submitter::Person(_) | Submitter::Account(_)) = filter.submitter {
        return Some(Start::Submitter);
    }
    if is_of_desk(filter) {
        return Some(Start::Delegate);
    }
    let is_of_bad_checks = filter
        .checks
        .flatten()
        .is_some_and(|state| state != CheckState::Success);
    is_of_bad_checks.then_some(Start::Checks)
}

/// Says whether a list is of what lies on one desk, or on none.
pub(super) fn is_of_desk(filter: &PatchFilter) -> bool {
    matches!(filter.delegate, Some(Delegate::User(_) | Delegate::Nobody))
}

/// Chooses where to start; `base` is how many patches the project and the states leave.
fn start(filter: &PatchFilter, base: i64, by_words: bool) -> Start {
    if let Some(start) = narrow(filter, by_words) {
        return start;
    }
    if filter.project.is_some() && base <= HANDY {
        return Start::Shelves;
    }
    if matching(&filter.words).is_some() {
        return Start::Words;
    }
    match filter {
        PatchFilter {
            submitter: Some(_), ..
        } => Start::Submitter,
        PatchFilter {
            delegate: Some(_), ..
        } => Start::Delegate,
        PatchFilter { tag: Some(_), .. } => Start::Tag,
        _ => Start::Shelves,
    }
}
