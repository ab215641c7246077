//! How long a list is, and by which way its rows are best found.
//!
//! A list of a project, some states, put away or not, is counted in `tally`. Other filters are counted in the database, but never
//! far: what has been counted is sorted at once, so a short list takes one statement, and of a long one it is enough to know that
//! it is long. Then many are read in order until the page is full (`find.rs`).

use super::super::{Conn, Kind, Result, Sql, sql};
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

/// A list found by looking at each name, or at what is told of each patch, is not counted farther than this, unless somebody pages
/// farther.
const FAR_BY_LOOKING: i64 = 500;

/// Words in so few names are rare: their patches are fetched and sorted, as most others would be looked at before a page is full.
pub(super) const RARE: i64 = 2_000;

/// The patches of so few comments that ask for action, or bad checks, are fetched and sorted likewise.
const FEW_MARKS: i64 = 1_500;

/// So many of them are gathered, to ask of each patch along the dates whether it is among them. Of more each patch is asked: there a page
/// is soon full.
const SOME_MARKS: i64 = 8_000;

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
    /// At these names, which were looked up for `counted` before.
    Found,
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
    /// At what came of late.
    News,
    /// At the project and its states, with the marks that are asked at hand.
    Gathered,
}

impl Start {
    /// Says whether the indexes of projects and states must not be used.
    pub(super) fn is_elsewhere(self) -> bool {
        !matches!(
            self,
            Start::Shelves | Start::Submitter | Start::Delegate | Start::Gathered
        )
    }

    /// Says whether it is at what is told of patches, one by one.
    pub(super) fn is_at_marks(self) -> bool {
        matches!(self, Start::Comments | Start::Checks)
    }

    /// Appends the table of patches, behind what leads to them: in this order, and no farther than is asked for.
    pub(super) fn push_table(self, query: &mut Sql, kind: Kind, filter: &PatchFilter) {
        if !self.is_at_marks() {
            query.push(self.table(kind));
            return;
        }
        query.push("(SELECT DISTINCT patch_id FROM ");
        Start::push_marks(query, filter);
        query.push(" ORDER BY patch_id) mark CROSS JOIN patch p");
    }

    /// Appends where the marks are that are asked.
    pub(super) fn push_marks(query: &mut Sql, filter: &PatchFilter) {
        match filter.checks.flatten() {
            Some(state) if !filter.unaddressed => query
                .push("patch_check WHERE state <> 1 AND state = ")
                .arg(state as i64),
            _ => query.push("comment WHERE addressed IS FALSE AND patch_id IS NOT NULL"),
        };
    }

    /// Returns the table of patches, with the index that SQLite has to be told to use.
    pub(super) fn table(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Start::Submitter, Kind::Sqlite) => "patch p INDEXED BY patch_submitter",
            (Start::Delegate, Kind::Sqlite) => "patch p INDEXED BY patch_delegate",
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
    /// Whether the shelves hold most of a long project.
    pub(super) wide: bool,
    /// Whether the words asked for may be in few names: SQLite finds out when it counts.
    pub(super) rare: bool,
    /// How many of the marks there are at which is started, as far as is counted.
    marks: i64,
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
            rare: false,
            marks: 0,
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

    /// Returns where to start when dates are read along.
    pub(super) fn along(&self) -> Start {
        match self.start.is_at_marks() && self.marks <= SOME_MARKS {
            true => Start::Gathered,
            false => Start::Shelves,
        }
    }

    /// Returns how far to count for a page that ends at `end`.
    pub(super) fn far(&self, filter: &PatchFilter, end: i64) -> i64 {
        let is_by_names = !filter.words.is_empty() || !filter.without.is_empty();
        let far = match self.start.is_at_marks() {
            true if self.marks <= FEW_MARKS => FEW_MARKS,
            true => FAR_BY_LOOKING,
            false if self.rare => RARE,
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
    let mut extent = Extent {
        total: base,
        more: false,
        start: Start::Shelves,
        shelves,
        plain: true,
        wide: base > HANDY && base > whole / 4,
        rare: false,
        marks: 0,
    };
    if filter.project.is_some() && is_plain(filter) {
        return Ok(extent);
    }
    extent.plain = false;
    let by_words = matching(&filter.words).is_some();
    // PostgreSQL knows by its statistics how rare a word is.
    extent.rare = by_words && conn.kind() == Kind::Sqlite;
    extent.start = start(filter, base, by_words);
    if extent.start.is_at_marks() {
        extent.marks = marks(conn, filter).await?;
    }
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
    is_of_desk(filter).then_some(Start::Delegate)
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
        PatchFilter {
            checks: Some(Some(state)),
            ..
        } if *state != CheckState::Success => Start::Checks,
        PatchFilter { tag: Some(_), .. } => Start::Tag,
        _ => Start::Shelves,
    }
}

/// Counts the marks at which a list starts, not far.
async fn marks(conn: &mut Conn, filter: &PatchFilter) -> Result<i64> {
    let mut query = sql("SELECT count(*) FROM (SELECT 1 FROM ");
    Start::push_marks(&mut query, filter);
    query.push(" LIMIT ").arg(SOME_MARKS + 1).push(") found");
    let (count,) = query.one(conn).await?;
    Ok(count)
}
