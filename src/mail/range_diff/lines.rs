//! What differs between two lists of lines, with some lines around it.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, Hunk, IndentHeuristic, IndentLevel, Interner, Token};

use super::{Inter, Outer, form};

/// So many lines are shown around what differs.
const AROUND: u32 = 3;

/// Changes near each other, with the lines around them: what a hunk shows.
struct Group {
    before: Range<u32>,
    changes: Vec<Hunk>,
}

fn groups(before: &[Token], after: &[Token], interner: &Interner<&str>) -> Vec<Group> {
    let mut diff = Diff::default();
    diff.compute_with(Algorithm::Myers, before, after, interner.num_tokens());
    diff.postprocess_with(
        before,
        after,
        IndentHeuristic::new(|token: Token| {
            IndentLevel::for_ascii_line(interner[token].bytes(), 8)
        }),
    );
    let end = before.len() as u32;
    let mut out: Vec<Group> = Vec::new();
    for change in diff.hunks() {
        let shown = change.before.start.saturating_sub(AROUND)
            ..change.before.end.saturating_add(AROUND).min(end);
        match out.last_mut() {
            Some(last) if shown.start <= last.before.end => {
                last.before.end = shown.end;
                last.changes.push(change);
            }
            _ => out.push(Group {
                before: shown,
                changes: vec![change],
            }),
        }
    }
    out
}

/// Returns how many lines the diff between two lists has, those that open a hunk among them.
pub(super) fn cost(before: &[Token], after: &[Token], interner: &Interner<&str>) -> i64 {
    let of_one = |group: &Group| {
        let new: usize = group.changes.iter().map(|change| change.after.len()).sum();
        1 + group.before.len() as i64 + new as i64
    };
    groups(before, after, interner).iter().map(of_one).sum()
}

/// Returns the diff between two lists.
pub(super) fn diff(before: &[Token], after: &[Token], interner: &Interner<&str>) -> Vec<Inter> {
    let mut out = Vec::new();
    let mut section = None;
    let mut looked = 0;
    for group in groups(before, after, interner) {
        // Each line is looked at once, whatever the number of hunks.
        let start = group.before.start as usize;
        let mut over = before[looked..start].iter().rev();
        section = over
            .find_map(|token| form::section(interner[*token]))
            .or(section);
        looked = start;
        out.push(Inter {
            outer: Outer::Head,
            text: named(section.unwrap_or_default()).to_owned(),
        });
        let mut at = group.before.start;
        for change in &group.changes {
            push(
                &mut out,
                Outer::Both,
                before,
                at..change.before.start,
                interner,
            );
            push(
                &mut out,
                Outer::Old,
                before,
                change.before.clone(),
                interner,
            );
            push(&mut out, Outer::New, after, change.after.clone(), interner);
            at = change.before.end;
        }
        push(
            &mut out,
            Outer::Both,
            before,
            at..group.before.end,
            interner,
        );
    }
    out
}

/// Cuts what a hunk is in to the length that git prints.
fn named(section: &str) -> &str {
    section[..section.floor_char_boundary(80)].trim_end()
}

fn push(
    out: &mut Vec<Inter>,
    outer: Outer,
    tokens: &[Token],
    range: Range<u32>,
    interner: &Interner<&str>,
) {
    let tokens = &tokens[range.start as usize..range.end as usize];
    out.extend(tokens.iter().map(|token| Inter {
        outer,
        text: interner[*token].to_owned(),
    }));
}
