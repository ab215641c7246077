//! A patch in the form in which revisions are compared: as text, without what changes whenever code moves.

use super::Patch;
use crate::mail::{
    outline::{self, Change, FileDiff, Hunk, LineKind},
    space::printable,
};

/// A patch as lines.
pub(super) struct Form {
    /// Author, message, files.
    pub lines: Vec<String>,
    /// Where the diff begins.
    pub diff: usize,
    /// How many lines of the diff say something.
    pub size: usize,
    /// Whether it goes on.
    pub cut: bool,
}

impl Form {
    /// Returns the form of a patch, with not much more than `most` lines.
    pub fn of(patch: &Patch, most: usize) -> Form {
        let mut lines = vec![
            " ## Metadata ##".to_owned(),
            format!("Author: {}", printable(&patch.commit.author)),
            String::new(),
            " ## Commit message ##".to_owned(),
            format!("    {}", patch.commit.subject),
        ];
        if !patch.commit.body.is_empty() {
            lines.push(String::new());
            let body = patch.commit.body.lines().map(|line| match line {
                "" => String::new(),
                line => format!("    {line}"),
            });
            lines.extend(body.take(most));
        }
        let mut form = Form {
            diff: lines.len(),
            size: 0,
            cut: lines.len() > most,
            lines,
        };
        for file in outline::outline(patch.diff) {
            form.take_file(&file, most);
        }
        form
    }

    fn take_file(&mut self, file: &FileDiff, most: usize) {
        // Text around a diff names no file.
        if file.name().is_none() {
            return;
        }
        self.lines.push(String::new());
        self.take(format!(" ## {} ##", title(file)), most);
        for hunk in &file.hunks {
            self.take(opening(file, hunk), most);
            for line in hunk.lines.iter().skip(1) {
                let text = line.text.strip_suffix('\n').unwrap_or(line.text);
                match line.kind {
                    // The blank of a blank line is lost on many ways.
                    LineKind::Context if text.is_empty() => self.take(" ".to_owned(), most),
                    LineKind::Context | LineKind::Added | LineKind::Removed => {
                        self.take(text.to_owned(), most);
                    }
                    LineKind::NoNewline => self.take(format!(" {text}"), most),
                    _ => {}
                }
            }
        }
    }

    fn take(&mut self, line: String, most: usize) {
        if self.lines.len() >= most {
            self.cut = true;
            return;
        }
        self.size += 1;
        self.lines.push(line);
    }
}

fn opening(file: &FileDiff, hunk: &Hunk) -> String {
    match hunk.heading.trim() {
        "" => "@@".to_owned(),
        heading => format!("@@ {}: {heading}", file.name().unwrap_or_default()),
    }
}

fn title(file: &FileDiff) -> String {
    let name = file.name().unwrap_or_default();
    let mut out = match (&file.old, file.change) {
        (_, Change::Added) => format!("{name} (new)"),
        (_, Change::Deleted) => format!("{name} (deleted)"),
        (Some(old), Change::Renamed | Change::Copied) => format!("{old} => {name}"),
        _ => name.to_owned(),
    };
    if let (Some(old), Some(new)) = (file.old_mode, file.new_mode)
        && old != new
    {
        out.push_str(&format!(" (mode change {old} => {new})"));
    }
    out
}

/// Returns what a line names, if it begins a part: a file, the message, a function.
pub(super) fn section(line: &str) -> Option<&str> {
    let part = line.strip_prefix(" ## ");
    part.and_then(|rest| rest.strip_suffix(" ##"))
        .or_else(|| line.strip_prefix("@@ "))
}
