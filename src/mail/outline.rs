//! A diff as pages show it: files, hunks, lines with their numbers.
//!
//! Nothing is lost: all lines in order are the diff, byte for byte. Reads git, Subversion, CVS,
//! Mercurial and plain unified diffs; what it does not know it keeps as text.

use super::diff::is_blob_head;
use super::hunk::HunkHead;
use super::name::{git_pair, is_nothing, marked, whole, without_side};

/// What a line of a diff is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// Part of what introduces a file: names, modes, `index …`.
    Header,
    /// Opens a hunk.
    HunkHead,
    /// In both files.
    Context,
    /// In the new file only.
    Added,
    /// In the old file only.
    Removed,
    /// `\ No newline at end of file`, about the line before.
    NoNewline,
    /// Data of a binary patch.
    Binary,
    /// Anything else.
    Text,
}

/// A line of a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// What it is.
    pub kind: LineKind,
    /// Its text with mark and line end.
    pub text: &'a str,
    /// Its number in the old file, if it is there.
    pub old: Option<u64>,
    /// Its number in the new file, if it is there.
    pub new: Option<u64>,
}

/// A hunk: its opening line, its lines, and any text up to the next hunk or file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk<'a> {
    /// What follows the second `@@`, usually the function around the change.
    pub heading: &'a str,
    /// All lines, the opening one first.
    pub lines: Vec<Line<'a>>,
}

/// What happens to a file as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change {
    /// Its content or mode changes.
    #[default]
    Modified,
    /// It is new.
    Added,
    /// It goes.
    Deleted,
    /// It moves from the old name to the new one.
    Renamed,
    /// It is made from the file of the old name.
    Copied,
}

/// The part of a diff that is about one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileDiff<'a> {
    /// Its name before, without `a/`; none for a new file, and where no name is given.
    pub old: Option<String>,
    /// Its name after, without `b/`; none for a deleted file, and where no name is given.
    pub new: Option<String>,
    /// What happens to it.
    pub change: Change,
    /// Its mode before, where that is told.
    pub old_mode: Option<&'a str>,
    /// Its mode after, where that is told.
    pub new_mode: Option<&'a str>,
    /// Whether it is binary.
    pub binary: bool,
    /// How many lines come.
    pub added: usize,
    /// How many lines go.
    pub removed: usize,
    /// The lines before the first hunk.
    pub head: Vec<Line<'a>>,
    /// The hunks.
    pub hunks: Vec<Hunk<'a>>,
}

impl<'a> FileDiff<'a> {
    /// Returns the name to show: the new one, for a deleted file the old one.
    pub fn name(&self) -> Option<&str> {
        self.new.as_deref().or(self.old.as_deref())
    }

    /// Returns all lines in order.
    pub fn lines(&self) -> impl Iterator<Item = &Line<'a>> {
        self.head
            .iter()
            .chain(self.hunks.iter().flat_map(|hunk| &hunk.lines))
    }
}

/// Reads a diff; text that is no diff at all is one file without names.
pub fn outline(diff: &str) -> Vec<FileDiff<'_>> {
    let mut reader = Reader::default();
    let mut lines = diff.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let names =
            line.starts_with("--- ") && lines.peek().is_some_and(|next| next.starts_with("+++ "));
        reader.read(line, names);
    }
    reader.finish()
}

/// Where the reader is within a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Before anything that introduces a file.
    #[default]
    Outside,
    /// Among the lines that introduce a file.
    Head,
    /// After `--- name`.
    OldName,
    /// Among blobs.
    Blob,
    /// In a hunk.
    Hunk(Counters),
    /// After the last line that a hunk promised.
    AfterHunk,
}

/// The lines a hunk still has for each file, and the numbers of the next ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counters {
    old_left: u64,
    new_left: u64,
    old: u64,
    new: u64,
}

#[derive(Default)]
struct Reader<'a> {
    files: Vec<FileDiff<'a>>,
    file: FileDiff<'a>,
    place: Place,
    /// Whether the file has its `--- ` line.
    named: bool,
    /// Whether the file has its `diff ` line.
    compared: bool,
    /// Whether that is git's.
    git: bool,
}

