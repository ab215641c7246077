//! Patches: what is waiting for a decision.

use super::{
    DiffHash, MessageId, PatchId, PersonId, ProjectId, RelationId, SeriesId, StateId, Timestamp,
    UserId,
};

/// A patch without its texts.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Patch {
    /// Its id.
    pub id: PatchId,
    /// The project of the list it came to.
    pub project_id: ProjectId,
    /// Who sent it.
    pub submitter_id: PersonId,
    /// Where it stands.
    pub state_id: StateId,
    /// Whose turn it is.
    pub delegate_id: Option<UserId>,
    /// The series it is part of.
    pub series_id: Option<SeriesId>,
    /// The set of patches it is related to.
    pub related_id: Option<RelationId>,
    /// Its place in the series.
    pub number: Option<i64>,
    /// Whether it is put away.
    pub archived: bool,
    /// When it was written.
    pub date: Timestamp,
    /// The message id.
    pub msgid: MessageId,
    /// The cleaned subject.
    pub name: String,
    /// The hash of its diff.
    pub hash: Option<DiffHash>,
    /// The commit it became.
    pub commit_ref: Option<String>,
    /// Where to pull it from.
    pub pull_url: Option<String>,
}

/// The texts of a patch.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct PatchBody {
    /// All received headers, one per line, folding kept.
    pub headers: String,
    /// The message.
    pub content: Option<String>,
    /// The diff, byte for byte.
    pub diff: Option<String>,
}

/// Returns what lists sort and search a name by.
pub fn name_key(name: &str) -> String {
    name.to_lowercase()
}

/// Returns a name as a file name without extension, `fallback` when nothing of it is left.
///
/// Compatibility: clients cut this out of `Content-Disposition`, so only `-_A-Za-z0-9.` occur (`web.md §7.5`).
pub fn file_name(name: &str, fallback: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut is_run = false;
    for c in name.chars() {
        let is_plain = matches!(c, '-' | '_' | '.' | 'A'..='Z' | 'a'..='z' | '0'..='9');
        match (is_plain, is_run) {
            (true, _) => out.push(c),
            (false, false) => out.push('-'),
            (false, true) => {}
        }
        is_run = !is_plain;
    }
    match out.trim_matches('-') {
        "" => fallback.to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_plain() {
        let cases = [
            ("[v2,1/2] foo: bar/baz (x)", "v2-1-2-foo-bar-baz-x"),
            ("été", "t"),
            ("...", "..."),
            ("☃", "patch-1"),
            ("a - b", "a---b"),
            ("a: / b", "a-b"),
        ];
        for (name, expected) in cases {
            assert_eq!(file_name(name, "patch-1"), expected);
        }
    }
}
