//! Which line of a diff a reply is about: reviewers quote it and write below (`ux.md B3`).

use std::collections::HashMap;

use crate::mail::outline::{FileDiff, LineKind};

/// So many lines of what was said are shown at the line it is about.
const SHOWN: usize = 8;
/// A line that stands in more places says nothing alone.
const MOST_PLACES: usize = 50;

/// File, hunk and line, counted from 1 as in the anchors of a diff.
pub type Place = (usize, usize, usize);

/// Something said about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The last line quoted.
    pub place: Place,
    /// What was written below it, its first lines.
    pub text: String,
}

/// The lines of a diff by what they say.
pub struct Lines<'a> {
    places: HashMap<&'a str, Vec<Place>>,
    texts: HashMap<Place, &'a str>,
}

impl<'a> Lines<'a> {
    /// Takes the files of a diff.
    pub fn of(files: &[FileDiff<'a>]) -> Lines<'a> {
        let mut lines = Lines {
            places: HashMap::new(),
            texts: HashMap::new(),
        };
        for (file_at, file) in files.iter().enumerate() {
            for (hunk_at, hunk) in file.hunks.iter().enumerate() {
                let known = hunk.lines.iter().enumerate();
                for (line_at, line) in known.filter(|(_, line)| line.kind != LineKind::Text) {
                    let place = (file_at + 1, hunk_at + 1, line_at);
                    let text = line.text.trim_end();
                    lines.places.entry(text).or_default().push(place);
                    lines.texts.insert(place, text);
                }
            }
        }
        lines
    }

    /// Returns where the last of these quoted lines stands: the place with most of the lines before it, if only one has.
    fn place(&self, quoted: &[&str]) -> Option<Place> {
        // Mailers drop blank lines at the end of what they quote, and people add them.
        let end = quoted.iter().rposition(|line| !line.trim().is_empty())?;
        let (last, before) = (quoted[end].trim_end(), &quoted[..end]);
        // Some quote with a bare `>`, so the blank of a line that stays is taken for theirs.
        let bare = || self.places.get(format!(" {last}").as_str());
        let places = self.places.get(last).or_else(bare)?;
        if places.len() > MOST_PLACES {
            return None;
        }
        let ranked = places
            .iter()
            .map(|place| (self.agreeing(*place, before), *place));
        let mut ranked: Vec<(usize, Place)> = ranked.collect();
        ranked.sort_unstable_by(|a, b| b.cmp(a));
        match ranked.as_slice() {
            [(_, place)] => Some(*place),
            [(most, place), (next, _), ..] if most > next => Some(*place),
            _ => None,
        }
    }

    /// Counts the quoted lines before a place that stand there, too.
    fn agreeing(&self, (file, hunk, line): Place, before: &[&str]) -> usize {
        let above = (0..line).rev().map(|at| self.texts.get(&(file, hunk, at)));
        let pairs = above.zip(before.iter().rev());
        pairs
            .take_while(|(text, quoted)| text.is_some_and(|text| *text == quoted.trim_end()))
            .count()
    }
}

/// Returns what a reply says about which lines of a diff.
pub fn said(lines: &Lines, reply: &str) -> Vec<Said> {
    let mut found = Vec::new();
    let all: Vec<&str> = reply.lines().collect();
    let runs: Vec<&[&str]> = all
        .chunk_by(|a, b| quoted(a).is_some() == quoted(b).is_some())
        .collect();
    for pair in runs.windows(2) {
        let quote: Vec<&str> = pair[0].iter().filter_map(|line| quoted(line)).collect();
        let text = beginning(pair[1]);
        if quote.is_empty() || text.is_empty() {
            continue;
        }
        if let Some(place) = lines.place(&quote) {
            found.push(Said { place, text });
        }
    }
    found
}

/// Returns the first line of a reply that is its author's: not quoted, and not of the paragraph that says who is quoted.
pub fn opening(reply: &str) -> Option<&str> {
    let lines: Vec<&str> = reply.lines().map(str::trim).collect();
    let runs = lines.split(|line| line.is_empty() || line.starts_with('>'));
    // Where each run ends is what stands behind it.
    let mut end = 0;
    for run in runs {
        end += run.len();
        let is_before_quote = lines[end..].iter().find(|line| !line.is_empty());
        let is_before_quote = is_before_quote.is_some_and(|line| line.starts_with('>'));
        end += 1;
        match run.first() {
            Some(&"--") => return None,
            Some(_) if is_before_quote && introduces(run) => {}
            Some(line) => return Some(line),
            None => {}
        }
    }
    None
}

/// Says whether lines say who is quoted: `On Monday, Bob wrote:`, often broken in two.
fn introduces(lines: &[&str]) -> bool {
    lines.len() <= 2 && lines.last().is_some_and(|line| line.ends_with(':'))
}

/// Returns a quoted line as it was before it was quoted; a deeper quote is somebody else's.
fn quoted(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('>')?;
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

/// Returns the first lines of what was written, up to a signature.
fn beginning(lines: &[&str]) -> String {
    let written: Vec<&str> = lines
        .iter()
        .map(|line| line.trim_end())
        .skip_while(|line| line.is_empty())
        .take_while(|line| *line != "--")
        .collect();
    let mut text = written[..written.len().min(SHOWN)]
        .join("\n")
        .trim_end()
        .to_owned();
    if written.len() > SHOWN {
        text.push_str("\n…");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail;

    const DIFF: &str = "--- a/x.c\n+++ b/x.c\n@@ -1,4 +1,5 @@\n a\n+\tfree(p);\n b\n }\n@@ -20,3 +21,4 @@\n c\n+\tfree(p);\n d\n";

    fn of(reply: &str) -> Vec<(Place, String)> {
        let files = mail::outline(DIFF);
        let said = said(&Lines::of(&files), reply);
        said.into_iter()
            .map(|said| (said.place, said.text))
            .collect()
    }

    #[test]
    fn a_reply_opens_with_the_first_line_of_its_own() {
        for (reply, expected) in [
            ("Thanks, applied.\n", Some("Thanks, applied.")),
            (
                "On Mon, 2 Nov 2026, Bob wrote:\n> a\n\nWhy?\nSo.\n",
                Some("Why?"),
            ),
            (
                "On Mon, 2 Nov 2026 at 10:00, Bob\n<bob@example.org> wrote:\n> a\nWhy?\n",
                Some("Why?"),
            ),
            (
                "On the whole, I like it,\nbut:\nno.\n",
                Some("On the whole, I like it,"),
            ),
            (
                "Bob <bob@example.org> writes:\n\n> a\n\nWhy?\n",
                Some("Why?"),
            ),
            ("Bob asks:\nwhy?\n> a\n", Some("Bob asks:")),
            ("Ann wrote:\n-- \n", Some("Ann wrote:")),
            ("> a\n> b\n", None),
            ("> a\n-- \nBob\n", None),
            ("", None),
        ] {
            assert_eq!(opening(reply), expected, "{reply:?}");
        }
    }

    #[test]
    fn a_reply_below_a_quoted_line_is_about_that_line() {
        let place = |reply| of(reply).first().map(|(place, _)| *place);
        for (reply, expected) in [
            (">  b\n\nWhy?\n", Some((1, 1, 3))),
            ("> b\n\nWhy?\n", Some((1, 1, 3))),
            (">  c\n> +\tfree(p);\nTwice?\n", Some((1, 2, 2))),
            (">  a\n> +\tfree(p);\n> \nOnce.\n", Some((1, 1, 2))),
            ("> +\tfree(p);\nWhich one?\n", None),
            ("> }\n", None),
            ("> not in it\nWhat?\n", None),
            (">> b\nSomebody else's quote.\n", None),
            ("b\nnot quoted\n", None),
        ] {
            assert_eq!(place(reply), expected, "{reply:?}");
        }
    }

    #[test]
    fn its_first_lines_are_told() {
        let long = "> b\n".to_owned() + &"x\n".repeat(20);
        assert_eq!(of(&long)[0].1.lines().count(), SHOWN + 1);
        assert_eq!(of("> b\n\nYes.\n\n-- \nAnn\n")[0].1, "Yes.");
    }
}
