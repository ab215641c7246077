//! Outlines of small diffs of each kind.

use super::*;
use serde_json::{Value, json};

/// One letter per kind of line, for short tables.
fn letter(kind: LineKind) -> char {
    match kind {
        LineKind::Header => 'h',
        LineKind::HunkHead => '@',
        LineKind::Context => 'c',
        LineKind::Added => '+',
        LineKind::Removed => '-',
        LineKind::NoNewline => '\\',
        LineKind::Binary => 'b',
        LineKind::Text => 't',
    }
}

fn summary(file: &FileDiff) -> Value {
    json!({
        "old": file.old,
        "new": file.new,
        "change": format!("{:?}", file.change),
        "binary": file.binary,
        "counts": [file.added, file.removed],
        "hunks": file.hunks.len(),
        "kinds": file.lines().map(|line| letter(line.kind)).collect::<String>(),
    })
}

#[test]
fn diffs_are_outlined_as_the_table_says() {
    let table: Vec<Value> =
        serde_json::from_str(include_str!("../../../tests/data/mail/outline.json"))
            .expect("valid table");
    for case in table {
        let lines: Vec<&str> = case["diff"]
            .as_array()
            .expect("lines")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let diff = lines.join("\n");
        let files = outline(&diff);
        let found: Vec<Value> = files.iter().map(summary).collect();
        assert_eq!(json!(found), case["files"], "{}", case["name"]);
        let together: String = files
            .iter()
            .flat_map(FileDiff::lines)
            .map(|line| line.text)
            .collect();
        assert_eq!(together, diff);
    }
}

#[test]
fn lines_know_their_numbers() {
    let files = outline("--- a/f\n+++ b/f\n@@ -3,3 +7,4 @@ main\n a\n-b\n+c\n+d\n e\n");
    let hunk = &files[0].hunks[0];
    let numbers: Vec<_> = hunk
        .lines
        .iter()
        .skip(1)
        .map(|line| (line.old, line.new))
        .collect();
    assert_eq!(hunk.heading, "main");
    assert_eq!(
        numbers,
        [
            (Some(3), Some(7)),
            (Some(4), None),
            (None, Some(8)),
            (None, Some(9)),
            (Some(5), Some(10)),
        ]
    );
}

#[test]
fn numbers_that_are_too_large_do_not_matter() {
    let huge = "9".repeat(40);
    let diff = format!("--- a\n+++ b\n@@ -{huge},{huge} +{huge},{huge} @@\n a\n+b\n");
    assert_eq!(outline(&diff)[0].added, 1);
}
