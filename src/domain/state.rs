//! States: where a patch stands.

use super::StateId;

/// The slug of the state in which the author has to act, if the site has it.
pub const CHANGES_REQUESTED: &str = "changes-requested";

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

/// Makes a slug of a name.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            c if c.is_alphanumeric() => slug.push(c),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Returns everything that is wrong with a state beside the others, one sentence each. The state with ordering 0 keeps its
/// place: new patches get it.
pub fn faults(wanted: &State, states: &[State]) -> Vec<String> {
    let mut faults = Vec::new();
    if wanted.name.trim().is_empty() || wanted.name.chars().count() > 100 {
        faults.push("the name has 1 to 100 characters".to_owned());
    }
    let is_slug = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    if !is_slug(&wanted.slug) || wanted.slug.chars().count() > 100 {
        faults.push("the slug has 1 to 100 letters, digits, '-' and '_'".to_owned());
    }
    for other in states.iter().filter(|other| other.id != wanted.id) {
        if other.name == wanted.name {
            faults.push(format!("there is a state '{}'", other.name));
        }
        if other.slug == wanted.slug {
            faults.push(format!(
                "the state '{}' has the slug '{}'",
                other.name, other.slug
            ));
        }
        if other.ordering == wanted.ordering {
            faults.push(format!(
                "the state '{}' has the ordering {}",
                other.name, other.ordering
            ));
        }
    }
    let was_first = initial(states).is_some_and(|first| first.id == wanted.id);
    if was_first && wanted.ordering != 0 {
        faults.push("new patches get this state: it keeps the ordering 0".to_owned());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_make_slugs() {
        assert_eq!(slug("Awaiting Upstream"), "awaiting-upstream");
        assert_eq!(slug(" (New!) "), "new");
        assert_eq!(slug("…"), "");
    }
}
