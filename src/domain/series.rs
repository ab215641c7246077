//! Series: patches that were sent together, and how they are named.

use super::{CoverId, PersonId, ProjectId, SeriesId, Timestamp};

/// A series.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Series {
    /// Its id.
    pub id: SeriesId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Who sent it.
    pub submitter_id: PersonId,
    /// The letter that opens it.
    pub cover_id: Option<CoverId>,
    /// The name, if one is known yet.
    pub name: Option<String>,
    /// When the first mail of it was written.
    pub date: Timestamp,
    /// The revision, 1 for the first.
    pub version: i64,
    /// The digits after the dot of v5.1, which sends some patches of v5 again; 0 for v5.
    pub minor: i64,
    /// How many patches it announces.
    pub total: i64,
}

/// Returns a series' name for people.
pub fn shown(name: Option<&str>, id: SeriesId) -> String {
    match name.filter(|name| !name.is_empty()) {
        Some(name) => name.to_owned(),
        None => format!("Untitled series #{id}"),
    }
}

/// Returns the name a series has once patch `number`, called `patch_name`, has joined (`domain.md §4`).
pub fn name_after_patch(current: Option<&str>, number: i64, patch_name: &str) -> Option<String> {
    match current.filter(|name| !name.is_empty()) {
        Some(name) => Some(name.to_owned()),
        None if number == 1 => Some(patch_name.to_owned()),
        None => None,
    }
}

/// Returns the name a series has once a cover called `cover_name` has joined.
///
/// A name that somebody chose by hand stays: it differs from what patch 1 is called.
pub fn name_after_cover(
    current: Option<&str>,
    first_patch: Option<&str>,
    cover_name: &str,
) -> String {
    match current.filter(|name| !name.is_empty()) {
        Some(name) if first_patch != Some(name) => name.to_owned(),
        _ => cover_title(cover_name).to_owned(),
    }
}

/// Returns a cover's name without its leading bracket group.
fn cover_title(name: &str) -> &str {
    let rest = name.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match rest {
        Some((_, title)) => title.trim_start(),
        None => name.trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_patch_one_then_the_cover_and_never_go_back() {
        assert_eq!(name_after_patch(None, 2, "[2/2] b"), None);
        assert_eq!(
            name_after_patch(Some(""), 1, "[1/2] a").as_deref(),
            Some("[1/2] a")
        );
        assert_eq!(
            name_after_patch(Some("x"), 1, "[1/2] a").as_deref(),
            Some("x")
        );
        assert_eq!(name_after_cover(None, None, "[v2,0/2] Both"), "Both");
        assert_eq!(
            name_after_cover(Some("[1/2] a"), Some("[1/2] a"), "[0/2] Both"),
            "Both"
        );
        assert_eq!(
            name_after_cover(Some("mine"), Some("[1/2] a"), "[0/2] Both"),
            "mine"
        );
    }

    #[test]
    fn unnamed_series_are_shown_by_id() {
        assert_eq!(shown(Some(""), SeriesId(7)), "Untitled series #7");
    }
}
