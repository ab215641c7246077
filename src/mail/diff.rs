//! Finds the diff in the text of a mail (`mail.md §10`).
//!
//! A machine reads line by line. What belongs to a diff and what to the message is often clear only
//! later, so lines that might begin a diff wait until a hunk, or something else that only diffs
//! have, decides about them.

use super::hunk::HunkHead;

/// Lines by which git describes what happens to a file.
const EXTENDED_HEADERS: [&str; 11] = [
    "old mode ",
    "new mode ",
    "deleted file mode ",
    "new file mode ",
    "copy from ",
    "copy to ",
    "rename from ",
    "rename to ",
    "similarity index ",
    "dissimilarity index ",
    "index ",
];

/// Where the machine is.
#[derive(Clone, Copy, Debug)]
enum State {
    /// In the text of the message.
    Text,
    /// After a line that may begin a diff.
    Suspected,
    /// After `--- name`.
    OldName,
    /// After `+++ name`, or after a finished hunk.
    NewName,
    /// In a hunk with so many lines of the old and the new file still to come.
    Hunk { old: u64, new: u64 },
    /// Among the extended header lines of git.
    Extended,
    /// In a binary patch.
    Binary { after_blank: bool },
}

/// What to do next: read the next line, or look at this line again in another state.
enum Step {
    Next(State),
    Again(State),
}

/// The text read so far: what is diff, what is message, what is undecided.
struct Splitter<'a> {
    text: &'a str,
    diff: String,
    message: String,
    /// Where the undecided lines begin; they reach up to the line being read.
    undecided: usize,
    /// Whether one of the undecided lines begins `diff --git `.
    git: bool,
    /// Start and end of the line being read.
    line: (usize, usize),
}

/// Splits a text into its diff and the rest; what is empty is none.
pub fn split(text: &str) -> (Option<String>, Option<String>) {
    let mut splitter = Splitter {
        text,
        diff: String::new(),
        message: String::new(),
        undecided: 0,
        git: false,
        line: (0, 0),
    };
    splitter.run();
    let filled = |text: String| (!text.is_empty()).then_some(text);
    (filled(splitter.diff), filled(splitter.message))
}

