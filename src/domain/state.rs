//! States: where a patch stands.

use super::StateId;

/// A state of patches.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct State {
    /// Its id.
    pub id: StateId,
    /// The name, as people see it.
    pub name: String,
    /// The name, as URLs and scripts spell it.
    pub slug: String,
    /// The place in menus; the state with ordering 0 is what new patches get.
    pub ordering: i64,
    /// Whether somebody has to act.
    pub action_required: bool,
}

impl State {
    /// Says whether a name or a slug means this state, ignoring case.
    pub fn is_called(&self, word: &str) -> bool {
        let word = word.trim().to_lowercase();
        self.name.to_lowercase() == word || self.slug == word
    }
}

/// Returns the state that new patches get.
pub fn initial(states: &[State]) -> Option<&State> {
    states.iter().find(|state| state.ordering == 0)
}
