//! The hash of a diff: equal for equal changes, wherever in the file and by whatever program
//! (`domain.md §6`). Commit hooks compute it too, so every byte counts.

use sha1::{Digest, Sha1};

use super::hunk::HunkHead;
use super::space::{is_space, strip};
use crate::domain::DiffHash;

/// Returns the hash of a diff.
///
/// Compatibility: a removed line that begins `-- x` is taken for a file name, as ever.
pub fn diff_hash(diff: &str) -> DiffHash {
    let without_cr;
    let diff = match diff.contains('\r') {
        true => {
            without_cr = diff.replace('\r', "");
            &without_cr
        }
        false => diff,
    };
    let mut sha = Sha1::new();
    for line in strip(diff).split('\n') {
        feed(line, &mut sha);
    }
    let hex = sha
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    DiffHash::new(hex)
}

/// Feeds what a line contributes: lines that change with place or program contribute less, or nothing.
fn feed(line: &str, sha: &mut Sha1) {
    if let Some((mark, name)) = file_name(line) {
        let side = if mark == "---" { "--- a/" } else { "+++ b/" };
        let name = name.split_once('/').map_or("", |(_, name)| name);
        sha.update(format!("{side}{name}\n"));
    } else if let Some(head) = HunkHead::read(line) {
        let (old, new) = head.digits();
        sha.update(format!("@@ -{old} +{new} @@\n"));
    } else if line.starts_with(['-', '+', ' ']) {
        sha.update(line);
        sha.update(b"\n");
    }
}

/// Returns the mark and the name of a line that names a file.
fn file_name(line: &str) -> Option<(&str, &str)> {
    let (mark, rest) = line
        .split_at_checked(3)
        .filter(|(mark, _)| matches!(*mark, "---" | "+++"))?;
    let name = rest.strip_prefix(' ')?.split(is_space).next()?;
    (!name.is_empty()).then_some((mark, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn hashes_are_those_of_the_table() {
        let table: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/mail/hash.json"))
                .expect("valid table");
        for case in table {
            for diff in case["diffs"].as_array().expect("a list") {
                let diff = diff.as_str().expect("a diff");
                assert_eq!(
                    diff_hash(diff).as_str(),
                    case["hash"].as_str().expect("a hash"),
                    "{diff:?}"
                );
            }
        }
    }
}
