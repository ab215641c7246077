//! The tree that a whole series applies to, made up from its diffs: what hunks take stands where they say, also
//! when patches before it have moved it; with other lines in between.

use std::{collections::BTreeMap, io::Write};

use patchwork::mail::{
    self,
    hunk::HunkHead,
    outline::{Change, FileDiff, Hunk, LineKind},
};

use super::base::mode;

/// Files longer than this are not made up.
const MAX_LINES: usize = 1 << 16;

/// Files by name, each with its mode and content.
pub type Files = BTreeMap<String, (String, String)>;

/// A line of a file while patches are applied.
#[derive(Clone, Debug)]
enum Line {
    /// The line of the base with this number, known or not.
    Base(usize),
    /// A line that a patch brought.
    New(String),
}

/// A file while patches are applied.
#[derive(Clone, Debug, Default)]
struct State {
    /// Its name in the base; none if a patch made it.
    base: Option<String>,
    lines: Vec<Line>,
}

/// A file of the base, as far as it is known.
#[derive(Default)]
struct Base {
    mode: String,
    known: BTreeMap<usize, String>,
    /// Names of functions that stand before a line, if nothing else is known of the line.
    hints: BTreeMap<usize, String>,
    length: usize,
    unended: bool,
}

#[derive(Default)]
struct Trees {
    bases: BTreeMap<String, Base>,
    now: BTreeMap<String, State>,
}

/// Returns the files that a series needs; none if its diffs contradict each other, or are no text.
pub fn before<'a>(diffs: impl Iterator<Item = &'a str>) -> Option<Files> {
    let mut trees = Trees::default();
    for diff in diffs {
        let files = mail::outline(diff);
        if files.iter().all(|file| file.hunks.is_empty()) {
            return None;
        }
        for file in &files {
            trees.apply(file)?;
        }
    }
    let file = |(name, base): (String, Base)| {
        let content = base.content(&name);
        (name, (base.mode, content))
    };
    Some(trees.bases.into_iter().map(file).collect())
}

impl Trees {
    fn apply(&mut self, file: &FileDiff) -> Option<()> {
        let mode = mode(file);
        let name = file.name()?;
        let sound = name
            .split('/')
            .all(|part| !matches!(part, "" | "." | ".." | ".git"));
        let odd = file.binary || mode == "160000" || file.change == Change::Copied;
        if odd || !sound {
            return None;
        }
        if file.change == Change::Added {
            if self.now.contains_key(name) || self.bases.contains_key(name) {
                return None;
            }
            self.now.insert(name.to_owned(), State::default());
        }
        let old = file.old.clone().unwrap_or_else(|| name.to_owned());
        let old = if file.change == Change::Added {
            name.to_owned()
        } else {
            old
        };
        if !self.now.contains_key(&old) {
            if self.bases.contains_key(&old) {
                return None;
            }
            let base = Base {
                mode,
                ..Base::default()
            };
            self.bases.insert(old.clone(), base);
            let state = State {
                base: Some(old.clone()),
                lines: Vec::new(),
            };
            self.now.insert(old.clone(), state);
        }
        let mut state = self.now.remove(&old)?;
        let mut none = Base::default();
        let base = match &state.base {
            Some(name) => self.bases.get_mut(name)?,
            None => &mut none,
        };
        let mut moved = 0;
        for hunk in &file.hunks {
            moved += state.apply(base, hunk, moved)?;
        }
        if file.change != Change::Deleted {
            self.now.insert(name.to_owned(), state);
        }
        Some(())
    }
}

impl State {
    /// Applies a hunk; returns by how many lines what follows it has moved.
    fn apply(&mut self, base: &mut Base, hunk: &Hunk, moved: isize) -> Option<isize> {
        let head = HunkHead::read(hunk.lines.first()?.text)?;
        let first = head.starts().0 as usize + usize::from(head.counts().0 == 0);
        let first = first.checked_sub(1)?.checked_add_signed(moved)?;
        let count = head.counts().0 as usize;
        if first > MAX_LINES || count > MAX_LINES {
            return None;
        }
        self.reach(base, first + count)?;
        self.hint(base, first, hunk.heading.trim());
        let (mut at, mut moved) = (first, 0);
        let mut last = LineKind::Context;
        for line in &hunk.lines[1..] {
            let text = line
                .text
                .trim_end_matches('\n')
                .get(1..)
                .unwrap_or_default();
            match line.kind {
                LineKind::Context => {
                    self.must_be(base, at, text)?;
                    at += 1;
                }
                LineKind::Removed => {
                    self.must_be(base, at, text)?;
                    self.lines.remove(at);
                    moved -= 1;
                }
                LineKind::Added => {
                    self.lines.insert(at, Line::New(text.to_owned()));
                    at += 1;
                    moved += 1;
                }
                LineKind::NoNewline if last != LineKind::Added => base.unended = true,
                _ => {}
            }
            last = line.kind;
        }
        Some(moved)
    }

    /// Makes the file at least so long.
    fn reach(&mut self, base: &mut Base, length: usize) -> Option<()> {
        if self.lines.len() < length && (self.base.is_none() || base.unended) {
            return None;
        }
        while self.lines.len() < length {
            self.lines.push(Line::Base(base.length));
            base.length += 1;
        }
        Some(())
    }

    fn must_be(&self, base: &mut Base, at: usize, text: &str) -> Option<()> {
        match self.lines.get(at)? {
            Line::New(known) => (known == text).then_some(()),
            Line::Base(number) => {
                let known = base.known.entry(*number).or_insert_with(|| text.to_owned());
                (known == text).then_some(())
            }
        }
    }

    fn hint(&self, base: &mut Base, first: usize, heading: &str) {
        if let (Some(at), false) = (first.checked_sub(1), heading.is_empty())
            && let Some(Line::Base(number)) = self.lines.get(at)
        {
            base.hints.insert(*number, heading.to_owned());
        }
    }
}

impl Base {
    fn content(&self, name: &str) -> String {
        let mut out = String::new();
        for number in 0..self.length {
            let known = self.known.get(&number).or_else(|| self.hints.get(&number));
            match known {
                Some(text) => out.push_str(text),
                // What git takes for the head of a function begins with a letter.
                None => out.push_str(&format!(" {name}: other line {number}")),
            }
            out.push('\n');
        }
        if self.length == 0 {
            out = format!(" {name}: something\n");
        }
        if self.unended {
            out.pop();
        }
        out
    }
}

/// Appends a commit of these files alone, in the form that `git fast-import` reads.
pub fn push_commit(files: &Files, name: &str, stream: &mut Vec<u8>) {
    let head = format!("commit {name}\ncommitter C <c@example.org> 0 +0000\ndata 0\n");
    stream.extend_from_slice(head.as_bytes());
    for (path, (mode, content)) in files {
        let path = path.replace('\\', "\\\\").replace('"', "\\\"");
        write!(
            stream,
            "M {mode} inline \"{path}\"\ndata {}\n{content}\n",
            content.len()
        )
        .expect("memory");
    }
    stream.push(b'\n');
}
