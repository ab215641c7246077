//! Tags: trailers that are counted, such as `Reviewed-by`.

use super::TagId;

/// A trailer that is counted.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Tag {
    /// Its id.
    pub id: TagId,
    /// The name, such as `Reviewed-by`.
    pub name: String,
    /// What to look for: a regular expression, applied per line, ignoring case.
    pub pattern: String,
    /// One or two letters for narrow columns.
    pub abbrev: String,
    /// Whether lists show it.
    pub show_column: bool,
}