impl Splitter<'_> {
    /// Reads all lines.
    ///
    /// A final line end is followed by one more, empty line: it can complete a hunk whose last blank
    /// line was eaten on the way.
    fn run(&mut self) {
        let mut state = State::Text;
        let mut start = 0;
        while start <= self.text.len() {
            let end = self.text[start..]
                .find('\n')
                .map_or(self.text.len(), |length| start + length);
            self.line = (start, end);
            state = self.read(state);
            start = end + 1;
        }
        self.line = (start, start);
        self.earlier_to_message();
    }

    /// Reads the current line, perhaps in several states, and returns the next state.
    ///
    /// Ends: only lines after a file name, in git's header or in a binary patch are looked at again,
    /// and never again in one of these states.
    fn read(&mut self, mut state: State) -> State {
        loop {
            let step = match state {
                State::Text => self.in_text(),
                State::Suspected => self.suspected(),
                State::OldName => self.after_old_name(),
                State::NewName => self.after_new_name(),
                State::Hunk { old, new } => self.in_hunk(old, new),
                State::Extended => self.in_extended(),
                State::Binary { after_blank } => self.in_binary(after_blank),
            };
            match step {
                Step::Again(again) => state = again,
                Step::Next(next) => return next,
            }
        }
    }

    fn in_text(&mut self) -> Step {
        if self.begins("diff ") || self.begins("Index: ") {
            self.wait(State::Suspected)
        } else if self.begins("--- ") {
            self.wait(State::OldName)
        } else {
            self.add_to_message();
            Step::Next(State::Text)
        }
    }

    fn suspected(&mut self) -> Step {
        if self.begins("--- ") {
            self.wait(State::OldName)
        } else if self.git && is_extended_header(self.line()) {
            self.add_to_diff(State::Extended)
        } else if self.git && self.begins("GIT binary patch") {
            self.add_to_diff(State::Binary { after_blank: false })
        } else if self.git && self.begins("Binary files ") {
            self.add_to_diff(State::Suspected)
        } else {
            self.wait(State::Suspected)
        }
    }

    fn after_old_name(&mut self) -> Step {
        if self.begins("+++ ") {
            self.wait(State::NewName)
        } else {
            self.nothing_after_all()
        }
    }

    fn after_new_name(&mut self) -> Step {
        if let Some(head) = HunkHead::read(self.line()) {
            let (old, new) = head.counts();
            return self.add_to_diff(hunk(old, new));
        }
        if self.begins("--- ") {
            if self.diff.is_empty() {
                self.earlier_to_message();
            }
            return self.wait(State::OldName);
        }
        // Any text after the backslash: git translates it.
        let after_hunk = self.undecided == self.line.0 && !self.diff.is_empty();
        if after_hunk && self.begins("\\ ") {
            self.add_to_diff(State::NewName)
        } else {
            self.nothing_after_all()
        }
    }

    /// Counts what the line takes from the old and the new file.
    ///
    /// A line without a mark is context: mailers eat the blank of blank lines, and sometimes of others.
    fn in_hunk(&mut self, old: u64, new: u64) -> Step {
        let (old, new) = match self.line().as_bytes().first() {
            Some(b'-') => (old.saturating_sub(1), new),
            Some(b'+') => (old, new.saturating_sub(1)),
            Some(b'\\') if self.begins("\\ ") => (old, new),
            _ => (old.saturating_sub(1), new.saturating_sub(1)),
        };
        self.add_to_diff(hunk(old, new))
    }

    fn in_extended(&mut self) -> Step {
        if is_extended_header(self.line()) {
            self.add_to_diff(State::Extended)
        } else if self.begins("--- ") {
            self.wait(State::OldName)
        } else if self.begins("GIT binary patch") {
            self.add_to_diff(State::Binary { after_blank: false })
        } else if self.begins("Binary files ") {
            self.add_to_diff(State::Suspected)
        } else {
            Step::Again(State::Suspected)
        }
    }

    /// A binary patch is blobs, each closed by an empty line; their data holds no blanks.
    fn in_binary(&mut self, after_blank: bool) -> Step {
        let line = self.line();
        let blank = line.trim_end_matches('\r').is_empty();
        let data = !after_blank && !line.contains(' ');
        if blank || data || is_blob_head(line) {
            self.add_to_diff(State::Binary { after_blank: blank })
        } else {
            Step::Again(State::Suspected)
        }
    }

    /// What looked like file names was text: of the message, or perhaps between two file diffs.
    fn nothing_after_all(&mut self) -> Step {
        if self.diff.is_empty() {
            self.earlier_to_message();
            Step::Again(State::Text)
        } else {
            Step::Again(State::Suspected)
        }
    }

    fn line(&self) -> &str {
        &self.text[self.line.0..self.line.1]
    }

    fn begins(&self, start: &str) -> bool {
        self.line().starts_with(start)
    }

    /// Leaves the line undecided.
    fn wait(&mut self, next: State) -> Step {
        self.git |= self.begins("diff --git ");
        Step::Next(next)
    }

    /// Moves the undecided lines and this one to the diff.
    fn add_to_diff(&mut self, next: State) -> Step {
        push_lines(&mut self.diff, self.text, self.undecided, self.line.1);
        self.decided(self.line.1 + 1);
        Step::Next(next)
    }

    fn add_to_message(&mut self) {
        push_lines(&mut self.message, self.text, self.undecided, self.line.1);
        self.decided(self.line.1 + 1);
    }

    /// Moves the undecided lines before this one to the message.
    fn earlier_to_message(&mut self) {
        if self.undecided < self.line.0 {
            push_lines(
                &mut self.message,
                self.text,
                self.undecided,
                self.line.0 - 1,
            );
        }
        self.decided(self.line.0);
    }

    fn decided(&mut self, up_to: usize) {
        self.undecided = up_to;
        self.git = false;
    }
}

/// Appends the lines from `start` up to the line end at `end`, which the last line may lack.
fn push_lines(out: &mut String, text: &str, start: usize, end: usize) {
    out.push_str(&text[start..end]);
    out.push('\n');
}

/// Returns the state in a hunk with so many lines to come.
fn hunk(old: u64, new: u64) -> State {
    if old == 0 && new == 0 {
        State::NewName
    } else {
        State::Hunk { old, new }
    }
}

fn is_extended_header(line: &str) -> bool {
    EXTENDED_HEADERS.iter().any(|start| line.starts_with(start))
}

/// Tells whether a line opens a blob of a binary patch.
pub(super) fn is_blob_head(line: &str) -> bool {
    let size = line
        .strip_prefix("literal ")
        .or_else(|| line.strip_prefix("delta "));
    size.is_some_and(|size| size.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn texts_are_split_as_the_table_says() {
        let table: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/mail/diff.json"))
                .expect("valid table");
        for case in table {
            // Each line carries a mark for where it belongs: `d` diff, `m` message.
            let lines: Vec<&str> = case["lines"]
                .as_array()
                .expect("lines")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            let of = |mark: char| -> Vec<&str> {
                lines
                    .iter()
                    .filter_map(|line| line.strip_prefix(mark))
                    .collect()
            };
            let text: String = lines
                .iter()
                .map(|line| format!("{}\n", &line[1..]))
                .collect();
            let (diff, message) = split(&text);
            assert_eq!(
                diff.unwrap_or_default().trim_end(),
                of('d').join("\n").trim_end(),
                "diff of {}",
                case["name"]
            );
            assert_eq!(
                message.unwrap_or_default().trim_end(),
                of('m').join("\n").trim_end(),
                "message of {}",
                case["name"]
            );
        }
    }
}
