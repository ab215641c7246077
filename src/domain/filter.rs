//! Which patches a list shows, and in which order. Each face maps its own spelling to these (`web.md §6`).

use super::{
    BundleId, PersonId, ProjectId, SeriesId, StateId, TagId, Timestamp, UserId, check::CheckState,
    search::Term,
};

/// Whose patches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitter {
    /// This person's, and those of all persons of the same account.
    Person(PersonId),
    /// Of all persons of an account.
    Account(UserId),
    /// Of people whose name or address contains this, ignoring case.
    Matching(String),
}

/// On whose desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delegate {
    /// On nobody's.
    Nobody,
    /// On this user's.
    User(UserId),
    /// On a user's whose login name contains this, ignoring case.
    Matching(String),
}

impl Delegate {
    /// Reads whose desk is meant: `nobody`, a user's number, part of a login name.
    pub fn read(text: &str) -> Delegate {
        match text.parse() {
            Ok(id) => Delegate::User(UserId(id)),
            Err(_) if text.eq_ignore_ascii_case("nobody") => Delegate::Nobody,
            Err(_) => Delegate::Matching(text.to_owned()),
        }
    }
}

/// In which states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum States {
    /// Those in which somebody has to act.
    #[default]
    ActionRequired,
    /// In any.
    Any,
    /// In one of these.
    Among(Vec<StateId>),
}

/// Whether put away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Archive {
    /// Only patches that are not.
    #[default]
    No,
    /// Only patches that are.
    Yes,
    /// Both.
    Both,
}

/// Which patches a list shows; conditions are combined with "and".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatchFilter {
    /// Of which project.
    pub project: Option<ProjectId>,
    /// Of one of these projects; empty for any.
    pub among: Vec<ProjectId>,
    /// Of which bundle.
    pub bundle: Option<BundleId>,
    /// Of which series.
    pub series: Option<SeriesId>,
    /// Whose.
    pub submitter: Option<Submitter>,
    /// On whose desk.
    pub delegate: Option<Delegate>,
    /// In which states.
    pub states: States,
    /// Whether put away.
    pub archive: Archive,
    /// Words that all occur in the name, ignoring case.
    pub words: Vec<String>,
    /// Words that do not occur in the name.
    pub without: Vec<String>,
    /// Written at or after.
    pub since: Option<Timestamp>,
    /// Written before.
    pub before: Option<Timestamp>,
    /// With this combined result of checks; `Some(None)`: without any check.
    pub checks: Option<Option<CheckState>>,
    /// With at least so many of a tag.
    pub tag: Option<(TagId, i64)>,
    /// With a comment that asks for action.
    pub unaddressed: bool,
    /// What a search asks of the patch, its mail or its comments; whether that must not be.
    pub said: Vec<(bool, Term)>,
    /// But not these.
    pub except: Except,
}

/// What a list leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Except {
    /// Patches of people whose name or address contains one of these, ignoring case.
    pub submitters: Vec<String>,
    /// Patches of all persons of one of these accounts.
    pub accounts: Vec<UserId>,
    /// Patches on one of these desks.
    pub delegates: Vec<Delegate>,
    /// Patches in one of these states.
    pub states: Vec<StateId>,
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderKey {
    /// When the patch was written.
    #[default]
    Date,
    /// The patch's name.
    Name,
    /// The state's place in menus.
    State,
    /// The submitter's name.
    Submitter,
    /// The delegate's login name; patches without come last.
    Delegate,
    /// The place in the series.
    Number,
    /// The place in the bundle.
    Place,
}

/// How a list is sorted. Ties are broken by date the other way round, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// What by.
    pub key: OrderKey,
    /// Largest first.
    pub descending: bool,
}

impl Default for Order {
    fn default() -> Self {
        Order {
            key: OrderKey::Date,
            descending: true,
        }
    }
}
