//! Filters of lists, as the description of the API tells them: one table beside each resource's list.

use super::version::Version;

/// What the value of a filter means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// A project, by id or linkname.
    Project,
    /// Somebody, by id or address.
    Person,
    /// A user, by id or login name.
    User,
    /// A state of patches, by id, name or slug.
    State,
    /// What a check found, by word or number.
    Result,
    /// What happened, by the word of it.
    Category,
    /// Something else, by id.
    Id,
    /// Yes or no.
    Bool,
    /// Exactly this text.
    Text,
    /// Not before a moment.
    Since,
    /// Before a moment.
    Before,
}

/// A filter of a list.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// Its name in the query string.
    pub name: &'static str,
    /// What its value means.
    pub means: Means,
    /// Since which version it is known; older ones leave the list as it is.
    pub since: Version,
}

impl Filter {
    /// A filter since the first version.
    pub const fn new(name: &'static str, means: Means) -> Filter {
        Filter {
            name,
            means,
            since: Version::V1_0,
        }
    }

    /// Since a later version.
    pub const fn since(self, since: Version) -> Filter {
        Filter { since, ..self }
    }
}