impl<'a> Reader<'a> {
    fn read(&mut self, line: &'a str, names: bool) {
        if let Some(head) = HunkHead::read(line) {
            return self.open_hunk(line, head);
        }
        match self.place {
            // No line of a hunk begins so: the hunk has fewer lines than it promised.
            Place::Hunk(_) if line.starts_with("diff --git ") => self.outside_hunk(line, names),
            Place::Hunk(counters) => self.in_hunk(line, counters),
            Place::AfterHunk if line.starts_with("\\ ") => self.push(LineKind::NoNewline, line),
            _ => self.outside_hunk(line, names),
        }
    }

    fn open_hunk(&mut self, line: &'a str, head: HunkHead<'a>) {
        let (old, new) = head.starts();
        let (old_left, new_left) = head.counts();
        self.file.hunks.push(Hunk {
            heading: head.heading.trim(),
            lines: Vec::new(),
        });
        self.push(LineKind::HunkHead, line);
        self.place = Counters {
            old_left,
            new_left,
            old,
            new,
        }
        .place();
    }

    fn in_hunk(&mut self, line: &'a str, at: Counters) {
        let (kind, in_old, in_new) = match line.as_bytes().first() {
            Some(b'-') => (LineKind::Removed, true, false),
            Some(b'+') => (LineKind::Added, false, true),
            Some(b'\\') => return self.push(LineKind::NoNewline, line),
            _ => (LineKind::Context, true, true),
        };
        self.file.removed += usize::from(kind == LineKind::Removed);
        self.file.added += usize::from(kind == LineKind::Added);
        self.push_numbered(Line {
            kind,
            text: line,
            old: in_old.then_some(at.old),
            new: in_new.then_some(at.new),
        });
        self.place = at.after(in_old, in_new).place();
    }

    fn outside_hunk(&mut self, line: &'a str, names: bool) {
        let starts = |start| line.starts_with(start);
        if starts("Index: ") || starts("diff ") {
            self.introduce(line);
        } else if names {
            self.take_old_name(line);
        } else if self.place == Place::OldName && starts("+++ ") {
            self.take_new_name(line);
        } else if self.place == Place::Blob && is_blob_line(line) {
            self.push(LineKind::Binary, line);
        } else if self.in_head() && self.file.take_notice(line) {
            self.place = if starts("GIT binary patch") {
                Place::Blob
            } else {
                Place::Head
            };
            self.push(LineKind::Header, line);
        } else {
            self.push(LineKind::Text, line);
        }
    }

    fn in_head(&self) -> bool {
        matches!(self.place, Place::Head | Place::Blob) && self.file.hunks.is_empty()
    }

    /// Takes a line `diff …` or `Index: …`.
    ///
    /// CVS writes both for one file.
    fn introduce(&mut self, line: &'a str) {
        let joins = line.starts_with("diff ") && self.in_head() && !self.compared && !self.named;
        if self.place != Place::Outside && !joins {
            self.next_file();
        }
        self.compared |= line.starts_with("diff ");
        self.git |= line.starts_with("diff --git ");
        self.place = Place::Head;
        if let Some((old, new)) = line.strip_prefix("diff --git ").and_then(git_pair) {
            self.file.set_old(&old);
            self.file.set_new(&new);
        } else if let Some(name) = line.strip_prefix("Index: ") {
            let name = whole(name.trim_end());
            self.file.set_old(&name);
            self.file.set_new(&name);
        }
        self.push(LineKind::Header, line);
    }

    fn take_old_name(&mut self, line: &'a str) {
        if self.named || !matches!(self.place, Place::Head | Place::Outside) {
            self.next_file();
        }
        self.named = true;
        self.place = Place::OldName;
        let name = marked(&line["--- ".len()..], self.git);
        self.file.set_old(&name);
        self.push(LineKind::Header, line);
    }

