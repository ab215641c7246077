//! The files a diff touches, as delegation rules ask for them (`mail.md §10.3`).

use std::collections::BTreeSet;

use super::name::{git_pair, is_nothing, marked, whole, without_first};
use super::outline::{FileDiff, LineKind, outline};

/// Returns the names of all files that a diff changes, moves or creates.
///
/// Only header lines are read: a removed SQL comment is no file name. The first folder is dropped,
/// which is `a` or `b` most of the time; names that come without a side are taken whole.
pub fn files(diff: &str) -> BTreeSet<String> {
    outline(diff)
        .iter()
        .flat_map(names)
        .filter(|name| !name.is_empty())
        .collect()
}

fn names(file: &FileDiff) -> Vec<String> {
    let headers = file
        .head
        .iter()
        .filter(|line| line.kind == LineKind::Header);
    let git = headers
        .clone()
        .any(|line| line.text.starts_with("diff --git "));
    headers.flat_map(|line| names_on(line.text, git)).collect()
}

fn names_on(line: &str, git: bool) -> Vec<String> {
    let after = |start: &str| line.strip_prefix(start);
    if let Some(rest) = after("--- ").or_else(|| after("+++ ")) {
        return sided(&[marked(rest, git)]);
    }
    if let Some(rest) = after("diff --git ") {
        return git_pair(rest).map_or(Vec::new(), |(old, new)| sided(&[old, new]));
    }
    let moved = after("rename from ")
        .or_else(|| after("rename to "))
        .or_else(|| after("copy to "));
    moved.map(whole).into_iter().collect()
}

/// Returns the names without their first folder, and none for files that are not there.
fn sided(names: &[String]) -> Vec<String> {
    names
        .iter()
        .filter(|name| !is_nothing(name))
        .map(|name| without_first(name).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn files_are_found_as_the_table_says() {
        let table: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/mail/files.json"))
                .expect("valid table");
        for case in table {
            let diff: Vec<&str> = case["diff"]
                .as_array()
                .expect("lines")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            assert_eq!(json!(files(&diff.join("\n"))), case["files"], "{case}");
        }
    }
}
