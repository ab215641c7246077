//! A change of a patch: which fields get which values, by whom and when.

use super::{Patch, RelationId, StateId, Timestamp, UserId};

/// Who does something, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user; `None` for commands that act for nobody.
    pub user: Option<UserId>,
    /// The moment.
    pub at: Timestamp,
}

/// New values for fields of a patch; `None` leaves a field alone, `Some(None)` empties it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatchChange {
    /// Where it stands.
    pub state: Option<StateId>,
    /// Whose turn it is.
    pub delegate: Option<Option<UserId>>,
    /// Whether it is put away.
    pub archived: Option<bool>,
    /// The commit it became.
    pub commit_ref: Option<Option<String>>,
    /// Where to pull it from.
    pub pull_url: Option<Option<String>>,
    /// The set of patches it is related to.
    pub related: Option<Option<RelationId>>,
}

impl PatchChange {
    /// Returns a patch as it is after the change.
    pub fn applied_to(&self, patch: &Patch) -> Patch {
        let mut after = patch.clone();
        set(&mut after.state_id, &self.state);
        set(&mut after.delegate_id, &self.delegate);
        set(&mut after.archived, &self.archived);
        set(&mut after.commit_ref, &self.commit_ref);
        set(&mut after.pull_url, &self.pull_url);
        set(&mut after.related_id, &self.related);
        after
    }
}

fn set<T: Clone>(field: &mut T, new: &Option<T>) {
    if let Some(new) = new {
        *field = new.clone();
    }
}