    fn take_new_name(&mut self, line: &'a str) {
        self.place = Place::Head;
        let name = marked(&line["+++ ".len()..], self.git);
        self.file.set_new(&name);
        self.push(LineKind::Header, line);
    }

    fn push(&mut self, kind: LineKind, text: &'a str) {
        self.push_numbered(Line {
            kind,
            text,
            old: None,
            new: None,
        });
    }

    fn push_numbered(&mut self, line: Line<'a>) {
        match self.file.hunks.last_mut() {
            Some(hunk) => hunk.lines.push(line),
            None => self.file.head.push(line),
        }
    }

    fn next_file(&mut self) {
        self.files.push(std::mem::take(&mut self.file));
        self.place = Place::Outside;
        (self.named, self.compared, self.git) = (false, false, false);
    }

    fn finish(mut self) -> Vec<FileDiff<'a>> {
        if self.file.lines().next().is_some() {
            self.next_file();
        }
        self.files
    }
}

impl Counters {
    fn after(self, in_old: bool, in_new: bool) -> Self {
        let (old, new) = (u64::from(in_old), u64::from(in_new));
        Counters {
            old_left: self.old_left.saturating_sub(old),
            new_left: self.new_left.saturating_sub(new),
            old: self.old.saturating_add(old),
            new: self.new.saturating_add(new),
        }
    }

    fn place(self) -> Place {
        if self.old_left == 0 && self.new_left == 0 {
            Place::AfterHunk
        } else {
            Place::Hunk(self)
        }
    }
}

impl<'a> FileDiff<'a> {
    fn set_old(&mut self, name: &str) {
        self.old = (!is_nothing(name)).then(|| without_side(name).to_owned());
        if is_nothing(name) {
            self.change = Change::Added;
        }
    }

    fn set_new(&mut self, name: &str) {
        self.new = (!is_nothing(name)).then(|| without_side(name).to_owned());
        if is_nothing(name) {
            self.change = Change::Deleted;
        }
    }

    /// Takes in a line that tells something about the file as a whole; false if it does not.
    fn take_notice(&mut self, line: &'a str) -> bool {
        let line = line.trim_end_matches(['\r', '\n']);
        let mut known = false;
        let mut after = |start: &str| {
            let rest = line.strip_prefix(start);
            known |= rest.is_some();
            rest
        };
        if let Some(mode) = after("old mode ") {
            self.old_mode = Some(mode);
        } else if let Some(mode) = after("new mode ") {
            self.new_mode = Some(mode);
        } else if let Some(mode) = after("new file mode ") {
            (self.change, self.old, self.new_mode) = (Change::Added, None, Some(mode));
        } else if let Some(mode) = after("deleted file mode ") {
            (self.change, self.new, self.old_mode) = (Change::Deleted, None, Some(mode));
        } else if let Some(name) = after("rename from ") {
            (self.change, self.old) = (Change::Renamed, Some(whole(name)));
        } else if let Some(name) = after("copy from ") {
            (self.change, self.old) = (Change::Copied, Some(whole(name)));
        } else if let Some(name) = after("rename to ").or_else(|| after("copy to ")) {
            self.new = Some(whole(name));
        } else if BINARY.iter().any(|start| line.starts_with(start)) {
            self.binary = true;
            known = true;
        }
        known || OTHER_HEADERS.iter().any(|start| line.starts_with(start))
    }
}

/// Lines that say a file is binary: git, Subversion.
const BINARY: [&str; 3] = [
    "GIT binary patch",
    "Binary files ",
    "Cannot display: file marked as a binary type",
];

/// Header lines that carry nothing we show apart: git, Subversion, CVS.
const OTHER_HEADERS: [&str; 7] = [
    "similarity index ",
    "dissimilarity index ",
    "index ",
    "=====",
    "RCS file: ",
    "retrieving revision ",
    "svn:mime-type",
];

/// A blob is lines without blanks, headed by its size and closed by an empty line.
fn is_blob_line(line: &str) -> bool {
    is_blob_head(line) || !line.contains(' ')
}

#[cfg(test)]
mod tests;
